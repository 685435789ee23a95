//! Protected resource metadata (RFC 9728, SPEC §14): the document, where it is, and who points to it.

mod support;

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use portcullis::{Issuer, ResourceServer, ResourceServerBuilder, scope};
use serde_json::{Value, json};
use support::fixture::{Fixture, METADATA, RESOURCE};
use tower::{Layer, ServiceExt, service_fn};

/// What protects nothing but `GET /r`, and serves the document before it.
async fn send(api: &ResourceServer, method: Method, target: &str) -> Response<Bytes> {
    let inner = service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("inner")))
    });
    let service = api.metadata_layer().layer(api.require(scope("read")).layer(inner));
    let request = Request::builder().method(method).uri(target).body(Full::default()).unwrap();
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

fn api(configure: impl FnOnce(ResourceServerBuilder) -> ResourceServerBuilder) -> ResourceServer {
    configure(Fixture::new().builder()).build().unwrap()
}

fn target(url: &str) -> &str {
    &url[url.match_indices('/').nth(2).unwrap().0..]
}

fn text<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn prm_01_prm_03_prm_10_each_document_is_where_challenges_say_and_names_its_resource() {
    for (resource, url) in [
        (RESOURCE, METADATA.to_owned()),
        ("https://rs.example/", METADATA.to_owned()),
        ("https://rs.example/mcp", format!("{METADATA}/mcp")),
        ("https://rs.example/mcp/", format!("{METADATA}/mcp/")),
        ("https://rs.example/a?x=1", format!("{METADATA}/a?x=1")),
    ] {
        let api = api(|builder| builder.resource(resource));
        let answer = send(&api, Method::GET, target(&url)).await;
        assert_eq!(answer.status(), 200, "{resource}");
        let document: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(document["resource"], resource);
        let refused = send(&api, Method::GET, "/r").await;
        let challenge = support::challenge(text(&refused, "www-authenticate"));
        assert_eq!(challenge.parameter("resource_metadata"), Some(&*url));
        assert_eq!(api.metadata().unwrap().url(), url);
    }
}

#[tokio::test]
async fn prm_01_nothing_else_is_the_document() {
    let api = api(|builder| builder.resource("https://rs.example/a?x=1"));
    for other in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/a",
        "/.well-known/oauth-protected-resource/a?x=2",
        "/.well-known/oauth-protected-resource/a?x=1&y=2",
        "/.well-known/oauth-protected-resource/a/?x=1",
        "/.well-known/oauth-protected-resource/A?x=1",
        "/.well-known/oauth-protected-resource/b/../a?x=1",
        "//.well-known/oauth-protected-resource/a?x=1",
        "/.well-known/oauth%2Dprotected-resource/a?x=1",
        "/x/.well-known/oauth-protected-resource/a?x=1",
    ] {
        assert_eq!(send(&api, Method::GET, other).await.status(), 401, "{other}");
    }
}

#[test]
fn prm_05_issuers_that_no_client_could_ask_are_left_out() {
    let document = |issuers: Vec<Issuer>| {
        let builder = ResourceServer::builder().resource(RESOURCE);
        let api = issuers.into_iter().fold(builder, ResourceServerBuilder::issuer).build().unwrap();
        serde_json::from_str::<Value>(api.metadata().unwrap().json()).unwrap()
    };
    let pattern = || Issuer::matching("https://*.id.example").max_live(1);
    let nameless = Issuer::with_jwks("our own", support::keys::Key::new("k1").jwks());
    let listed = Issuer::discover("https://as.example");
    let both = document(vec![pattern(), nameless.clone(), listed]);
    assert_eq!(both["authorization_servers"], json!(["https://as.example"]));
    for none in [vec![pattern()], vec![nameless]] {
        assert_eq!(document(none).get("authorization_servers"), None);
    }
}

#[tokio::test]
async fn prm_02_prm_12_everybody_may_read_it_and_keep_it_for_an_hour() {
    let api = api(|builder| builder);
    let path = target(METADATA);
    let answer = send(&api, Method::GET, path).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(text(&answer, "content-type"), "application/json");
    assert_eq!(text(&answer, "cache-control"), "public, max-age=3600");
    assert_eq!(text(&answer, "access-control-allow-origin"), "*");
    let head = send(&api, Method::HEAD, path).await;
    assert_eq!((head.status(), head.body().len()), (answer.status(), 0));
    assert_eq!(text(&head, "content-length"), answer.body().len().to_string());
    let mut fields = answer.headers().clone();
    assert!(fields.remove("x").is_none() && *head.headers() == fields);
    // Browsers ask before they send a field of the Model Context Protocol.
    let preflight = send(&api, Method::OPTIONS, path).await;
    assert_eq!(preflight.status(), 204);
    assert_eq!(text(&preflight, "access-control-allow-origin"), "*");
    assert_eq!(text(&preflight, "access-control-allow-headers"), "*");
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let refused = send(&api, method, path).await;
        assert_eq!(refused.status(), 405);
        assert_eq!(text(&refused, "allow"), "GET, HEAD, OPTIONS");
    }
    let with_query = send(&api, Method::GET, &format!("{path}?v=1")).await;
    assert_eq!(with_query.status(), 200);
}

#[test]
fn prm_05_prm_06_prm_07_prm_08_prm_09_what_is_not_configured_is_left_out() {
    let fixture = Fixture::new();
    let least = fixture.builder().build().unwrap();
    let issuer = support::fixture::ISSUER;
    assert_eq!(
        serde_json::from_str::<Value>(least.metadata().unwrap().json()).unwrap(),
        json!({
            "resource": RESOURCE,
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],
        })
    );
    let all = fixture
        .builder()
        .issuer(Issuer::discover("https://another.example/"))
        .scopes_supported("read  write")
        .resource_name("Orders \"é\"")
        .resource_documentation("https://docs.example/orders")
        .build()
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(all.metadata().unwrap().json()).unwrap(),
        json!({
            "resource": RESOURCE,
            "authorization_servers": [issuer, "https://another.example/"],
            "scopes_supported": ["read", "write"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Orders \"é\"",
            "resource_documentation": "https://docs.example/orders",
        })
    );
}

#[tokio::test]
async fn without_a_resource_there_is_no_document() {
    let fixture = Fixture::new();
    let issuer = fixture.issuer().audience(RESOURCE);
    let api = ResourceServer::builder().issuer(issuer).build().unwrap();
    assert!(api.metadata().is_none());
    let refused = send(&api, Method::GET, target(METADATA)).await;
    assert_eq!(refused.status(), 401);
    let challenge = support::challenge(text(&refused, "www-authenticate"));
    assert_eq!(challenge.parameter("resource_metadata"), None);
}

#[test]
fn prm_04_faults_are_told_at_once() {
    let faults = Fixture::new()
        .builder()
        .resource("http://rs.example")
        .scopes_supported("read b\"d é")
        .resource_documentation("docs")
        .build()
        .unwrap_err();
    let settings: Vec<_> = faults.faults().iter().map(|fault| fault.setting()).collect();
    let scopes = "scopes_supported";
    for setting in ["resource", scopes, scopes, "resource_documentation"] {
        assert!(settings.contains(&setting), "{faults}");
    }
    let issuer = Fixture::new().issuer().audience(RESOURCE);
    let without = ResourceServer::builder().issuer(issuer).scopes_supported("read").build();
    assert!(without.unwrap_err().to_string().contains("needs a resource"));
}

/// Tokens are for one resource, and so are documents.
#[cfg(feature = "axum")]
#[tokio::test]
async fn prm_11_each_route_points_at_the_document_of_its_own_resource() {
    use axum::body::Body;
    use axum::routing::get;
    use portcullis::axum::metadata_router;

    let fixture = Fixture::new();
    let server = |resource: &str| fixture.builder().resource(resource).build().unwrap();
    let (orders, mcp) = (server("https://rs.example/orders"), server("https://rs.example/mcp"));
    let app = axum::Router::new()
        .route("/orders", get("orders").route_layer(orders.authenticate()))
        .route("/mcp", get("mcp").route_layer(mcp.authenticate()))
        .merge(metadata_router(&orders))
        .merge(metadata_router(&mcp));
    for path in ["/orders", "/mcp"] {
        let ask = |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let app = app.clone();
            async move { app.oneshot(request).await.unwrap() }
        };
        let refused = ask(path).await;
        let field = refused.headers()["www-authenticate"].to_str().unwrap();
        let challenge = support::challenge(field);
        let url = challenge.parameter("resource_metadata").unwrap();
        assert_eq!(url, format!("{METADATA}{path}"));
        let body = ask(target(url)).await.into_body().collect().await.unwrap().to_bytes();
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["resource"], format!("https://rs.example{path}"));
        assert_eq!(ask(&format!("{path}/.well-known")).await.status(), 404);
    }
    assert_eq!(
        app.oneshot(Request::post(target(METADATA)).body(Body::empty()).unwrap())
            .await
            .unwrap()
            .status(),
        404
    );
}
