//! A service that notes what reaches it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Recorded {
    /// The value of a field that is there once.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }
}

type Answer = dyn Fn(&Recorded) -> Response<BoxBody<Bytes, Infallible>> + Send + Sync;

/// Over HTTP/1.1 and HTTP/2 with prior knowledge.
pub(crate) struct Upstream {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Recorded>>>,
    serving: AbortHandle,
}

impl Upstream {
    /// Answers `hello` to everything.
    pub(crate) async fn start() -> Self {
        Self::answering(|_| Response::new(Full::<Bytes>::from("hello"))).await
    }

    pub(crate) async fn answering<B>(
        answer: impl Fn(&Recorded) -> Response<B> + Send + Sync + 'static,
    ) -> Self
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static,
    {
        let answer = move |request: &Recorded| answer(request).map(BodyExt::boxed);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let serving = tokio::spawn(serve(listener, Arc::clone(&requests), Arc::new(answer)));
        Self { address, requests, serving: serving.abort_handle() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has come since the last time.
    pub(crate) fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// The one request that has come since the last time.
    pub(crate) fn take_one(&self) -> Recorded {
        let mut requests = self.take();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, requests: Arc<Mutex<Vec<Recorded>>>, answer: Arc<Answer>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
        connections.spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                async move {
                    let recorded = record(request).await?;
                    requests.lock().unwrap().push(recorded.clone());
                    Ok::<_, hyper::Error>(answer(&recorded))
                }
            });
            // Some tests break connections.
            let builder = auto::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn record(request: Request<Incoming>) -> Result<Recorded, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?;
    Ok(Recorded {
        method: parts.method,
        uri: parts.uri,
        version: parts.version,
        headers: parts.headers,
        trailers: body.trailers().cloned(),
        body: body.to_bytes(),
    })
}
