//! The metadata document, answered before anything else.

use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::body::ResponseBody;
use super::future::ResponseFuture;
use crate::resource_server::ResourceServer;

/// Answers requests for the metadata document (RFC 9728) and lets all others pass. Made by
/// [`ResourceServer::metadata_layer`](crate::ResourceServer::metadata_layer).
#[derive(Debug, Clone)]
#[must_use]
pub struct MetadataLayer {
    server: ResourceServer,
}

impl MetadataLayer {
    pub(super) fn new(server: &ResourceServer) -> Self {
        Self { server: server.clone() }
    }
}

impl<S> Layer<S> for MetadataLayer {
    type Service = ServeMetadata<S>;

    fn layer(&self, inner: S) -> ServeMetadata<S> {
        ServeMetadata { inner, server: self.server.clone() }
    }
}

/// The service of a [`MetadataLayer`].
#[derive(Debug, Clone)]
pub struct ServeMetadata<S> {
    inner: S,
    server: ResourceServer,
}

impl<S, RequestBody, InnerBody> Service<Request<RequestBody>> for ServeMetadata<S>
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
        let metadata = self.server.metadata();
        match metadata.and_then(|document| document.answer(request.method(), request.uri())) {
            Some(answer) => ResponseFuture::own(answer),
            None => {
                // The service that was polled ready is the one to call; its clone is not.
                let clone = self.inner.clone();
                ResponseFuture::inner(mem::replace(&mut self.inner, clone).call(request))
            }
        }
    }
}
