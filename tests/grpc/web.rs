//! grpc-web, as browsers speak it, with and without the layer of tonic-web, on either side.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use portcullis::scope;
use portcullis::testing::Authority;
use portcullis::tonic::{Methods, MethodsLayer};
use tonic_web::GrpcWebLayer;

use crate::orders::CREATE;
use crate::shop::{Served, authority, routes, serve};

/// An empty message in a frame.
const MESSAGE: &[u8] = &[0, 0, 0, 0, 0];
const MESSAGE_AS_TEXT: &[u8] = b"AAAAAAA=";

fn layer(authority: &Authority) -> MethodsLayer {
    let api = authority.resource_server().realm("rs").build().unwrap();
    api.methods(Methods::new().require(CREATE, scope("orders.write"))).unwrap()
}

async fn post(served: &Served, content_type: &str, token: Option<String>) -> Response<Bytes> {
    let message = if content_type.contains("text") { MESSAGE_AS_TEXT } else { MESSAGE };
    let mut request = Request::post(format!("http://{}{CREATE}", served.address))
        .header("content-type", content_type)
        .header("accept", content_type)
        .header("origin", "https://spa.example");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = client.request(request.body(Full::from(message)).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

fn field<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).unwrap_or_else(|| panic!("{name}: {response:?}")).to_str().unwrap()
}

#[tokio::test]
async fn grpc_09_refusals_stand_in_the_header_block_and_the_content_type_is_the_clients() {
    let authority = authority();
    let outside = tower::ServiceBuilder::new().layer(layer(&authority)).layer(GrpcWebLayer::new());
    let outside = serve(outside, routes()).await;
    let inside = tower::ServiceBuilder::new().layer(GrpcWebLayer::new()).layer(layer(&authority));
    let inside = serve(inside, routes()).await;
    let short = authority.token().mint();
    for content_type in
        ["application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text"]
    {
        for (code, token) in [("16", None), ("7", Some(short.clone()))] {
            for (where_it_stands, served) in [("outside", &outside), ("inside", &inside)] {
                let response = post(served, content_type, token.clone()).await;
                let case = format!("{content_type} {code} {where_it_stands}");
                assert_eq!(response.status(), StatusCode::OK, "{case}");
                assert_eq!(field(&response, "grpc-status"), code, "{case}");
                assert!(field(&response, "www-authenticate").starts_with("Bearer"), "{case}");
                let exposed = field(&response, "access-control-expose-headers");
                assert!(exposed.contains("grpc-status"), "{case}: {exposed}");
                let answered = field(&response, "content-type");
                if where_it_stands == "outside" {
                    assert_eq!(answered, content_type);
                    assert!(response.body().is_empty(), "{case}");
                } else {
                    // tonic-web names the kind of message too.
                    assert!(answered.starts_with(content_type), "{case}: {answered}");
                }
            }
        }
        for served in [&outside, &inside] {
            let good = authority.token().scope("orders.write").mint();
            let response = post(served, content_type, Some(good)).await;
            assert!(!response.body().is_empty(), "{content_type}: {response:?}");
            assert_eq!(response.headers().get("www-authenticate"), None);
        }
    }
}
