//! Codes and metadata, as a tonic client sees them.

use portcullis::testing::Outage;
use portcullis::tonic::Methods;
use portcullis::{ResourceServer, scope};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::Layer;

use crate::orders::{CREATE, OrdersServer, WatchRequest};
use crate::shop::{Shop, authority, order, routes, serve, shop, with};

fn methods() -> Methods {
    Methods::new()
        .require(CREATE, scope("orders.write"))
        .require("/orders.Orders/*", scope("orders.read"))
}

fn challenge(status: &Status) -> Option<&str> {
    status.metadata().get("www-authenticate").map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn grpc_03_grpc_05_every_refusal_has_its_code_and_its_challenge() {
    let authority = authority();
    let api = authority.resource_server().realm("rs").build().unwrap();
    let served = shop(api.methods(methods()).unwrap()).await;
    let mut client = served.client().await;
    let write = || authority.token().scope("orders.write");

    let made = client.create(with(order(""), &write())).await.unwrap();
    assert_eq!(made.get_ref().item, "alice");

    let none = client.create(Request::new(order(""))).await.unwrap_err();
    assert_eq!(
        (none.code(), none.message()),
        (Code::Unauthenticated, "An access token is required")
    );
    assert_eq!(challenge(&none), Some(r#"Bearer realm="rs", scope="orders.write""#));

    let expired = client.create(with(order(""), &write().expired())).await.unwrap_err();
    assert_eq!(expired.code(), Code::Unauthenticated);
    assert!(challenge(&expired).unwrap().contains(r#"error="invalid_token""#), "{expired:?}");

    // Of another method, and enough for that one.
    let read = authority.token().scope("orders.read");
    let short = client.create(with(order(""), &read)).await.unwrap_err();
    assert_eq!(short.code(), Code::PermissionDenied);
    let told = challenge(&short).unwrap();
    assert!(
        told.contains(r#"error="insufficient_scope""#) && told.contains(r#"scope="orders.write""#)
    );
    assert!(client.watch(with(WatchRequest {}, &read)).await.is_ok());

    let streamed = client.watch(Request::new(WatchRequest {})).await.unwrap_err();
    assert_eq!(streamed.code(), Code::Unauthenticated);
    assert_eq!(challenge(&streamed), Some(r#"Bearer realm="rs", scope="orders.read""#));
}

#[tokio::test]
async fn grpc_03_without_keys_calls_are_unavailable_and_there_is_no_challenge() {
    let authority = authority();
    authority.set_outage(Outage::Everything);
    let api = authority.resource_server().build().unwrap();
    let served = shop(api.methods(methods()).unwrap()).await;
    let mut client = served.client().await;
    let token = authority.token().scope("orders.write");
    let status = client.create(with(order(""), &token)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(challenge(&status), None);
    let seconds = status.metadata().get("retry-after").unwrap().to_str().unwrap();
    assert!((1..=60).contains(&seconds.parse::<u64>().unwrap()));
}

/// The token counts in `authorization` alone, and binary metadata is another key.
#[tokio::test]
async fn grpc_07_binary_metadata_is_no_token() {
    let authority = authority();
    let api = authority.resource_server().build().unwrap();
    let served = shop(api.methods(methods()).unwrap()).await;
    let mut request = Request::new(order(""));
    let bearer = format!("Bearer {}", authority.token().scope("orders.write").mint());
    let value = tonic::metadata::MetadataValue::from_bytes(bearer.as_bytes());
    request.metadata_mut().insert_bin("authorization-bin", value);
    let status = served.client().await.create(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(!challenge(&status).unwrap().contains("error"));
}

/// No proof of DPoP is ever accepted, be it for this method or for another: what is bound to a key and
/// what comes in the scheme of such tokens is refused.
#[tokio::test]
async fn grpc_08_a_proof_opens_no_method() {
    let authority = authority();
    let api = authority.resource_server().build().unwrap();
    let served = shop(api.methods(methods()).unwrap()).await;
    let token = authority.token().scope("orders.write");
    let bound = token.clone().claim("cnf", serde_json::json!({ "jkt": "thumbprint" }));
    for (scheme, token, is_refused_token) in
        [("DPoP", &token, false), ("DPoP", &bound, false), ("Bearer", &bound, true)]
    {
        let mut request = Request::new(order(""));
        let value = format!("{scheme} {}", token.mint()).parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        request.metadata_mut().insert("dpop", "eyJ0eXAiOiJkcG9wK2p3dCJ9.e30.c2ln".parse().unwrap());
        let status = served.client().await.create(request).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{scheme}");
        let told = challenge(&status).unwrap();
        assert_eq!(told.contains(r#"error="invalid_token""#), is_refused_token, "{told}");
    }
}

async fn health(api: &ResourceServer, methods: Methods) -> Result<(), Code> {
    let (reporter, service) = tonic_health::server::health_reporter();
    reporter.set_serving::<OrdersServer<Shop>>().await;
    let served = serve(api.methods(methods).unwrap(), routes().add_service(service)).await;
    let mut client = HealthClient::new(served.channel().await);
    let asked = client.check(HealthCheckRequest { service: "orders.Orders".to_owned() }).await;
    asked.map(drop).map_err(|status| status.code())
}

#[tokio::test]
async fn grpc_10_health_checks_need_a_token_until_they_are_public() {
    let api = authority().resource_server().build().unwrap();
    assert_eq!(health(&api, methods()).await, Err(Code::Unauthenticated));
    for public in ["/grpc.health.v1.Health/*", "/grpc.health.v1.Health/Check"] {
        assert_eq!(health(&api, methods().public(public)).await, Ok(()));
    }
    let public = "/grpc.health.v1.Health/Watch";
    assert_eq!(health(&api, methods().public(public)).await, Err(Code::Unauthenticated));
}

/// Not even whether there is such a service.
#[tokio::test]
async fn grpc_10_what_does_not_exist_needs_a_token_too() {
    let authority = authority();
    let api = authority.resource_server().build().unwrap();
    let served = serve(api.methods(methods()).unwrap(), routes()).await;
    let mut client = HealthClient::new(served.channel().await);
    let check = || HealthCheckRequest { service: String::new() };
    let status = client.check(check()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let status = client.check(with(check(), &authority.token())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

/// The layers that everybody knows, on a server and on one service of it.
#[tokio::test]
async fn the_plain_layers_answer_grpc_callers_too() {
    let authority = authority();
    let api = authority.resource_server().build().unwrap();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let guarded = api.require(scope("orders.write")).layer(OrdersServer::new(Shop));
    let one = tower::layer::util::Identity::new();
    let one = serve(one, tonic::service::Routes::new(guarded).add_service(health)).await;
    let by_method = api.methods(methods()).unwrap().layer(OrdersServer::new(Shop));
    let by_method =
        serve(tower::layer::util::Identity::new(), tonic::service::Routes::new(by_method)).await;
    let all = serve(api.require(scope("orders.write")), routes()).await;
    for served in [&one, &by_method, &all] {
        let mut client = served.client().await;
        let none = client.create(Request::new(order(""))).await.unwrap_err();
        assert_eq!(none.code(), Code::Unauthenticated);
        let short = client.create(with(order(""), &authority.token())).await.unwrap_err();
        assert_eq!(short.code(), Code::PermissionDenied);
        let good = with(order(""), &authority.token().scope("orders.write"));
        assert!(client.create(good).await.is_ok());
    }
    let mut client = HealthClient::new(one.channel().await);
    let checked = client.check(HealthCheckRequest { service: String::new() }).await;
    assert!(checked.is_ok(), "the other service has no layer");
}
