//! The service in front of a route.

#[cfg(feature = "tonic")]
use std::any::TypeId;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, ORIGIN};
use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::ResponseBody;
use super::future::{RefusedRequest, ResponseFuture};
use crate::access_token::AccessToken;
use crate::resource_server::{Decision, Gate, Preflight};

/// A service that only authorized requests reach.
#[derive(Clone)]
pub struct Guard<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S> Guard<S> {
    pub(super) fn new(inner: S, gate: Arc<Gate>) -> Self {
        Self { inner, gate }
    }
}

impl<S, RequestBody, InnerBody> Service<Request<RequestBody>> for Guard<S>
where
    S: Service<Request<RequestBody>, Response = Response<InnerBody>> + Clone,
    RequestBody: Body + 'static,
    InnerBody: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<InnerBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, RequestBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        // The service that was polled ready is the one to call; its clone is not.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        if self.gate.server().preflight() == Preflight::Pass && asks_for_nothing(&request) {
            mark_anonymous(&self.gate, &mut request);
            return ResponseFuture::inner(inner.call(request));
        }
        guarded(&self.gate, inner, request)
    }
}

/// Calls a readied service, if this gate lets the request pass.
pub(crate) fn guarded<S, B>(
    gate: &Arc<Gate>,
    mut inner: S,
    mut request: Request<B>,
) -> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
    B: 'static,
{
    match gate.decide(request.headers(), request.uri(), request.extensions()) {
        Decision::Admit(token) => {
            request.extensions_mut().insert(token);
            ResponseFuture::inner(inner.call(request))
        }
        Decision::AdmitKnown => ResponseFuture::inner(inner.call(request)),
        Decision::AdmitAnonymous => {
            mark_anonymous(gate, &mut request);
            ResponseFuture::inner(inner.call(request))
        }
        Decision::Refuse(rejection) => {
            ResponseFuture::refused(rejection, RefusedRequest::of(&request))
        }
        Decision::Wait(pending) => {
            let gate = Arc::clone(gate);
            let verdict = Box::pin(async move { gate.judge_after(pending).await });
            ResponseFuture::waiting(verdict, request, inner)
        }
    }
}

/// A token that another resource server has verified says nothing here.
fn mark_anonymous<B>(gate: &Gate, request: &mut Request<B>) {
    request.extensions_mut().remove::<AccessToken>();
    #[cfg(any(feature = "axum", feature = "tonic"))]
    {
        let rejection = gate.reject(crate::rejection_kind::RejectionKind::MissingCredentials);
        request.extensions_mut().insert(super::Anonymous(rejection));
    }
    #[cfg(not(any(feature = "axum", feature = "tonic")))]
    let _ = gate;
}

/// The Fetch standard's CORS preflight request; a plain `OPTIONS` is a request like any other.
pub(crate) fn is_preflight<B>(request: &Request<B>) -> bool {
    let has = |name| request.headers().get(name).is_some_and(|value| !value.is_empty());
    request.method() == Method::OPTIONS && has(ORIGIN) && has(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whether it is a preflight as browsers send it, with nothing in it, for a service that tells methods
/// apart. gRPC servers do not: to them, `OPTIONS` is a call like any other.
fn asks_for_nothing<B: Body + 'static>(request: &Request<B>) -> bool {
    is_preflight(request)
        && request.body().is_end_stream()
        && !request.headers().contains_key(CONTENT_TYPE)
        && !is_for_tonic::<B>()
}

/// Whether nobody but a gRPC server can get such a request.
#[cfg(feature = "tonic")]
pub(super) fn is_for_tonic<B: 'static>() -> bool {
    TypeId::of::<B>() == TypeId::of::<tonic::body::Body>()
}

#[cfg(not(feature = "tonic"))]
#[expect(clippy::extra_unused_type_parameters, reason = "there is one with the feature")]
pub(super) fn is_for_tonic<B>() -> bool {
    false
}

impl<S: fmt::Debug> fmt::Debug for Guard<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("inner", &self.inner)
            .field("server", self.gate.server())
            .finish_non_exhaustive()
    }
}
