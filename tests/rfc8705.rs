//! Access tokens that are bound to a client certificate (RFC 8705 §3, SPEC §16).

mod support;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis::{ClientCertificate, Issuer, RejectionKind, ResourceServer, tenant};
use serde_json::{Value, json};
use support::fixture::{Expected, Fixture, ISSUER, bearer, send, send_through};
use support::keys::thumbprint;
use support::scripted_as::{Reply, ScriptedAs};

const OWN: &str = "own";

fn certificate(der: &str) -> ClientCertificate {
    ClientCertificate::from_der(der)
}

/// `ATm` with changed claims.
fn bound(fixture: &Fixture, mut claims: Value) -> String {
    claims["cnf"] = json!({ "x5t#S256": thumbprint(OWN) });
    fixture.at(claims)
}

/// A request over a connection whose client has shown this.
fn over_tls(token: &str, der: &str) -> Request<Full<Bytes>> {
    let mut request = bearer(token);
    request.extensions_mut().insert(certificate(der));
    request
}

async fn kind(server: &ResourceServer, token: &str, der: &str) -> Result<(), RejectionKind> {
    let verified = server.verify_with_certificate(token, &certificate(der)).await;
    verified.map(drop).map_err(|rejection| rejection.kind())
}

/// Each of these is sent three times, so that the token is remembered from others as well.
#[tokio::test]
async fn mtls_01_mtls_02_f56_a_bound_token_is_good_with_its_certificate_alone() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let (token, plain) = (bound(&fixture, json!({})), fixture.good());
    for round in 0..2 {
        for (row, request, expected) in [
            ("its own", over_tls(&token, OWN), Expected::Ok),
            ("another", over_tls(&token, "other"), Expected::InvalidToken),
            ("none", bearer(&token), Expected::InvalidToken),
            ("its own, once more", over_tls(&token, OWN), Expected::Ok),
            ("unbound, with one", over_tls(&plain, OWN), Expected::Ok),
            ("unbound, without", bearer(&plain), Expected::Ok),
        ] {
            let answer = send(&server, request).await;
            assert!(!format!("{answer:?}").contains(&thumbprint(OWN)[..8]), "{answer:?}");
            answer.is(expected, &format!("{row} ({round})"));
        }
        assert_eq!(kind(&server, &token, OWN).await, Ok(()));
        let refused = Err(RejectionKind::SenderConstrained);
        assert_eq!(kind(&server, &token, "other").await, refused);
        assert_eq!(kind(&server, &plain, OWN).await, Ok(()));
        let without = server.verify(&token).await.map(drop).map_err(|rejection| rejection.kind());
        assert_eq!(without, refused);
    }
}

/// No field of a request stands in for a certificate (MTLS-06 is not there, so it is off).
#[tokio::test]
async fn mtls_06_a_certificate_in_a_field_is_not_looked_at() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let token = bound(&fixture, json!({}));
    // "own" in base64.
    for (name, value) in [
        ("client-cert", ":b3du:"),
        ("x-forwarded-client-cert", "Cert=\"b3du\""),
        ("x-ssl-client-cert", "b3du"),
    ] {
        let mut request = bearer(&token);
        request.headers_mut().insert(name, value.parse().unwrap());
        send(&server, request).await.is(Expected::InvalidToken, name);
    }
}

#[tokio::test]
async fn mtls_04_with_a_key_as_well_the_certificate_is_not_enough() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let both = fixture.at(json!({ "cnf": { "jkt": "x", "x5t#S256": thumbprint(OWN) } }));
    assert_eq!(kind(&server, &both, OWN).await, Err(RejectionKind::SenderConstrained));
    let more = fixture.at(json!({ "cnf": { "jwk": {}, "x5t#S256": thumbprint(OWN) } }));
    assert_eq!(kind(&server, &more, OWN).await, Ok(()));
    assert_eq!(kind(&server, &more, "other").await, Err(RejectionKind::SenderConstrained));
    let unknown = fixture.at(json!({ "cnf": { "jwk": {} } }));
    assert_eq!(kind(&server, &unknown, OWN).await, Err(RejectionKind::MalformedClaim));
}

#[tokio::test]
async fn pipe_01_the_binding_is_judged_after_the_claims_and_before_tenant_and_scope() {
    let fixture = Fixture::new();
    let issuer = fixture.issuer().required_claim("tnt_id", "acme");
    let server = fixture.builder_with(issuer).build().unwrap();
    use RejectionKind::*;
    let wrong_tenant = json!({ "tnt_id": "other", "scope": "x" });
    for _ in 0..2 {
        for (row, claims, der, expected) in [
            ("8 before 9", json!({ "aud": "x" }), "other", WrongAudience),
            ("9 before 11", wrong_tenant.clone(), "other", SenderConstrained),
            ("11", wrong_tenant.clone(), OWN, RequiredClaimNotMet),
        ] {
            let token = bound(&fixture, claims);
            assert_eq!(kind(&server, &token, der).await, Err(expected), "{row}");
        }
    }
    // The same token, remembered.
    let token = bound(&fixture, wrong_tenant);
    for (der, expected) in
        [(OWN, RequiredClaimNotMet), ("other", SenderConstrained), (OWN, RequiredClaimNotMet)]
    {
        assert_eq!(kind(&server, &token, der).await, Err(expected));
    }
    // 9 before 12, which no requirement of a route changes.
    let weak = bound(&fixture, json!({ "tnt_id": "acme", "scope": "x" }));
    send(&server, over_tls(&weak, "other")).await.is(Expected::InvalidToken, "9 before 12");
    send(&server, over_tls(&weak, OWN)).await.is(Expected::InsufficientScope, "12");
}

/// What such a route needs is completed for each request, here while there are no keys yet.
#[tokio::test]
async fn pipe_01_the_binding_is_judged_before_the_tenant_of_the_path() {
    let fixture = Fixture::new();
    let needed = tenant("tnt_id").in_path("/tenants/{tenant}");
    for (path, der, description) in [
        ("/tenants/acme", OWN, None),
        ("/tenants/other", OWN, Some("The access token is not meant for this use")),
        ("/tenants/other", "other", Some("The access token is bound to a key that was not proven")),
    ] {
        let jwks = fixture.key.jwks();
        let keys = ScriptedAs::start(move |_| Reply::json(jwks.clone())).await;
        let issuer = Issuer::with_jwks_uri(ISSUER, format!("{}/jwks", keys.origin));
        let server = fixture.builder_with(issuer).build().unwrap();
        let token = bound(&fixture, json!({ "tnt_id": "acme" }));
        let mut request = over_tls(&token, der);
        *request.uri_mut() = path.parse().unwrap();
        let answer = send_through(&server, needed.clone(), request).await;
        assert_eq!(answer.status(), if description.is_none() { 200 } else { 401 }, "{path} {der}");
        if description.is_some() {
            let challenge = answer.challenge();
            assert_eq!(challenge.parameter("error_description"), description, "{path} {der}");
        }
    }
}

/// The certificate stays with a request that waits for keys.
#[tokio::test]
async fn mtls_01_the_first_request_is_judged_like_the_others() {
    let fixture = Fixture::new();
    for (der, status) in [(Some(OWN), 200), (Some("other"), 401), (None, 401)] {
        let jwks = fixture.key.jwks();
        let keys = ScriptedAs::start(move |_| Reply::json(jwks.clone())).await;
        let issuer = Issuer::with_jwks_uri(ISSUER, format!("{}/jwks", keys.origin));
        let server = fixture.builder_with(issuer).build().unwrap();
        let token = bound(&fixture, json!({}));
        let request = match der {
            Some(der) => over_tls(&token, der),
            None => bearer(&token),
        };
        assert_eq!(send(&server, request).await.status(), status, "{der:?}");
    }
}
