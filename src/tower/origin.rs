//! Requests of scripts from elsewhere, refused before anything else.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, ORIGIN};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::body::ResponseBody;
use super::future::ResponseFuture;

/// Refuses requests of browsers that come from pages of other origins: 403, and no challenge, for no
/// token would help. Servers of the Model Context Protocol have to do that, since a page that somebody
/// is lured to could otherwise speak to a server on the same machine (DNS rebinding).
///
/// Requests without `Origin` pass; they are not a browser's, or no script has sent them elsewhere.
///
/// ```
/// use portcullis::tower::OriginLayer;
///
/// let layer = OriginLayer::new(["https://app.example.com", "http://localhost:6274"]);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct OriginLayer {
    allowed: Arc<[Box<str>]>,
}

impl OriginLayer {
    /// Origins that pass, as browsers write them: scheme, host and port, in lower case and without a
    /// slash at the end (RFC 6454 §6.1).
    pub fn new(allowed: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { allowed: allowed.into_iter().map(|origin| origin.into().into()).collect() }
    }
}

impl<S> Layer<S> for OriginLayer {
    type Service = CheckOrigin<S>;

    fn layer(&self, inner: S) -> CheckOrigin<S> {
        CheckOrigin { inner, allowed: Arc::clone(&self.allowed) }
    }
}

/// The service of an [`OriginLayer`].
#[derive(Debug, Clone)]
pub struct CheckOrigin<S> {
    inner: S,
    allowed: Arc<[Box<str>]>,
}

impl<S> CheckOrigin<S> {
    fn allows(&self, headers: &HeaderMap) -> bool {
        let is_allowed = |origin: &HeaderValue| {
            self.allowed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
        };
        headers.get_all(ORIGIN).iter().all(is_allowed)
    }
}

impl<S, RequestBody, InnerBody> Service<Request<RequestBody>> for CheckOrigin<S>
where
    S: Service<Request<RequestBody>, Response = Response<InnerBody>> + Clone,
    RequestBody: 'static,
    InnerBody: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<InnerBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, RequestBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        if !self.allows(request.headers()) {
            return ResponseFuture::own(forbidden());
        }
        // The service that was polled ready is the one to call; its clone is not.
        let clone = self.inner.clone();
        ResponseFuture::inner(mem::replace(&mut self.inner, clone).call(request))
    }
}

fn forbidden() -> Response<Bytes> {
    const PROBLEM: &[u8] =
        br#"{"title":"Forbidden","status":403,"detail":"Requests from this origin are not served"}"#;
    let mut response = Response::new(Bytes::from_static(PROBLEM));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
