//! The service behind the sidecar: connections to it, and requests over them.
//!
//! There is one upstream, and each worker thread has connections of its own, so the pool is a stack.
//! What may have reached the upstream once does not go there again, but for one case: a request
//! that does nothing (RFC 9110 §9.2.1) and has no body, after which a connection that was kept has
//! ended without a byte.

mod connect;
mod driver;
mod failure;
mod http1;
mod http2;
mod idle;
mod lease;
mod places;
mod reach;
mod sender;
mod stream;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::{Body, Incoming};

pub(super) use failure::Failure;
pub(super) use lease::Lease;
pub(super) use places::Places;

use super::settings::{Protocol, UpstreamAddress};

/// Time for a connection to be made. A service beside us answers in microseconds; one that takes
/// seconds does not answer at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// One worker's connections to the upstream.
pub(super) struct Upstream<B>(Kind<B>);

enum Kind<B> {
    Http1(Arc<http1::Pool<B>>),
    Http2(Arc<http2::Shared<B>>),
}

/// Whatever a body fails with.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The head of an answer, and what keeps its connection until the body is read.
pub(super) type Answered<B> = (Response<Incoming>, Lease<B>);

/// A request that needs more than a connection that is there. Boxed, as the others would carry
/// room for it about.
type Anew<B> = Pin<Box<dyn Future<Output = Result<Answered<B>, Failure>> + Send>>;

/// A request on its way; the answer's head, or why there is none.
#[must_use]
pub(super) struct Sending<B>(State<B>);

enum State<B> {
    Sent(http1::Sent<B>),
    Anew(Anew<B>),
}

impl<B> Upstream<B>
where
    B: Body + Default + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(address: &UpstreamAddress, places: Arc<Places>) -> Self {
        let target = connect::Target::new(address, places);
        Self(match address.protocol {
            Protocol::Http1 => Kind::Http1(http1::Pool::new(target)),
            Protocol::H2c => Kind::Http2(Arc::new(http2::Shared::new(target))),
        })
    }

    /// Whether requests are framed as HTTP/2.
    pub(super) fn speaks_http2(&self) -> bool {
        matches!(self.0, Kind::Http2(_))
    }

    /// Sends a request now.
    pub(super) fn send(&self, request: Request<B>, now: Instant) -> Sending<B> {
        Sending(match &self.0 {
            Kind::Http1(pool) => pool.send(request, now),
            Kind::Http2(shared) => State::Anew(Box::pin(Arc::clone(shared).send(request))),
        })
    }
}

impl<B> Future for Sending<B>
where
    B: Body + Default + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Output = Result<Answered<B>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.0 {
                State::Sent(sent) => match ready!(sent.poll_answer(context)) {
                    http1::Next::Answered(answered) => return Poll::Ready(answered),
                    http1::Next::Anew(anew) => self.0 = State::Anew(anew),
                },
                State::Anew(anew) => return anew.as_mut().poll(context),
            }
        }
    }
}
