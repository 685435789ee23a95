//! Tokens of machines and of people at the API, in both of Auth0's profiles.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use portcullis::Issuer;
use reqwest::Response;
use serde_json::{Value, json};

use super::api;
use super::auth0::Auth0;
use super::stage::{AUDIENCE, Api, RFC9068, Stage};
use crate::support;
use crate::support::oidc_provider::client;

async fn ask(api: &Api, method: Method, path: &str, token: &str) -> Response {
    let address = format!("http://{}{path}", api.address);
    client().request(method, address).bearer_auth(token).send().await.unwrap()
}

/// The header of a JWT, or the claims.
fn decoded(token: &str, part: usize) -> Value {
    let text = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

#[track_caller]
fn refused(answer: &Response, status: u16, error: Option<&str>, scope: Option<&str>) {
    assert_eq!(answer.status(), status);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    let challenge = support::challenge(challenge);
    assert_eq!((challenge.parameter("error"), challenge.parameter("scope")), (error, scope));
}

async fn guarded_by(issuer: Issuer) -> Api {
    Api::guarded_by(&support::server::builder().issuer(issuer).build().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_are_told_from_people_by_gty_and_by_their_subject() {
    let Some(auth0) = Auth0::start("http://localhost").await else { return };
    for (audience, gty) in [(AUDIENCE, Some("client-credentials")), (RFC9068, None)] {
        let api = guarded_by(api::issuer(auth0.issuer(), audience)).await;
        let token = auth0.machine_token(audience).await;
        assert_eq!(decoded(&token, 1).get("gty"), gty.map(|gty| json!(gty)).as_ref());
        let answer = ask(&api, Method::POST, "/orders/import", &token).await;
        assert_eq!(answer.status(), 200, "{audience}");
        assert_eq!(answer.text().await.unwrap(), "imported by worker@clients");
        assert_eq!(ask(&api, Method::GET, "/orders", &token).await.status(), 200);
        // More scope would not make a person of it.
        refused(&ask(&api, Method::GET, "/me", &token).await, 403, None, None);
        let answer = ask(&api, Method::POST, "/orders", &token).await;
        refused(&answer, 403, Some("insufficient_scope"), Some("create:orders"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_refused_where_only_machines_may() {
    people_stay_people(AUDIENCE, "JWT", "azp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_refused_where_only_machines_may_in_the_profile_by_rfc_9068() {
    people_stay_people(RFC9068, "at+jwt", "client_id").await;
}

async fn people_stay_people(audience: &str, typ: &str, client: &str) {
    let Some(mut stage) = Stage::of(audience).await else { return };
    // With the permission that machines have.
    stage.sign_in("auth0|carol").await;
    let session = stage.session().await;
    let me = stage.get("/api/me", &session).send().await.unwrap();
    assert_eq!(me.text().await.unwrap(), "you are auth0|carol");
    let answer = stage.post("/api/orders/import", &session).send().await.unwrap();
    refused(&answer, 403, None, None);

    // What the BFF keeps, at the API itself: of the three tokens, one is for it.
    let tokens = stage.auth0.issued().await.tokens;
    let [access, refresh, id] = &tokens[..] else { panic!("{}", tokens.len()) };
    let [header, claims] = [0, 1].map(|part| decoded(access, part));
    assert_eq!((&header["typ"], &claims[client]), (&json!(typ), &json!("bff")));
    assert_eq!(claims.get("gty"), None);
    assert_eq!(ask(&stage.api, Method::GET, "/me", access).await.status(), 200);
    for other in [refresh, id] {
        let answer = ask(&stage.api, Method::GET, "/me", other).await;
        refused(&answer, 401, Some("invalid_token"), None);
    }
    stage.browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jwt_09_jwt_10_the_issuer_keeps_its_slash_and_the_audience_is_the_identifier() {
    let Some(auth0) = Auth0::start("http://localhost").await else { return };
    let token = auth0.machine_token(AUDIENCE).await;
    let without_slash = auth0.issuer().strip_suffix('/').expect("Auth0's issuers end in a slash");
    let jwks = format!("{without_slash}/.well-known/jwks.json");
    for (issuer, audience, status) in [
        (auth0.issuer(), AUDIENCE, 200),
        (without_slash, AUDIENCE, 401),
        (auth0.issuer(), RFC9068, 401),
        (auth0.issuer(), "https://api.example.com/", 401),
    ] {
        let keys = Issuer::with_jwks_uri(issuer, &jwks).audience(audience);
        let api = guarded_by(keys.scope_claims(["permissions"])).await;
        let answer = ask(&api, Method::GET, "/orders", &token).await;
        assert_eq!(answer.status(), status, "{issuer} {audience}");
    }
}
