//! Extractors in axum handlers.
#![cfg(feature = "axum")]

mod support;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::{Method, Request};
use http_body_util::BodyExt;
use portcullis::axum::{Claims, ExtractionRejection};
use portcullis::{AccessToken, Rejection, RejectionKind, ResourceServer, scope};
use serde::Deserialize;
use serde_json::json;
use support::fixture::Fixture;
use tower::ServiceExt;

#[derive(Deserialize)]
struct Tenant {
    tenant: String,
}

fn app(api: &ResourceServer) -> Router {
    async fn subject(token: AccessToken) -> String {
        token.subject().to_string()
    }
    async fn tenant(claims: Claims<Tenant>) -> String {
        claims.0.tenant
    }
    async fn maybe(token: Option<AccessToken>, claims: Option<Claims<Tenant>>) -> String {
        let tenant = claims.map(|claims| claims.0.tenant);
        format!("{:?} {tenant:?}", token.map(|token| token.subject().to_string()))
    }
    async fn own_rule(token: AccessToken) -> Result<&'static str, Rejection> {
        Err(token.reject(RejectionKind::Forbidden))
    }
    async fn told(token: Result<AccessToken, ExtractionRejection>) -> Response {
        match token {
            Ok(_) => "token".into_response(),
            Err(rejection) => format!("{rejection}").into_response(),
        }
    }
    Router::new()
        .route("/subject", get(subject).route_layer(api.require(scope("read"))))
        .route("/tenant", get(tenant).route_layer(api.authenticate()))
        .route("/maybe", any(maybe).layer(api.authenticate().optional()))
        .route("/must", any(subject).layer(api.authenticate().optional()))
        .route("/preflight", any(maybe).layer(api.authenticate()))
        .route("/own-rule", get(own_rule).route_layer(api.authenticate()))
        .route("/bare", get(subject))
        .route("/bare-maybe", get(maybe))
        .route("/bare-told", get(told))
}

struct Answer {
    status: u16,
    challenge: Option<String>,
    body: String,
}

async fn call(app: Router, request: Request<Body>) -> Answer {
    let response = app.oneshot(request).await.unwrap();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answer { status, challenge, body: String::from_utf8(body.to_vec()).unwrap() }
}

fn request(path: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn extractors_get_the_token_and_its_claims() {
    let fixture = Fixture::new();
    let app = app(&fixture.builder().build().unwrap());
    let token = fixture.at(json!({ "tenant": "acme" }));
    for (path, body) in [
        ("/subject", "u1"),
        ("/tenant", "acme"),
        ("/maybe", "Some(\"u1\") Some(\"acme\")"),
        ("/must", "u1"),
    ] {
        let answer = call(app.clone(), request(path, Some(&token))).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path}");
    }
}

#[tokio::test]
async fn option_is_none_for_the_absent_alone() {
    let fixture = Fixture::new();
    let app = app(&fixture.builder().build().unwrap());
    let anonymous = call(app.clone(), request("/maybe", None)).await;
    assert_eq!((anonymous.status, anonymous.body.as_str()), (200, "None None"));
    let bad = call(app.clone(), request("/maybe", Some("bad"))).await;
    assert_eq!(bad.status, 401);
    // Claims of another shape are not absent.
    let other = call(app.clone(), request("/maybe", Some(&fixture.good()))).await;
    assert_eq!(other.status, 403);
    // Nor is a layer that is missing.
    assert_eq!(call(app, request("/bare-maybe", None)).await.status, 500);
}

#[tokio::test]
async fn an_anonymous_request_gets_the_challenge_from_a_handler_that_needs_a_token() {
    let fixture = Fixture::new();
    let app = app(&fixture.builder().build().unwrap());
    let answer = call(app.clone(), request("/must", None)).await;
    assert_eq!(answer.status, 401);
    let challenge = support::challenge(&answer.challenge.unwrap());
    assert_eq!(challenge.parameter("realm"), Some("rs"));
    assert_eq!(challenge.parameter("error"), None);

    let mut preflight = request("/preflight", None);
    *preflight.method_mut() = Method::OPTIONS;
    for (name, value) in
        [("origin", "https://spa.example"), ("access-control-request-method", "GET")]
    {
        preflight.headers_mut().insert(name, value.parse().unwrap());
    }
    let answer = call(app, preflight).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "None None"));
}

#[tokio::test]
async fn claims_of_another_shape_are_403_with_a_challenge_and_without_error() {
    let fixture = Fixture::new();
    let app = app(&fixture.builder().build().unwrap());
    for path in ["/tenant", "/own-rule"] {
        let answer = call(app.clone(), request(path, Some(&fixture.good()))).await;
        assert_eq!(answer.status, 403, "{path}");
        let challenge = support::challenge(&answer.challenge.unwrap());
        assert_eq!(challenge.parameter("realm"), Some("rs"));
        assert_eq!(challenge.parameter("error"), None);
    }
}

#[tokio::test]
async fn a_missing_layer_is_said_in_words_and_never_lets_anybody_in() {
    let fixture = Fixture::new();
    let app = app(&fixture.builder().build().unwrap());
    for path in ["/bare", "/bare-maybe"] {
        for token in [None, Some(fixture.good())] {
            let answer = call(app.clone(), request(path, token.as_deref())).await;
            assert_eq!(answer.status, 500, "{path}");
            assert!(answer.body.contains("route_layer(api.authenticate())"), "{}", answer.body);
        }
    }
    let told = call(app, request("/bare-told", None)).await;
    assert!(told.body.contains("no portcullis layer"), "{}", told.body);
}
