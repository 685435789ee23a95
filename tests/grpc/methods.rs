//! What methods know about their callers.

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use portcullis::tonic::{Methods, RequestExt};
use portcullis::{AccessToken, scope};
use tonic::service::Routes;
use tonic::{Code, Request};
use tower::Layer;
use tower::layer::util::Identity;

use crate::orders::{CREATE, OrdersServer};
use crate::shop::{Shop, authority, order, routes, serve, shop, with};

#[tokio::test]
async fn claims_have_the_type_that_the_method_wants_or_the_call_is_denied() {
    let authority = authority();
    let api = authority.resource_server().build().unwrap();
    let served = shop(api.methods(Methods::new()).unwrap()).await;
    let mut client = served.client().await;
    let tenant = authority.token().claim("tenant", "acme");
    assert_eq!(client.create(with(order("claims"), &tenant)).await.unwrap().get_ref().item, "acme");
    for other in [authority.token(), authority.token().claim("tenant", 7)] {
        let status = client.create(with(order("claims"), &other)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
        let challenge = status.metadata().get("www-authenticate").unwrap();
        assert!(!challenge.to_str().unwrap().contains("error"));
    }
}

#[tokio::test]
async fn a_check_inside_a_method_answers_as_the_layer_would() {
    let authority = authority();
    let api = authority.resource_server().realm("rs").build().unwrap();
    let served = shop(api.methods(Methods::new()).unwrap()).await;
    let status = served.client().await.create(with(order("forbidden"), &authority.token())).await;
    let status = status.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(status.metadata().get("www-authenticate").unwrap(), r#"Bearer realm="rs""#);
}

#[tokio::test]
async fn public_and_optional_calls_have_no_token_and_say_so() {
    let authority = authority();
    let api = authority.resource_server().build().unwrap();
    let public = shop(api.methods(Methods::new().public(CREATE)).unwrap()).await;
    let optional = serve(api.authenticate().optional(), routes()).await;
    for served in [&public, &optional] {
        let mut client = served.client().await;
        let nobody = client.create(Request::new(order("optional"))).await.unwrap();
        assert_eq!(nobody.get_ref().item, "nobody");
        let status = client.create(Request::new(order(""))).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(status.metadata().contains_key("www-authenticate"));
    }
    let mut client = optional.client().await;
    let known = client.create(with(order("optional"), &authority.token())).await.unwrap();
    assert_eq!(known.get_ref().item, "alice");
    let bad = client.create(with(order("optional"), &authority.token().expired())).await;
    assert_eq!(bad.unwrap_err().code(), Code::Unauthenticated);
    // On a public method, no token is looked at.
    let mut client = public.client().await;
    let any = client.create(with(order("optional"), &authority.token().expired())).await.unwrap();
    assert_eq!(any.get_ref().item, "nobody");
}

#[tokio::test]
async fn a_layer_that_is_missing_lets_nobody_in() {
    let authority = authority();
    let served = serve(tower::layer::util::Identity::new(), routes()).await;
    let mut client = served.client().await;
    for item in ["", "optional", "claims", "forbidden"] {
        let status = client.create(with(order(item), &authority.token())).await.unwrap_err();
        assert_eq!(status.code(), Code::Internal, "{item}");
        assert!(status.message().contains("api.authenticate()"));
    }
}

/// An outer layer's verdict is taken over, as with the other layers.
#[tokio::test]
async fn layers_stack() {
    let authority = authority();
    let api = authority.resource_server().build().unwrap();
    let methods = Methods::new().require(CREATE, scope("orders.write"));
    let layers =
        tower::ServiceBuilder::new().layer(api.authenticate()).layer(api.methods(methods).unwrap());
    let served = serve(layers, routes()).await;
    let mut client = served.client().await;
    let good = authority.token().scope("orders.write");
    assert!(client.create(with(order(""), &good)).await.is_ok());
    let short = client.create(with(order(""), &authority.token())).await.unwrap_err();
    assert_eq!(short.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_request_that_somebody_gave_a_token_has_it() {
    let token: AccessToken = authority().token().subject("bob").verified().await.unwrap();
    let mut request = Request::new(());
    assert_eq!(request.access_token().unwrap_err().code(), Code::Internal);
    request.extensions_mut().insert(token);
    assert_eq!(request.access_token().unwrap().subject().id(), Some("bob"));
}

/// tonic does not look at the method: to its services, `OPTIONS` is a call.
#[tokio::test]
async fn a_preflight_is_no_way_to_a_method() {
    let authority = authority();
    let api = authority.resource_server().build().unwrap();
    let guarded = api.require(scope("orders.write")).layer(OrdersServer::new(Shop));
    let methods = Methods::new().require(CREATE, scope("orders.write"));
    for served in [
        serve(api.authenticate(), routes()).await,
        shop(api.methods(methods).unwrap()).await,
        serve(Identity::new(), Routes::new(guarded)).await,
    ] {
        for content_type in ["application/grpc", "text/plain", ""] {
            for message in [&b"\0\0\0\0\x0a\x12\x08optional"[..], b""] {
                let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
                let mut request =
                    http::Request::options(format!("http://{}{CREATE}", served.address))
                        .header("origin", "https://app.example")
                        .header("access-control-request-method", "POST");
                if !content_type.is_empty() {
                    request = request.header("content-type", content_type);
                }
                let request = request.body(Full::new(Bytes::from_static(message))).unwrap();
                let answer = client.request(request).await.unwrap();
                assert_eq!(answer.status(), 401, "{content_type} {message:?}");
            }
        }
    }
}
