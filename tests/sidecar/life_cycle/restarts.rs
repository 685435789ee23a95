//! Restarts that no client notices.

use std::error::Error as _;
use std::sync::Arc;

use bytes::Bytes;
use h2::Reason;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis::testing::Authority;
use tokio::net::TcpStream;
use tokio::runtime::{self, Runtime};

use crate::support::{Balancer, KeepAlive, Load, Sidecar, Upstream, authority, bearer};

const RESTARTS: usize = 20;
const CLIENTS: usize = 6;

/// Two sidecars, of which one after the other is ended and followed by a new one.
struct Pair<S> {
    start: S,
    sidecars: Vec<Sidecar>,
    balancer: Arc<Balancer>,
    /// Requests that were let through by those that have ended, by their access lines.
    logged: usize,
}

impl<S: Fn() -> Sidecar> Pair<S> {
    fn new(start: S) -> Self {
        let sidecars = vec![start(), start()];
        let balancer = Arc::new(Balancer::of(&sidecars));
        Self { start, sidecars, balancer, logged: 0 }
    }

    fn restart(&mut self, number: usize) {
        let sidecar = &mut self.sidecars[number];
        // It is not idle when it is told.
        sidecar.wait_for_stdout(" 200 allowed ");
        self.logged += end(sidecar);
        *sidecar = (self.start)();
        self.balancer.replace(number, sidecar);
    }

    /// How many requests were let through, by all that there were.
    fn end(mut self) -> usize {
        self.logged + self.sidecars.iter_mut().map(end).sum::<usize>()
    }
}

fn end(sidecar: &mut Sidecar) -> usize {
    sidecar.signal("TERM");
    assert_eq!(sidecar.wait().code(), Some(0), "{}", sidecar.stderr());
    assert!(sidecar.stderr().contains(" drained"), "{}", sidecar.stderr());
    let lines = sidecar.stdout();
    let allowed = lines.lines().filter(|line| line.contains(" 200 allowed "));
    assert_eq!(allowed.clone().count(), lines.lines().count(), "{lines}");
    allowed.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_under_load_lose_no_request() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let mut pair = Pair::new(|| Sidecar::before(&upstream, &authority).start());
    let token = bearer(&authority.token());
    let request = format!("GET /orders HTTP/1.1\r\nHost: api.example\r\n{token}\r\n");
    let load = Load::start(CLIENTS, |_| {
        let (mut client, request) = (KeepAlive::new(&pair.balancer), request.clone());
        move || {
            let answer = client.send(request.as_bytes());
            assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
        }
    });
    for number in 0..RESTARTS {
        pair.restart(number % 2);
    }
    let answered = load.finish();
    // Each has its line, and none was served twice.
    assert_eq!(pair.end(), answered);
    assert_eq!(upstream.take().len(), answered);
}

/// Whether the server has said that it did not look at the request: its stream was opened after the
/// last one that the GOAWAY names (RFC 9113 §8.7). Those before go on, and have no such error.
fn is_refused(error: &hyper::Error) -> bool {
    let error = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    error.is_some_and(|error| {
        error.is_remote() && error.is_go_away() && error.reason() == Some(Reason::NO_ERROR)
    })
}

/// A client over HTTP/2 that opens a connection where it is told to leave one.
///
/// It has a runtime of one thread: on several, hyper's client can hear of the end between finding
/// its connection ready and sending, and then fails requests that are answered.
struct Http2 {
    runtime: Runtime,
    balancer: Arc<Balancer>,
    connection: Option<SendRequest<Empty<Bytes>>>,
    token: String,
}

impl Http2 {
    fn new(balancer: &Arc<Balancer>, authority: &Authority) -> Self {
        Self {
            runtime: runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            balancer: Arc::clone(balancer),
            connection: None,
            token: format!("Bearer {}", authority.token().mint()),
        }
    }

    fn request(&mut self) {
        let request = Request::get("http://api.example/orders")
            .header("authorization", &self.token)
            .body(Empty::new())
            .unwrap();
        let response = loop {
            let mut connection = self.connection.take().unwrap_or_else(|| self.connect());
            match self.runtime.block_on(connection.try_send_request(request.clone())) {
                Ok(response) => {
                    self.connection = Some(connection);
                    break response;
                }
                // It has not been sent, or nobody looked at it. Anything else would be a loss.
                Err(mut error) => {
                    let was_sent = error.take_message().is_none();
                    let error = error.into_error();
                    assert!(!was_sent || is_refused(&error), "a request was lost: {error:?}");
                }
            }
        };
        assert_eq!(response.status(), StatusCode::OK);
        let body = self.runtime.block_on(response.into_body().collect());
        assert_eq!(body.expect("an answer was cut off").to_bytes(), "hello");
    }

    fn connect(&self) -> SendRequest<Empty<Bytes>> {
        let address = self.balancer.choose();
        self.runtime.block_on(async {
            let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
            let (sender, connection) =
                http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            sender
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_clients_are_told_to_go_elsewhere_and_lose_no_request() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let mut pair = Pair::new(|| Sidecar::before(&upstream, &authority).start());
    let load = Load::start(CLIENTS, |_| {
        let mut client = Http2::new(&pair.balancer, &authority);
        move || client.request()
    });
    for number in 0..6 {
        pair.restart(number % 2);
    }
    assert_eq!(load.finish(), pair.end());
}
