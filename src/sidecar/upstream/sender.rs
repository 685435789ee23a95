//! The end of a connection of HTTP/1.1 that takes requests.

use std::future::Future;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::SendRequest;

use super::stream::Unanswered;

/// Hyper's own, whose connection knows when somebody waits for an answer to begin.
pub(super) struct Sender<B> {
    inner: SendRequest<B>,
    unanswered: Unanswered,
}

impl<B: Body + 'static> Sender<B> {
    pub(super) fn new(inner: SendRequest<B>, unanswered: Unanswered) -> Self {
        Self { inner, unanswered }
    }

    /// The answer, or perhaps the request again where nothing of it was sent.
    pub(super) fn try_send(
        &mut self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<B>>>> + use<B> {
        self.unanswered.begin();
        self.inner.try_send_request(request)
    }
}

impl<B> Sender<B> {
    /// To be called with the head of an answer.
    pub(super) fn answered(&self) {
        self.unanswered.end();
    }

    pub(super) fn is_ready(&self) -> bool {
        self.inner.is_ready()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
}
