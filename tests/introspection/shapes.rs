//! JWTs by their keys, everything else by asking: what goes which way.

use portcullis::{Introspection, Issuer, RejectionKind};
use serde_json::json;

use super::support::fixture::{Fixture, ISSUER, kind};
use super::support::keys::{self, Key, changed};
use super::support::scripted_as::Reply;
use super::{OPAQUE, PATH, active, answering, asking, builder};

#[tokio::test]
async fn jwts_are_verified_and_opaque_tokens_are_asked_about() {
    let good = active(json!({})).to_string();
    let fake = answering(move |_| Reply::json(good.clone())).await;
    let fixture = Fixture::new();
    let server = builder(fixture.issuer().introspect(asking(&fake))).build().unwrap();
    assert_eq!(kind(&server, &fixture.good()).await, Ok(()));
    for (token, expected) in [
        (Fixture::new().good(), RejectionKind::BadSignature),
        (fixture.at(json!({ "iss": "https://evil.example" })), RejectionKind::UntrustedIssuer),
        (fixture.with_header(json!({ "alg": "none" })), RejectionKind::AlgorithmNotAllowed),
        // INTRO-16, AT-08: a signed answer of the same issuer is no access token.
        (
            fixture.with_header(json!({ "typ": "token-introspection+jwt" })),
            RejectionKind::WrongTokenType,
        ),
        ("eyJ.x.y".to_owned(), RejectionKind::MalformedToken),
    ] {
        assert_eq!(kind(&server, &token).await, Err(expected));
    }
    assert_eq!(fake.count(PATH), 0);
    // A JWE can be read by its issuer alone.
    for opaque in [OPAQUE, "a.b.c", "eyJhbGciOiJkaXIifQ.a.b.c.d"] {
        assert_eq!(kind(&server, opaque).await, Ok(()), "{opaque}");
    }
    assert!(fake.count(PATH) >= 3);
}

#[tokio::test]
async fn every_token_of_an_introspected_issuer_is_asked_about() {
    let good = active(json!({})).to_string();
    let fake = answering(move |_| Reply::json(good.clone())).await;
    let fixture = Fixture::new();
    let server = super::introspecting(&fake).token_cache(100).build().unwrap();
    for token in [fixture.good(), Fixture::new().at(json!({ "iss": "x" })), OPAQUE.to_owned()] {
        assert_eq!(kind(&server, &token).await, Ok(()));
    }
    assert_eq!(fake.count(PATH), 3);
    // It has no keys, and needs none.
    server.load_keys().await.unwrap();
    assert_eq!(server.keys()[0].state, portcullis::KeyState::Unneeded);
    assert_eq!(server.keys()[0].keys, 0);
    assert_eq!(fake.log().len(), 3);
}

#[tokio::test]
async fn jwt_11_tokens_of_other_issuers_are_never_sent_to_the_one_that_is_asked() {
    let good = active(json!({})).to_string();
    let fake = answering(move |_| Reply::json(good.clone())).await;
    let key = Key::new("k2");
    let other = "https://other.example";
    let server = builder(Issuer::introspected(ISSUER, asking(&fake)))
        .issuer(Issuer::with_jwks(other, key.jwks()))
        .build()
        .unwrap();
    let claims =
        changed(keys::claims(other), json!({ "iat": 1_800_000_000, "exp": 1_800_000_300 }));
    assert_eq!(kind(&server, &key.sign(&claims)).await, Ok(()));
    let expired = changed(claims, json!({ "exp": 1 }));
    assert_eq!(kind(&server, &key.sign(&expired)).await, Err(RejectionKind::Expired));
    assert_eq!(fake.count(PATH), 0);
    // JWTs of the issuer itself, and opaque tokens, are.
    assert_eq!(kind(&server, &Fixture::new().good()).await, Ok(()));
    assert_eq!(kind(&server, OPAQUE).await, Ok(()));
    assert!(fake.count(PATH) > 0);
}

/// Whether that issuer has a place, and whatever becomes of its keys.
#[tokio::test]
async fn jwt_11_nor_are_tokens_of_issuers_of_a_pattern() {
    let good = active(json!({})).to_string();
    let fake = answering(move |_| Reply::json(good.clone())).await;
    let family = Issuer::matching(format!("{}/tenants/*", fake.origin)).max_live(1);
    let server = builder(Issuer::introspected(ISSUER, asking(&fake)))
        .issuer(family.audience("https://rs.example"))
        .build()
        .unwrap();
    for tenant in ["acme", "globex"] {
        let token = Key::new("k2").token(&format!("{}/tenants/{tenant}", fake.origin));
        assert_eq!(kind(&server, &token).await, Err(RejectionKind::KeysUnavailable));
    }
    assert_eq!(fake.count(PATH), 0);
    let other = Key::new("k2").token(&format!("{}/tenants/a/b", fake.origin));
    assert_eq!(kind(&server, &other).await, Ok(()));
}

#[tokio::test]
async fn one_issuer_of_a_server_is_asked() {
    let asking = || Introspection::at("https://as.example/introspect").basic("rs", "s");
    let error = builder(Issuer::introspected("https://a.example", asking()))
        .issuer(Issuer::discover("https://b.example").introspect(asking()))
        .build()
        .unwrap_err();
    let expected = "issuer \"https://b.example\": opaque tokens do not say whose they are: one \
                    issuer can be introspected";
    assert_eq!(error.to_string(), expected);
}
