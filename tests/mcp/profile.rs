//! What `mcp_server` makes of a resource server.

use axum::body::Body;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use portcullis::testing::Authority;
use portcullis::{Issuer, ResourceServer, ResourceServerBuilder, WildcardMatch, scope};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::server;
use crate::support::challenge;

const RESOURCE: &str = "https://rs.example/mcp";

fn authority() -> Authority {
    Authority::builder().audience(RESOURCE).build().unwrap()
}

fn builder(authority: &Authority) -> ResourceServerBuilder {
    authority.resource_server().mcp_server(RESOURCE)
}

async fn send(api: &ResourceServer, request: Request<Body>) -> Response<Body> {
    server::routes(api).oneshot(request).await.unwrap()
}

fn call(tool: &str, token: Option<&str>) -> Request<Body> {
    let message = json!({ "id": 1, "method": "tools/call", "params": { "name": tool } });
    let mut request = Request::post("/mcp").header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(message.to_string().into()).unwrap()
}

async fn document(api: &ResourceServer, path: &str) -> Value {
    let response = send(api, Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 200, "{path}");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn mcp_01_mcp_02_the_document_is_at_both_places_and_names_the_issuer() {
    let authority = authority();
    let api = builder(&authority).build().unwrap();
    for path in ["", "/mcp"] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let document = document(&api, &path).await;
        assert_eq!(document["resource"], RESOURCE);
        assert_eq!(document["authorization_servers"], json!([authority.issuer_url()]));
    }
    assert!(ResourceServer::builder().mcp_server(RESOURCE).build().is_err(), "no issuer");
    // One that no client could ask is as good as none.
    let pattern = Issuer::matching("https://*.id.example").max_live(1);
    for nameless in [pattern, Issuer::with_jwks("our own", r#"{"keys":[]}"#)] {
        let faults = ResourceServer::builder().issuer(nameless).mcp_server(RESOURCE).build();
        assert!(faults.unwrap_err().to_string().contains("told of at least one, by its URL"));
    }
}

#[tokio::test]
async fn mcp_03_mcp_04_mcp_05_mcp_06_mcp_07_each_request_is_judged_by_its_own_token() {
    let authority = authority();
    let api = builder(&authority).build().unwrap();
    let metadata = "https://rs.example/.well-known/oauth-protected-resource/mcp";
    let good = authority.token().scope("orders.read").mint();
    let other = authority.token().audience("https://other.example").mint();
    let expired = authority.token().expired().mint();
    for (tool, token, status, error, scopes) in [
        ("list_orders", None, 401, None, Some("orders.read")),
        ("list_orders", Some(good.as_str()), 200, None, None),
        // MCP-07
        ("list_orders", None, 401, None, Some("orders.read")),
        ("list_orders", Some(&other), 401, Some("invalid_token"), Some("orders.read")),
        ("list_orders", Some(&expired), 401, Some("invalid_token"), Some("orders.read")),
        ("list_orders", Some("a,b"), 400, Some("invalid_request"), None),
        (
            "delete_order",
            Some(&good),
            403,
            Some("insufficient_scope"),
            Some("orders.read orders.write"),
        ),
    ] {
        let response = send(&api, call(tool, token)).await;
        assert_eq!(response.status(), status, "{tool}");
        if status != 200 {
            let challenge = challenge(response.headers()["www-authenticate"].to_str().unwrap());
            assert_eq!(challenge.parameter("error"), error);
            assert_eq!(challenge.parameter("scope"), scopes);
            assert_eq!(challenge.parameter("resource_metadata"), Some(metadata));
        }
    }
}

#[tokio::test]
async fn mcp_09_offline_access_is_between_client_and_authorization_server() {
    let authority = authority();
    let api = builder(&authority)
        .required(scope("offline_access"))
        .scopes_supported("orders.read offline_access orders.write")
        .build()
        .unwrap();
    let document = document(&api, "/.well-known/oauth-protected-resource").await;
    assert_eq!(document["scopes_supported"], json!(["orders.read", "orders.write"]));
    let response = send(&api, call("list_orders", None)).await;
    let challenge = challenge(response.headers()["www-authenticate"].to_str().unwrap());
    assert_eq!(challenge.parameter("scope"), Some("orders.read"));
}

#[test]
fn mcp_10_the_address_is_used_in_its_canonical_form() {
    let authority = authority();
    let build = |resource: &str| authority.resource_server().mcp_server(resource).build().unwrap();
    let metadata = build("HTTPS://RS.example/mcp/").metadata().unwrap().clone();
    assert!(metadata.json().contains(r#""resource":"https://rs.example/mcp","#));
    assert_eq!(metadata.url(), "https://rs.example/.well-known/oauth-protected-resource/mcp");
    // As another resource it is what was written, or a fault.
    assert!(authority.resource_server().resource("HTTPS://rs.example/mcp").build().is_err());
}

#[tokio::test]
async fn mcp_11_pages_from_elsewhere_are_refused_without_a_challenge() {
    let authority = authority();
    let api = builder(&authority).build().unwrap();
    let token = authority.token().scope("orders.read").mint();
    for (origin, status) in [
        ("https://app.example.com", StatusCode::OK),
        ("https://evil.example", StatusCode::FORBIDDEN),
        ("https://app.example.com.evil.example", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
    ] {
        let mut request = call("list_orders", Some(&token));
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let response = send(&api, request).await;
        assert_eq!(response.status(), status, "{origin}");
        assert!(!response.headers().contains_key("www-authenticate"), "{origin}");
    }
}

#[tokio::test]
async fn mcp_12_patterns_in_tokens_mean_nothing() {
    let authority = authority();
    let issuer = authority.issuer().granted_wildcards(WildcardMatch::Overlap);
    let faults = ResourceServer::builder().issuer(issuer).mcp_server(RESOURCE).build().unwrap_err();
    assert!(faults.to_string().contains("cannot grant patterns"), "{faults}");
    let api = builder(&authority).build().unwrap();
    let token = authority.token().scope("orders.*").mint();
    assert_eq!(send(&api, call("list_orders", Some(&token))).await.status(), 403);
}
