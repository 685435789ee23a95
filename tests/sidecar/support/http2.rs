//! A client that speaks HTTP/2 as it should be spoken.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Body;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// One connection, with prior knowledge; its clones share it.
#[derive(Clone)]
pub(crate) struct Http2(http2::SendRequest<BoxBody<Bytes, Infallible>>);

impl Http2 {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        // Some tests break connections.
        tokio::spawn(connection);
        Self(sender)
    }

    /// The answer with its body, and its trailers.
    pub(crate) async fn send<B>(&mut self, request: Request<B>) -> (Response<Bytes>, HeaderMap)
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static,
    {
        self.0.ready().await.unwrap();
        let answer = self.0.send_request(request.map(BodyExt::boxed)).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        (Response::from_parts(parts, body.to_bytes()), trailers)
    }

    /// A GET with header lines as HTTP/1.1 writes them.
    pub(crate) async fn get(&mut self, path: &str, lines: &str) -> Response<Bytes> {
        let request = request("GET", path, lines).body(Empty::new()).unwrap();
        self.send(request).await.0
    }
}

/// A request with header lines as HTTP/1.1 writes them.
pub(crate) fn request(method: &str, path: &str, lines: &str) -> http::request::Builder {
    let request = Request::builder().method(method).uri(format!("http://api.example{path}"));
    lines.split_terminator("\r\n").fold(request, |request, line| {
        let (name, value) = line.split_once(':').unwrap();
        request.header(name, value.trim())
    })
}
