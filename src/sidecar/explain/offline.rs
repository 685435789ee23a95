//! A network that is not there.

use std::future::{Ready, ready};
use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use tower_service::Service;

/// In place of the HTTP client: whatever is asked for, no socket is opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoNetwork;

impl<B> Service<Request<B>> for NoNetwork {
    type Response = Response<Empty<Bytes>>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Err(io::Error::new(io::ErrorKind::NetworkUnreachable, "offline")))
    }
}
