//! Calls as gRPC makes them, through to a service that speaks HTTP/2 itself.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Response, Version};
use http_body_util::{Empty, Full, StreamBody};
use hyper::body::Frame;

use crate::support::{Http2, Sidecar, Upstream, authority, bearer, request};

const CALL: &str = "content-type: application/grpc\r\nte: trailers\r\ngrpc-timeout: 1S\r\n";

fn message(text: &str) -> Bytes {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[0][..], &length, text.as_bytes()].concat().into()
}

fn ended(status: &'static str) -> HeaderMap {
    [(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static(status))]
        .into_iter()
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_pass_with_their_messages_and_trailers() {
    let authority = authority().await;
    let upstream = Upstream::answering(|request| {
        let frames = stream::iter([Frame::data(request.body.clone()), Frame::trailers(ended("0"))]);
        let answer = Response::builder().header("content-type", "application/grpc");
        answer.body(StreamBody::new(frames.map(Ok::<_, Infallible>))).unwrap()
    })
    .await;
    let sidecar = Sidecar::before(&upstream, &authority)
        .with("PORTCULLIS_UPSTREAM", &format!("h2c://{}", upstream.address()))
        .rules("[[rule]]\npath = \"/shop.Orders/{method}\"\nscopes = [\"orders\"]\n")
        .start();
    let mut client = Http2::open(sidecar.address()).await;
    let lines = format!("{}{CALL}", bearer(&authority.token().subject("u1").scope("orders")));
    for text in ["one", "", "three"] {
        let call = request("POST", "/shop.Orders/List", &lines);
        let (answer, trailers) = client.send(call.body(Full::new(message(text))).unwrap()).await;
        assert_eq!((answer.status().as_u16(), answer.body()), (200, &message(text)));
        assert_eq!(trailers, ended("0"));
        let seen = upstream.take_one();
        assert_eq!((seen.version, seen.uri.path()), (Version::HTTP_2, "/shop.Orders/List"));
        assert_eq!(seen.field("te"), Some("trailers"));
        assert_eq!(seen.field("grpc-timeout"), Some("1S"));
        assert_eq!(seen.field("x-auth-subject"), Some("u1"));
        assert_eq!(seen.field("via"), Some("2 portcullis"));
        assert_eq!((seen.field("host"), seen.field("authorization")), (None, None));
    }
    for (lines, code) in [
        (CALL.to_owned(), "16"),
        (format!("{}{CALL}", bearer(&authority.token().scope("other"))), "7"),
        (format!("{}{CALL}", bearer(&authority.token().expired())), "16"),
    ] {
        let call = request("POST", "/shop.Orders/List", &lines);
        let (answer, _) = client.send(call.body(Full::new(message("one"))).unwrap()).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["grpc-status"], code);
        assert!(answer.headers().contains_key("www-authenticate"));
        assert!(upstream.take().is_empty());
    }
}

/// HTTP/1.1 in front, HTTP/2 behind: nothing of the first is left.
#[tokio::test(flavor = "multi_thread")]
async fn many_requests_share_a_connection_to_the_service() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority)
        .with("PORTCULLIS_UPSTREAM", &format!("h2c://{}", upstream.address()))
        .start();
    let token = bearer(&authority.token());
    let mut client = crate::support::Connection::open(sidecar.address());
    let lines = "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nUpgrade: websocket\r\n\
        Transfer-Encoding: chunked\r\nProxy-Connection: close\r\n";
    for _ in 0..3 {
        client.send(
            format!("POST /a HTTP/1.1\r\nHost: api.example\r\n{token}{lines}\r\n").as_bytes(),
        );
        client.send(b"5\r\nhello\r\n0\r\n\r\n");
        assert_eq!(client.answer().unwrap().text(), "hello");
        let seen = upstream.take_one();
        assert_eq!((seen.body.as_ref(), seen.version), (&b"hello"[..], Version::HTTP_2));
        for gone in ["connection", "x-hop", "keep-alive", "upgrade", "transfer-encoding", "host"] {
            assert_eq!(seen.field(gone), None, "{gone}");
        }
    }
    let mut client = Http2::open(sidecar.address()).await;
    let answers = (0..20).map(|number| format!("/{number}"));
    for path in answers {
        let get = request("GET", &path, &token).body(Empty::<Bytes>::new()).unwrap();
        assert_eq!(client.send(get).await.0.status(), 200);
    }
    assert_eq!(upstream.take().len(), 20);
}
