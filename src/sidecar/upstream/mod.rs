//! The service behind the sidecar: connections to it, and requests over them.
//!
//! There is one upstream, and each worker thread has connections of its own, so the pool is a stack.

mod connect;
mod failure;
mod http1;
mod http2;
mod lease;

use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};

pub(super) use failure::Failure;
pub(super) use lease::Lease;

use super::settings::{Protocol, UpstreamAddress};

/// Time for a connection to be made. A service beside us answers in microseconds; one that takes
/// seconds does not answer at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// One worker's connections to the upstream.
pub(super) struct Upstream<B>(Kind<B>);

enum Kind<B> {
    Http1(http1::Pool<B>),
    Http2(http2::Shared<B>),
}

/// What is under way to the upstream.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<B> Upstream<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(address: &UpstreamAddress) -> Self {
        let target = connect::Target::new(address);
        Self(match address.protocol {
            Protocol::Http1 => Kind::Http1(http1::Pool::new(target)),
            Protocol::H2c => Kind::Http2(http2::Shared::new(target)),
        })
    }

    /// Whether requests are framed as HTTP/2.
    pub(super) fn speaks_http2(&self) -> bool {
        matches!(self.0, Kind::Http2(_))
    }

    /// Sends a request; the answer's head, and what keeps the connection until its body is read.
    ///
    /// # Errors
    /// Why there is no answer. Nothing is sent twice.
    pub(super) async fn send(
        &self,
        request: Request<B>,
    ) -> Result<(Response<Incoming>, Lease<B>), Failure> {
        match &self.0 {
            Kind::Http1(pool) => pool.send(request).await,
            Kind::Http2(shared) => shared.send(request).await,
        }
    }
}
