//! The response of a guarded service: the inner one's, a refusal, or the wait for a key and then
//! either.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_LENGTH, ORIGIN};
use http::{HeaderValue, Method, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::ResponseBody;
use super::service::is_for_tonic;
use crate::access_token::AccessToken;
use crate::rejection::{Grpc, Rejection};

/// What scripts of other origins may read of a refusal.
const EXPOSED: &str = "WWW-Authenticate, DPoP-Nonce, Retry-After";
const EXPOSED_TO_GRPC: &str =
    "grpc-status, grpc-message, WWW-Authenticate, DPoP-Nonce, Retry-After";

type Verdict = Pin<Box<dyn Future<Output = Result<AccessToken, Rejection>> + Send>>;

pin_project! {
    /// The response of a [`Guard`](super::Guard). Boxed inside only while a key is fetched.
    #[must_use]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Inner { #[pin] future: S::Future },
        Own { response: Option<Response<Bytes>> },
        Waiting { verdict: Verdict, held: Option<(Request<B>, S)> },
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(crate) fn inner(future: S::Future) -> Self {
        Self { state: State::Inner { future } }
    }

    /// An answer that the inner service has no part in.
    pub(super) fn own(response: Response<Bytes>) -> Self {
        Self { state: State::Own { response: Some(response) } }
    }

    pub(super) fn refused(rejection: Rejection, request: RefusedRequest) -> Self {
        Self { state: State::Own { response: Some(request.answer(&rejection)) } }
    }

    pub(super) fn waiting(verdict: Verdict, request: Request<B>, inner: S) -> Self {
        Self { state: State::Waiting { verdict, held: Some((request, inner)) } }
    }
}

impl<S, B, InnerBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<InnerBody>>,
    B: 'static,
{
    type Output = Result<Response<ResponseBody<InnerBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Inner { future } => {
                    return future
                        .poll(context)
                        .map_ok(|response| response.map(ResponseBody::inner));
                }
                StateProjection::Own { response } => match response.take() {
                    Some(response) => {
                        return Poll::Ready(Ok(response.map(ResponseBody::refusal)));
                    }
                    // Polled after it was ready, which the contract of futures forbids.
                    None => return Poll::Pending,
                },
                StateProjection::Waiting { verdict, held } => {
                    let verdict = ready!(verdict.as_mut().poll(context));
                    let Some((mut request, mut inner)) = held.take() else {
                        return Poll::Pending;
                    };
                    match verdict {
                        Ok(token) => {
                            request.extensions_mut().insert(token);
                            State::Inner { future: inner.call(request) }
                        }
                        Err(rejection) => State::Own {
                            response: Some(RefusedRequest::of(&request).answer(&rejection)),
                        },
                    }
                }
            };
            state.set(next);
        }
    }
}

/// What the answer to a refused request depends on besides the reason.
pub(crate) struct RefusedRequest {
    grpc: Option<Grpc>,
    is_head: bool,
    is_cross_origin: bool,
}

impl RefusedRequest {
    pub(crate) fn of<B: 'static>(request: &Request<B>) -> Self {
        Self {
            grpc: Grpc::of(request, is_for_tonic::<B>()),
            is_head: request.method() == Method::HEAD,
            is_cross_origin: request.headers().contains_key(ORIGIN),
        }
    }

    /// For one who understands statuses alone, whatever the request is: a refused gRPC call has 200.
    #[cfg(feature = "sidecar")]
    pub(crate) fn over_http<B: 'static>(request: &Request<B>) -> Self {
        Self { grpc: None, ..Self::of(request) }
    }

    pub(crate) fn answer(&self, rejection: &Rejection) -> Response<Bytes> {
        tracing::debug!(kind = ?rejection.reason(), status = rejection.status().as_u16(), "request refused");
        let mut response = match &self.grpc {
            Some(grpc) => rejection.to_grpc_response(grpc),
            None => rejection.to_response(),
        };
        if self.is_head {
            // RFC 9110 §9.3.2: the fields that GET would have had, and no content.
            let length = response.body().len();
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
            response.body_mut().clear();
        }
        if self.is_cross_origin {
            // Scripts of other origins could not read the challenge otherwise. Without
            // Access-Control-Allow-Origin, which is for a CORS layer to say, it means nothing.
            let exposed = match &self.grpc {
                Some(_) => EXPOSED_TO_GRPC,
                None => EXPOSED,
            };
            let exposed = HeaderValue::from_static(exposed);
            response.headers_mut().append(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        response
    }
}
