//! An HTTP client whose network ends in this process.

use std::fmt;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full, Limited};
use tower_service::Service;
use url::Url;

use super::Authority;
use super::endpoints::{self, MAX_BODY};
use super::state::State;

/// An HTTP client that reaches authorities of this process and nobody else: a tower service for
/// [`ResourceServerBuilder::http_client`](crate::ResourceServerBuilder::http_client), or to ask the
/// token endpoint with.
///
/// A request to any other host fails as if nobody listened there.
#[derive(Clone)]
pub struct InProcessClient {
    authorities: Vec<Arc<State>>,
}

impl InProcessClient {
    pub(super) fn new(state: Arc<State>) -> Self {
        Self { authorities: vec![state] }
    }

    /// Reaches this authority too, for resource servers with several issuers.
    #[must_use]
    pub fn and(mut self, authority: &Authority) -> Self {
        self.authorities.push(Arc::clone(authority.shared_state()));
        self
    }

    /// Several authorities may share one host; then the path decides.
    fn find(&self, address: &str) -> io::Result<Arc<State>> {
        let refused = || {
            let problem = "no authority of this process has this address";
            io::Error::new(io::ErrorKind::ConnectionRefused, problem)
        };
        let url = Url::parse(address).map_err(|_| refused())?;
        let there = || self.authorities.iter().filter(|state| state.addresses().is_origin_of(&url));
        there()
            .find(|state| state.addresses().endpoint(url.path()).is_some())
            .or_else(|| there().next())
            .cloned()
            .ok_or_else(refused)
    }
}

impl<B> Service<Request<B>> for InProcessClient
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.find(&request.uri().to_string()) {
            Ok(state) => Box::pin(async move { Ok(exchange(&state, request).await) }),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }
}

/// Reads the body, up to a limit, and answers.
pub(super) async fn exchange<B>(state: &State, request: Request<B>) -> endpoints::Answer
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    endpoints::answer(state, &head, body.ok().map(|body| body.to_bytes()))
}

impl fmt::Debug for InProcessClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers = self.authorities.iter().map(|state| state.addresses().issuer());
        f.debug_list().entries(issuers).finish()
    }
}
