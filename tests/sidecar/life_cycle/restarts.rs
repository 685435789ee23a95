//! Restarts that no client notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

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

/// A client over HTTP/2 that opens a connection where it is told to leave one.
struct Http2 {
    balancer: Arc<Balancer>,
    connection: Option<SendRequest<Empty<bytes::Bytes>>>,
    token: String,
}

impl Http2 {
    async fn request(&mut self) {
        let mut request = Request::get("http://api.example/orders")
            .header("authorization", &self.token)
            .body(Empty::new())
            .unwrap();
        let response = loop {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => self.connect().await,
            };
            match connection.try_send_request(request).await {
                Ok(response) => {
                    self.connection = Some(connection);
                    break response;
                }
                // Nothing of it has been sent. Anything else would be a loss.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => panic!("a request was lost: {}", error.into_error()),
                },
            }
        };
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body().collect().await.expect("an answer was cut off");
        assert_eq!(body.to_bytes(), "hello");
    }

    async fn connect(&self) -> SendRequest<Empty<bytes::Bytes>> {
        let balancer = Arc::clone(&self.balancer);
        let address = tokio::task::spawn_blocking(move || balancer.choose()).await.unwrap();
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        sender
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_clients_are_told_to_go_elsewhere_and_lose_no_request() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let mut pair = Pair::new(|| Sidecar::before(&upstream, &authority).start());
    let is_over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let mut client = Http2 {
            balancer: Arc::clone(&pair.balancer),
            connection: None,
            token: format!("Bearer {}", authority.token().mint()),
        };
        let (is_over, answered) = (Arc::clone(&is_over), Arc::clone(&answered));
        clients.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                client.request().await;
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for number in 0..6 {
        pair.restart(number % 2);
    }
    is_over.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    assert_eq!(pair.end(), answered.load(Ordering::Relaxed));
}
