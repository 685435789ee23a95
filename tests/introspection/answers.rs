//! What follows from an answer: the failure rows F39 to F41 of the specification, and their like.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Version};
use portcullis::RejectionKind;
use serde_json::{Value, json};

use super::support::fixture::{Expected, NOW, bearer, get, kind, send};
use super::support::scripted_as::{Reply, ScriptedAs};
use super::support::tls;
use super::{OPAQUE, PATH, active, answering, introspecting};

/// Of a certificate that nobody has.
const THUMBPRINT: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

async fn says(answer: Value) -> ScriptedAs {
    answering(move |_| Reply::json(answer.to_string())).await
}

#[tokio::test]
async fn intro_05_intro_07_intro_09_f39_f40_f66_answers_are_judged_like_claims() {
    use RejectionKind as Kind;
    for (row, answer, expected) in [
        ("good", active(json!({})), Ok(())),
        ("no iss", active(json!({ "iss": null })), Ok(())),
        ("no exp", active(json!({ "exp": null })), Ok(())),
        ("no sub", active(json!({ "sub": null, "client_id": null, "jti": null })), Ok(())),
        ("within the leeway", active(json!({ "exp": NOW - 59 })), Ok(())),
        ("more", active(json!({ "x": { "y": [1] }, "token_type": "Bearer" })), Ok(())),
        ("F39", json!({ "active": false }), Err(Kind::Inactive)),
        ("F39, with the rest", active(json!({ "active": false })), Err(Kind::Inactive)),
        ("F40, exp", active(json!({ "exp": NOW - 60 })), Err(Kind::Expired)),
        ("F40, nbf", active(json!({ "nbf": NOW + 61 })), Err(Kind::NotYetValid)),
        ("F40, iat", active(json!({ "iat": NOW + 61 })), Err(Kind::NotYetValid)),
        ("F40, iss", active(json!({ "iss": "https://x.example" })), Err(Kind::UntrustedIssuer)),
        ("F40, iss of another type", active(json!({ "iss": 7 })), Err(Kind::UntrustedIssuer)),
        ("F40, aud", active(json!({ "aud": "https://x.example" })), Err(Kind::WrongAudience)),
        ("F40, no aud", active(json!({ "aud": null })), Err(Kind::MissingClaim)),
        ("F36", active(json!({ "exp": "1" })), Err(Kind::MalformedClaim)),
        ("F38", active(json!({ "scope": 7 })), Err(Kind::MalformedClaim)),
        ("F66", active(json!({ "authorization_details": {} })), Err(Kind::MalformedClaim)),
        ("F66", active(json!({ "authorization_details": [{}] })), Err(Kind::MalformedClaim)),
        ("RAR-01", active(json!({ "authorization_details": [{ "type": "x" }] })), Ok(())),
        ("F66, ACT-03", active(json!({ "act": "x" })), Err(Kind::MalformedClaim)),
        ("sub", active(json!({ "sub": "" })), Err(Kind::MalformedClaim)),
        ("bound", active(json!({ "cnf": { "jkt": "t" } })), Err(Kind::SenderConstrained)),
        (
            "bound by mTLS",
            active(json!({ "cnf": { "x5t#S256": THUMBPRINT } })),
            Err(Kind::SenderConstrained),
        ),
        ("MTLS-03", active(json!({ "cnf": { "x5t#S256": "t" } })), Err(Kind::MalformedClaim)),
        ("DPoP", active(json!({ "token_type": "DPoP" })), Err(Kind::SenderConstrained)),
        ("F58", active(json!({ "cnf": {} })), Err(Kind::MalformedClaim)),
        (
            "refresh token",
            active(json!({ "token_use": "refresh_token" })),
            Err(Kind::WrongTokenType),
        ),
        ("Keycloak's", active(json!({ "typ": "Refresh" })), Err(Kind::WrongTokenType)),
    ] {
        let fake = says(answer).await;
        let server = introspecting(&fake).build().unwrap();
        assert_eq!(kind(&server, OPAQUE).await, expected, "{row}");
    }
}

/// What ties tokens to us does so whoever judges them.
#[tokio::test]
async fn intro_07_claims_that_are_required_of_tokens_are_required_of_answers() {
    use portcullis::{Introspection, Issuer};
    let unmet = Err(RejectionKind::RequiredClaimNotMet);
    for (members, expected) in [
        (json!({ "app_id": "a1" }), Ok(())),
        (json!({ "app_id": "a2" }), unmet),
        (json!({ "app_id": ["a1"] }), unmet),
        (json!({}), unmet),
    ] {
        let fake = says(active(members.clone())).await;
        let asking = Introspection::at(format!("{}{PATH}", fake.origin)).basic("rs", "s");
        let issuer = Issuer::introspected(super::ISSUER, asking).audience("https://rs.example");
        let issuer = issuer.required_claim("app_id", "a1");
        for issuer in [issuer.clone(), issuer.dangerous().skip_audience()] {
            let server = super::builder(issuer).build().unwrap();
            assert_eq!(kind(&server, OPAQUE).await, expected, "{members}");
        }
    }
}

#[tokio::test]
async fn f39_f40_f41_f62_what_a_client_is_told() {
    for (row, answer, expected) in [
        ("good", active(json!({})), Expected::Ok),
        ("F39", json!({ "active": false }), Expected::InvalidToken),
        ("F40", active(json!({ "aud": "x" })), Expected::InvalidToken),
        ("F62", active(json!({ "scope": "write" })), Expected::InsufficientScope),
        ("F41", json!({ "active": "true" }), Expected::Unavailable),
    ] {
        let fake = says(answer).await;
        let server = introspecting(&fake).build().unwrap();
        send(&server, bearer(OPAQUE)).await.is(expected, row);
    }
}

#[tokio::test]
async fn intro_06_f41_everything_else_is_an_outage_and_says_nothing_about_the_token() {
    let good = active(json!({})).to_string();
    let big = active(json!({ "x": "x".repeat(65 * 1024) })).to_string();
    let deep = format!(r#"{{"active":true,"x":{}{}}}"#, "[".repeat(20), "]".repeat(20));
    let replies = [
        ("500", Reply::status(500)),
        ("503", Reply::status(503)),
        ("401, F41", Reply::status(401)),
        ("403", Reply::status(403)),
        ("400", Reply::status(400)),
        ("404", Reply::status(404)),
        ("409 without its field", Reply::status(409)),
        ("204", Reply::status(204)),
        ("201", Reply::new(201, "application/json", good.clone())),
        ("redirect, INTRO-04", Reply::redirect(302, "/introspect")),
        ("no content", Reply::json("")),
        ("HTML", Reply::new(200, "text/html", "<html></html>")),
        ("text", Reply::json(r#"{"active":"true"}"#)),
        ("number", Reply::json(r#"{"active":1}"#)),
        ("null", Reply::json(r#"{"active":null}"#)),
        ("missing", Reply::json(r#"{"sub":"u1"}"#)),
        ("twice", Reply::json(r#"{"active":false,"active":true}"#)),
        ("array", Reply::json(r#"[{"active":true}]"#)),
        ("deep", Reply::json(deep)),
        ("more than one", Reply::json(format!("{good}{good}"))),
        ("compressed", Reply::json(good.clone()).header("content-encoding", "gzip")),
        ("too large", Reply::json(big)),
        ("cut short", Reply::json(good.clone()).cut_short()),
        ("no HTTP", Reply::raw("hello")),
        ("hangs up", Reply::hang_up()),
        ("a JWT", Reply::new(200, "application/token-introspection+jwt", "a.b.c")),
    ];
    for (row, reply) in replies {
        let fake = answering(move |_| reply.clone()).await;
        let server = introspecting(&fake).build().unwrap();
        send(&server, bearer(OPAQUE)).await.is(Expected::Unavailable, row);
    }
    let gone = answering(|_| Reply::hang_up()).await;
    gone.stop().await;
    let server = introspecting(&gone).build().unwrap();
    send(&server, bearer(OPAQUE)).await.is(Expected::Unavailable, "down");
}

#[tokio::test]
async fn f41_a_server_that_hangs_costs_two_seconds_and_nobody_else_anything() {
    let fake = answering(|_| Reply::hang()).await;
    let server = introspecting(&fake).build().unwrap();
    let kind = server.verify(OPAQUE).await.unwrap_err().kind();
    assert_eq!(kind, RejectionKind::IntrospectionUnavailable);
    // For these refusals nobody has to be asked.
    send(&server, get(&[])).await.is(Expected::Invitation, "no token");
    send(&server, get(&[b"Bearer a b"])).await.is(Expected::InvalidRequest, "malformed");
    // Once it is back, it is asked again.
    let good = active(json!({})).to_string();
    fake.answer_with(move |_| Reply::json(good.clone()));
    server.verify("another").await.unwrap();
}

#[tokio::test]
async fn intro_02_a_certificate_that_nobody_vouches_for_is_an_outage() {
    let (tls, authority) = tls::localhost();
    let good = active(json!({})).to_string();
    let fake = ScriptedAs::start_tls(tls, move |_| Reply::json(good.clone())).await;
    let stranger = introspecting(&fake).build().unwrap();
    assert_eq!(kind(&stranger, OPAQUE).await, Err(RejectionKind::IntrospectionUnavailable));
    assert_eq!(fake.count(PATH), 0);
    let trusting = introspecting(&fake).root_certificate(authority).build().unwrap();
    assert_eq!(kind(&trusting, OPAQUE).await, Ok(()));
}

#[tokio::test]
async fn a_conflict_of_mobilefirst_is_passed_on_with_its_field() {
    let fake =
        answering(|_| Reply::status(409).header("mfp-conflict", "application-version")).await;
    let server = introspecting(&fake).build().unwrap();
    let answer = send(&server, bearer(OPAQUE)).await;
    assert_eq!(answer.status(), 409);
    assert_eq!(answer.header("mfp-conflict"), Some("application-version"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.header("retry-after"), None);

    let mut call = bearer(OPAQUE);
    (*call.method_mut(), *call.version_mut()) = (Method::POST, Version::HTTP_2);
    call.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let answer = send(&server, call).await;
    assert_eq!((answer.status(), answer.header("grpc-status")), (200, Some("10")));
    assert_eq!(answer.header("mfp-conflict"), Some("application-version"));

    // From nobody but the authorization server, and with nothing but a 409.
    let fake = says(active(json!({}))).await;
    let server = introspecting(&fake).build().unwrap();
    assert_eq!(send(&server, bearer(OPAQUE)).await.header("mfp-conflict"), None);
}

#[tokio::test]
async fn what_an_answer_says_is_what_handlers_see() {
    let answer =
        active(json!({ "exp": null, "username": "alice", "aud": ["x", "https://rs.example"] }));
    let fake = says(answer).await;
    let server = introspecting(&fake).build().unwrap();
    let token = server.verify(OPAQUE).await.unwrap();
    assert_eq!(token.subject().to_string(), "u1");
    assert_eq!(token.client_id(), Some("c1"));
    assert_eq!(token.scopes().collect::<Vec<_>>(), ["read", "write"]);
    assert_eq!(token.claim::<String>("username").unwrap().as_deref(), Some("alice"));
    assert_eq!(token.expires_at(), None);
    let shown = format!("{token:?}");
    assert!(!shown.contains("alice") && !shown.contains("2Yotn"), "{shown}");
}

#[tokio::test]
async fn intro_08_a_missing_audience_can_be_implied_and_a_wrong_one_cannot() {
    use portcullis::{Introspection, Issuer};
    for (aud, expected) in [
        (Value::Null, Ok(())),
        ("https://rs.example".into(), Ok(())),
        ("https://other.example".into(), Err(RejectionKind::WrongAudience)),
    ] {
        let fake = Arc::new(says(active(json!({ "aud": aud }))).await);
        let asking = Introspection::at(format!("{}{PATH}", fake.origin)).basic("rs", "s");
        let issuer = Issuer::introspected(super::ISSUER, asking.audience_implied());
        let server = super::builder(issuer).build().unwrap();
        assert_eq!(kind(&server, OPAQUE).await, expected, "{aud}");
    }
}

/// The claim that stands for `aud` is not missing because `aud` is.
#[tokio::test]
async fn intro_08_what_is_implied_is_not_said_in_another_claim() {
    use portcullis::{Introspection, Issuer};
    let wrong = Err(RejectionKind::WrongAudience);
    for (members, expected) in [
        (json!({ "aud": null }), Ok(())),
        (json!({ "aud": null, "app_id": "https://rs.example" }), Ok(())),
        (json!({ "aud": null, "app_id": "other" }), wrong),
        (json!({ "aud": "https://rs.example" }), Err(RejectionKind::MissingClaim)),
    ] {
        let fake = Arc::new(says(active(members.clone())).await);
        let asking = Introspection::at(format!("{}{PATH}", fake.origin)).basic("rs", "s");
        let issuer = Issuer::introspected(super::ISSUER, asking.audience_implied());
        let server = super::builder(issuer.audience_claim("app_id")).build().unwrap();
        assert_eq!(kind(&server, OPAQUE).await, expected, "{members}");
    }
}

/// An answer of up to 64 KiB is read.
#[tokio::test]
async fn intro_06_large_answers_within_the_limit_are_read() {
    let answer = active(json!({ "x": "x".repeat(63 * 1024) })).to_string();
    let body = Bytes::from(answer);
    let fake = answering(move |_| Reply::json(body.clone())).await;
    let server = introspecting(&fake).build().unwrap();
    assert_eq!(kind(&server, OPAQUE).await, Ok(()));
}
