//! An authorization server that answers as a test tells it to, on a real socket.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What to answer to a path; `None` never answers.
pub type Script = dyn Fn(&str) -> Option<Response<Bytes>> + Send + Sync;

/// Dropping it closes the listener and every connection.
pub struct FakeAs {
    pub origin: String,
    log: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl FakeAs {
    pub async fn start(
        script: impl Fn(&str, &str) -> Option<Response<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        Self::listen("http", None, script).await
    }

    /// Speaks TLS with a certificate for `localhost`.
    pub async fn start_tls(
        tls: TlsAcceptor,
        script: impl Fn(&str, &str) -> Option<Response<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        Self::listen("https", Some(tls), script).await
    }

    /// `script` gets the origin and the path.
    async fn listen(
        scheme: &str,
        tls: Option<TlsAcceptor>,
        script: impl Fn(&str, &str) -> Option<Response<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = if tls.is_some() { "localhost" } else { "127.0.0.1" };
        let origin = format!("{scheme}://{host}:{port}");
        let log = Arc::new(Mutex::new(Vec::new()));
        let answers: Arc<Script> = {
            let (origin, log) = (origin.clone(), Arc::clone(&log));
            Arc::new(move |path: &str| {
                log.lock().unwrap().push(path.to_owned());
                script(&origin, path)
            })
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.spawn(serve_either(socket, tls.clone(), Arc::clone(&answers)));
            }
        });
        Self { origin, log, _tasks: tasks }
    }

    /// The paths that were asked for, in order.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

async fn serve_either(socket: TcpStream, tls: Option<TlsAcceptor>, script: Arc<Script>) {
    match tls {
        None => serve(socket, script).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(socket).await {
                serve(stream, script).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, script: Arc<Script>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = script(request.uri().path());
        async move {
            match answer {
                Some(response) => Ok::<_, Infallible>(response.map(Full::new)),
                None => std::future::pending().await,
            }
        }
    });
    // A client that goes away is no fault here.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An answer with a body of the given type.
pub fn answer(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

/// The metadata document of `issuer` (RFC 8414 §2).
pub fn metadata(issuer: &str, jwks_uri: &str) -> Response<Bytes> {
    let document = serde_json::json!({ "issuer": issuer, "jwks_uri": jwks_uri, "x": [1] });
    answer(200, "application/json", document.to_string())
}
