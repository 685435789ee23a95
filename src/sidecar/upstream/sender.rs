//! The end of a connection of HTTP/1.1 that takes requests.

use std::future::Future;

use http::{Method, Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::SendRequest;

use super::Failure;
use super::driver::Bell;
use super::stream::Unanswered;
use crate::sidecar::known_fields::{FieldKind, kind};

/// Answers after which an upstream is known to keep connections.
const KNOWN_AFTER: usize = 2;

/// Hyper's own, and what a request is sent again from. Boxed for the life of the connection, as it goes
/// from hand to hand with each request.
pub(super) struct Sender<B>(Box<Parts<B>>);

struct Parts<B> {
    inner: SendRequest<B>,
    unanswered: Unanswered,
    bell: Bell,
    /// Of a request that does nothing (RFC 9110 §9.2.1) and has no body, sent over a connection that
    /// may have ended. Copying each of them would cost more than it saves.
    spare: Option<Box<Request<B>>>,
}

/// A request that was not answered, for another connection.
pub(super) enum Again<B> {
    /// Nothing of it was sent.
    Unsent(Request<B>),
    /// The connection ended without a byte of an answer.
    Unheard(Request<B>),
}

impl<B: Body + Default + 'static> Sender<B> {
    pub(super) fn new(inner: SendRequest<B>, unanswered: Unanswered, bell: Bell) -> Self {
        Self(Box::new(Parts { inner, unanswered, bell, spare: None }))
    }

    /// Sends over a connection that was there already, for how short a time whatever.
    pub(super) fn try_send_again(
        &mut self,
        request: Request<B>,
        has_rested: bool,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<B>>>> + use<B> {
        if has_rested || self.0.unanswered.answers() < KNOWN_AFTER {
            self.0.spare = spare(&request);
        }
        self.try_send(request)
    }

    /// The answer, or perhaps the request again.
    pub(super) fn try_send(
        &mut self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<B>>>> + use<B> {
        self.0.unanswered.begin();
        self.0.inner.try_send_request(request)
    }

    /// What becomes of a request after this.
    pub(super) fn lost(self, mut error: TrySendError<Request<B>>) -> Result<Again<B>, Failure> {
        match (error.take_message(), self.0.spare) {
            (Some(unsent), _) => Ok(Again::Unsent(unsent)),
            (None, Some(spare)) if self.0.unanswered.is_silence() => Ok(Again::Unheard(*spare)),
            (None, _) => Err(error.into_error().into()),
        }
    }
}

impl<B> Sender<B> {
    /// To be called with the head of an answer.
    pub(super) fn answered(&mut self) {
        self.0.unanswered.end();
        self.0.spare = None;
    }

    /// What wakes the connection.
    pub(super) fn bell(&self) -> &Bell {
        &self.0.bell
    }

    pub(super) fn is_ready(&self) -> bool {
        self.0.inner.is_ready()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.inner.is_closed()
    }
}

fn spare<B: Body + Default>(request: &Request<B>) -> Option<Box<Request<B>>> {
    let does_nothing = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // Some services take a field's word for the method.
    let is_another =
        || request.headers().keys().any(|name| kind(name) == FieldKind::MethodOverride);
    if !does_nothing || !request.body().is_end_stream() || is_another() {
        return None;
    }
    let mut spare = Request::new(B::default());
    spare.method_mut().clone_from(request.method());
    spare.uri_mut().clone_from(request.uri());
    spare.headers_mut().clone_from(request.headers());
    *spare.version_mut() = request.version();
    Some(Box::new(spare))
}
