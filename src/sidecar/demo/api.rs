//! The API that is protected: one route, and whoever may use it is greeted by name.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tower_layer::Layer;
use tower_service::Service;

use super::guide;
use crate::access_token::AccessToken;
use crate::authorization::scope;
use crate::resource_server::ResourceServer;
use crate::tower::Guard;

#[derive(Clone)]
pub(super) struct DemoApi {
    orders: Guard<Orders>,
}

impl DemoApi {
    pub(super) fn new(server: &ResourceServer) -> Self {
        Self { orders: server.require(scope(guide::SCOPE)).layer(Orders) }
    }

    pub(super) async fn answer(
        mut self,
        request: Request<Incoming>,
    ) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
        // Outside of the gate, so that what does not exist is 404 for everybody.
        if request.uri().path() != guide::PATH {
            return plain(StatusCode::NOT_FOUND, format!("Nothing here; try {}\n", guide::PATH))
                .map(BodyExt::boxed_unsync);
        }
        let Ok(()) = poll_fn(|context| self.orders.poll_ready(context)).await;
        let Ok(response) = self.orders.call(request).await;
        response.map(BodyExt::boxed_unsync)
    }
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// What is behind the gate.
#[derive(Clone)]
struct Orders;

impl Service<Request<Incoming>> for Orders {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let token = request.extensions().get::<AccessToken>();
        let client = token.and_then(AccessToken::client_id).unwrap_or("anybody");
        let text = format!("Orders for the client {client}: portcullis, 1 piece\n");
        ready(Ok(plain(StatusCode::OK, text)))
    }
}
