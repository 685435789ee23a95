//! Signed answers (RFC 9701).

use std::sync::Arc;

use portcullis::{Issuer, RejectionKind};
use serde_json::{Value, json};

use super::support::fixture::{Expected, ISSUER, NOW, RESOURCE, bearer, kind, send};
use super::support::keys::{Key, changed};
use super::support::scripted_as::{Reply, ScriptedAs};
use super::{OPAQUE, active, answering, asking, builder};

const MEDIA_TYPE: &str = "application/token-introspection+jwt";

fn header(key: &Key) -> Value {
    json!({ "alg": "ES256", "kid": key.kid, "typ": "token-introspection+jwt" })
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "rs", "iat": NOW, "token_introspection": active(json!({})) })
}

/// Answers with this JWT under this media type; wants signed answers with the keys of `key`.
async fn says(key: &Key, media_type: &str, jwt: &str) -> (ScriptedAs, portcullis::ResourceServer) {
    let reply = Reply::new(200, media_type, jwt.to_owned());
    let fake = answering(move |_| reply.clone()).await;
    let asking = asking(&fake).signed_answers().every_token();
    let issuer = Issuer::with_jwks(ISSUER, key.jwks()).introspect(asking);
    let server = builder(issuer).build().unwrap();
    (fake, server)
}

#[tokio::test]
async fn intro_12_intro_13_f42_an_answer_has_to_be_signed_and_for_us() {
    let key = Key::new("k1");
    let sign = |header_changes: Value, claim_changes: Value| {
        key.sign_json(&changed(header(&key), header_changes), &changed(claims(), claim_changes))
    };
    let none = || json!({});
    let good = sign(none(), none());
    let stranger = Key::new("k1").sign_json(&header(&key), &claims());
    let plain = active(json!({})).to_string();
    for (row, media_type, jwt, expected) in [
        ("good", MEDIA_TYPE, good.clone(), Ok(())),
        (
            "media types have no case",
            "Application/Token-Introspection+JWT; x=1",
            good.clone(),
            Ok(()),
        ),
        ("for an audience of ours", MEDIA_TYPE, sign(none(), json!({ "aud": RESOURCE })), Ok(())),
        ("for several", MEDIA_TYPE, sign(none(), json!({ "aud": ["x", "rs"] })), Ok(())),
        ("INTRO-15: plain", "application/json", plain.clone(), Err(())),
        ("plain, under its name", MEDIA_TYPE, plain, Err(())),
        ("media type", "application/jwt", good.clone(), Err(())),
        ("typ", MEDIA_TYPE, sign(json!({ "typ": "at+jwt" }), none()), Err(())),
        ("no typ", MEDIA_TYPE, sign(json!({ "typ": null }), none()), Err(())),
        ("alg", MEDIA_TYPE, sign(json!({ "alg": "none" }), none()), Err(())),
        ("iss", MEDIA_TYPE, sign(none(), json!({ "iss": "https://x.example" })), Err(())),
        ("no iss", MEDIA_TYPE, sign(none(), json!({ "iss": null })), Err(())),
        ("aud", MEDIA_TYPE, sign(none(), json!({ "aud": "another" })), Err(())),
        ("no aud", MEDIA_TYPE, sign(none(), json!({ "aud": null })), Err(())),
        ("no iat", MEDIA_TYPE, sign(none(), json!({ "iat": null })), Err(())),
        ("signature", MEDIA_TYPE, stranger, Err(())),
        ("another key", MEDIA_TYPE, sign(json!({ "kid": "k9" }), none()), Err(())),
        ("JWE", MEDIA_TYPE, "a.b.c.d.e".to_owned(), Err(())),
        ("no answer", MEDIA_TYPE, sign(none(), json!({ "token_introspection": null })), Err(())),
        ("no object", MEDIA_TYPE, sign(none(), json!({ "token_introspection": "x" })), Err(())),
        ("no active", MEDIA_TYPE, sign(none(), json!({ "token_introspection": {} })), Err(())),
    ] {
        let (fake, server) = says(&key, media_type, &jwt).await;
        let expected = expected.map_err(|()| RejectionKind::IntrospectionUnavailable);
        assert_eq!(kind(&server, OPAQUE).await, expected, "{row}");
        assert_eq!(fake.requests()[0].header("accept"), Some(MEDIA_TYPE));
        if expected.is_err() {
            send(&server, bearer(OPAQUE)).await.is(Expected::Unavailable, row);
        }
    }
}

#[tokio::test]
async fn intro_14_only_what_is_inside_counts() {
    let key = Key::new("k1");
    let outer = json!({
        "scope": "read", "sub": "root", "exp": NOW + 300, "active": true,
        "token_introspection": active(json!({ "scope": null })),
    });
    let jwt = key.sign_json(&header(&key), &changed(claims(), outer));
    let (_fake, server) = says(&key, MEDIA_TYPE, &jwt).await;
    send(&server, bearer(OPAQUE)).await.is(Expected::InsufficientScope, "INTRO-14");
    assert_eq!(server.verify(OPAQUE).await.unwrap().subject().id(), Some("u1"));

    let inactive = json!({ "active": true, "token_introspection": { "active": false } });
    let jwt = key.sign_json(&header(&key), &changed(claims(), inactive));
    let (_fake, server) = says(&key, MEDIA_TYPE, &jwt).await;
    send(&server, bearer(OPAQUE)).await.is(Expected::InvalidToken, "F39");
}

#[tokio::test]
async fn intro_16_a_signed_answer_is_no_access_token() {
    let key = Key::new("k1");
    let jwt = key.sign_json(&header(&key), &claims());
    let issuer = Issuer::with_jwks(ISSUER, key.jwks());
    let server = builder(issuer).build().unwrap();
    assert_eq!(kind(&server, &jwt).await, Err(RejectionKind::WrongTokenType));
}

/// The keys are the issuer's, fetched when the first answer comes.
#[tokio::test]
async fn intro_13_keys_are_fetched_like_those_of_tokens() {
    let key = Arc::new(Key::new("k1"));
    let served = Arc::clone(&key);
    let fake = answering(move |asked| match asked.path() {
        "/jwks" => Reply::json(served.jwks()),
        _ => Reply::new(200, MEDIA_TYPE, served.sign_json(&header(&served), &claims())),
    })
    .await;
    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{}/jwks", fake.origin))
        .introspect(asking(&fake).signed_answers().every_token());
    let server = builder(issuer).build().unwrap();
    assert_eq!(kind(&server, OPAQUE).await, Ok(()));
    assert_eq!(fake.count("/jwks"), 1);

    // Without them nothing is known about the token.
    fake.answer_with(move |asked| match asked.path() {
        "/jwks" => Reply::status(500),
        _ => Reply::new(200, MEDIA_TYPE, key.sign_json(&header(&key), &claims())),
    });
    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{}/jwks", fake.origin))
        .introspect(asking(&fake).signed_answers().every_token());
    let server = builder(issuer).build().unwrap();
    send(&server, bearer(OPAQUE)).await.is(Expected::Unavailable, "F43");
}
