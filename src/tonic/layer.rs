//! The layer that judges calls by their methods.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::methods::MethodTable;
use crate::access_token::AccessToken;
use crate::rejection_kind::RejectionKind;
use crate::tower::{Anonymous, ResponseBody, ResponseFuture, guarded};

/// Lets calls pass that bring what their method needs. Made by
/// [`ResourceServer::methods`](crate::ResourceServer::methods).
#[derive(Clone)]
#[must_use]
pub struct MethodsLayer(Arc<MethodTable>);

impl MethodsLayer {
    pub(super) fn new(table: MethodTable) -> Self {
        Self(Arc::new(table))
    }

    #[cfg(test)]
    pub(super) fn into_table(self) -> Arc<MethodTable> {
        self.0
    }
}

impl<S> Layer<S> for MethodsLayer {
    type Service = MethodGuard<S>;

    fn layer(&self, inner: S) -> MethodGuard<S> {
        MethodGuard { inner, table: Arc::clone(&self.0) }
    }
}

impl fmt::Debug for MethodsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodsLayer").finish_non_exhaustive()
    }
}

/// A gRPC service that only authorized calls reach.
#[derive(Clone)]
pub struct MethodGuard<S> {
    inner: S,
    table: Arc<MethodTable>,
}

impl<S, RequestBody, InnerBody> Service<Request<RequestBody>> for MethodGuard<S>
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

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        // The service that was polled ready is the one to call; its clone is not.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        match self.table.gate(request.uri().path()) {
            Some(gate) => guarded(gate, inner, request),
            None => {
                self.mark_public(&mut request);
                ResponseFuture::inner(inner.call(request))
            }
        }
    }
}

impl<S> MethodGuard<S> {
    /// So that a public method that asks for a token all the same refuses as it should.
    fn mark_public<B>(&self, request: &mut Request<B>) {
        let extensions = request.extensions_mut();
        if extensions.get::<AccessToken>().is_none() && extensions.get::<Anonymous>().is_none() {
            let rejection = self.table.otherwise().reject(RejectionKind::MissingCredentials);
            extensions.insert(Anonymous(rejection));
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for MethodGuard<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodGuard").field("inner", &self.inner).finish_non_exhaustive()
    }
}
