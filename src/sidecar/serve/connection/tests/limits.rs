//! Limits in time, with a clock that is stopped when all is set.

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{advance, pause, resume};

use super::super::*;
use super::stage::{Stage, head, read_all, settle};
use crate::env::Source;
use crate::sidecar::settings::{Pem, TlsFiles};

const SECOND: Duration = Duration::from_secs(1);

/// Seconds, until which it is noticed at the latest.
const LOOK_EVERY: u32 = 5;

/// Lets so much time pass, second by second, and everything happen that follows from it.
async fn pass(seconds: u32) {
    for _ in 0..seconds {
        settle().await;
        advance(SECOND).await;
    }
    settle().await;
}

#[tokio::test]
async fn an_answer_has_a_minute_to_begin() {
    let stage = Stage::new().await;
    let (client, _upstream) = stage.ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await;
    pause();
    let answer = read_all(client);
    pass(59).await;
    assert!(!answer.is_finished());
    pass(2 + LOOK_EVERY).await;
    resume();
    settle().await;
    let lines = stage.lines().await;
    assert!(lines.contains(" GET /a 504 upstream_failed:timeout "), "{lines}");
}

#[tokio::test]
async fn as_long_as_a_body_comes_nobody_is_late() {
    let stage = Stage::new().await;
    let post = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    let (mut client, _upstream) = stage.ask(post).await;
    pause();
    for _ in 0..3 {
        pass(50).await;
        client.write_all(b"x").await.unwrap();
    }
    pass(60).await;
    let answer = read_all(client);
    settle().await;
    assert!(!answer.is_finished());
    pass(2 + LOOK_EVERY).await;
    resume();
    settle().await;
    let lines = stage.lines().await;
    assert!(lines.contains(" POST /a 504 upstream_failed:timeout "), "{lines}");
}

#[tokio::test]
async fn a_client_that_stops_within_its_body_is_told_after_a_minute() {
    let stage = Stage::new().await;
    let post = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nx";
    let (mut client, _upstream) = stage.ask(post).await;
    pause();
    pass(61).await;
    assert!(head(&mut client).await.starts_with("HTTP/1.1 400 "));
    let lines = stage.lines().await;
    assert!(lines.contains(" POST /a 400 client_gone "), "{lines}");
}

#[tokio::test]
async fn a_connection_has_five_seconds_to_be_made() {
    let stage = Stage::with_places(0).await;
    let mut client = stage.open();
    client.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    settle().await;
    pause();
    pass(4).await;
    let answer = read_all(client);
    settle().await;
    assert!(!answer.is_finished());
    pass(2).await;
    let lines = stage.lines().await;
    assert!(lines.contains(" GET /a 504 upstream_failed:connect_timeout "), "{lines}");
}

#[tokio::test]
async fn tls_is_agreed_on_in_ten_seconds_or_not_at_all() {
    let stage = Stage::new().await;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles {
        certificate: Pem::Text(made.cert.pem()),
        key: Pem::Text(made.signing_key.serialize_pem()),
    };
    let (tls, _) = Tls::load(&files, &mut Source::new([])).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(port.local_addr().unwrap()).await.unwrap();
    let stream = port.accept().await.unwrap().0.into_std().unwrap();
    let accepted = Accepted { stream, peer: stage.peer(), tls: Some(tls) };
    let front = Arc::clone(&stage.front);
    tokio::spawn(async move { accepted.serve(front, Arc::new(Protocols::new())).await });
    // The beginning of a record, of which nothing more comes.
    client.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    settle().await;
    pause();
    pass(9).await;
    assert!(client.try_read(&mut [0]).is_err());
    pass(2).await;
    resume();
    assert!(matches!(client.read(&mut [0]).await, Ok(0) | Err(_)));
}

/// DATA frames that its window has no room for keep neither the request nor its connection.
#[tokio::test]
async fn an_answer_over_http2_that_its_client_leaves_ends() {
    let stage = Stage::new().await;
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(0)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(stage.open()))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://a/a").body(Empty::new()).unwrap();
    let asked = tokio::spawn(async move { sender.send_request(request).await });
    let (mut upstream, _) = stage.upstream.accept().await.unwrap();
    head(&mut upstream).await;
    upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
    let answer = asked.await.unwrap().unwrap();
    upstream.write_all(&[b'x'; 300_000]).await.unwrap();
    pause();
    pass(299).await;
    assert_eq!(answer.status(), 200);
    assert!(upstream.try_read(&mut [0]).is_err());
    pass(2).await;
    resume();
    // The upstream's connection ends too, or this would wait for ever.
    let ended = upstream.read(&mut [0]).await;
    assert!(matches!(ended, Ok(0) | Err(_)));
    let lines = stage.lines().await;
    assert!(lines.contains(" GET /a 200 client_gone "), "{lines}");
}

const UPGRADE: &str =
    "GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCHED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[tokio::test]
async fn a_tunnel_ends_when_nothing_has_come_for_long() {
    let stage = Stage::new().await;
    let (mut client, mut upstream) = stage.ask(UPGRADE).await;
    upstream.write_all(SWITCHED).await.unwrap();
    assert!(head(&mut client).await.starts_with("HTTP/1.1 101 "));
    upstream.write_all(b"from the service").await.unwrap();
    client.read_exact(&mut [0; 16]).await.unwrap();
    pause();
    // Either side keeps it open.
    for _ in 0..10 {
        pass(290).await;
        client.write_all(b"x").await.unwrap();
    }
    let rest = read_all(client);
    pass(290).await;
    assert!(!rest.is_finished());
    pass(311).await;
    assert!(rest.is_finished());
    resume();
    let mut sent = Vec::new();
    upstream.read_to_end(&mut sent).await.unwrap();
    assert_eq!(sent, b"xxxxxxxxxx");
    let lines = stage.lines().await;
    assert!(lines.contains(" GET /a 101 public "), "{lines}");
    assert!(lines.contains(" bytes=16 "), "{lines}");
}
