//! A refusal body of your own: here a page for browsers instead of the problem document.
//!
//!     cargo run --example custom_refusal --features testing
//!
//! Status, `WWW-Authenticate`, `Retry-After` and `Cache-Control` are set after your function, so it
//! cannot lose them.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use portcullis::testing::Authority;
use portcullis::{Rejection, RejectionKind, scope};
use tower::{Layer, ServiceExt, service_fn};

fn page(rejection: &Rejection) -> Response<Bytes> {
    let advice = match rejection.kind() {
        RejectionKind::MissingCredentials => "Please sign in.",
        RejectionKind::Expired => "Please sign in again.",
        RejectionKind::InsufficientScope => "Ask your administrator for more rights.",
        RejectionKind::KeysUnavailable => "Please try again in a moment.",
        _ => rejection.description(),
    };
    let mut response = Response::new(Bytes::from(format!("<!doctype html><p>{advice}</p>\n")));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authority = Authority::new();
    let api = authority.resource_server().refusal_body(page).build()?;
    let inner = service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("welcome\n")))
    });
    let service = api.require(scope("orders.read")).layer(inner);

    for token in [
        None,
        Some(authority.token().expired().mint()),
        Some(authority.token().scope("other").mint()),
        Some(authority.token().scope("orders.read").mint()),
    ] {
        let mut request = Request::get("/");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = service.clone().oneshot(request.body(Full::default())?).await?;
        println!("{} {:?}", response.status(), response.headers());
        let body = response.into_body().collect().await?.to_bytes();
        println!("{}", String::from_utf8_lossy(&body));
    }
    Ok(())
}
