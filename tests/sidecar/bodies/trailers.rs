//! Trailers, which gRPC and checksums live by.

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;

use crate::support::{Connection, Http2, Recorded, Sidecar, Upstream, authority, bearer, request};

fn body(
    trailer: &'static str,
) -> StreamBody<impl futures_util::Stream<Item = Result<Frame<Bytes>, std::convert::Infallible>>> {
    let trailers: HeaderMap =
        [(http::HeaderName::from_static("x-end"), HeaderValue::from_static(trailer))]
            .into_iter()
            .collect();
    StreamBody::new(stream::iter(
        [Frame::data(Bytes::from("hello")), Frame::trailers(trailers)].map(Ok),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_pass_in_both_directions_between_all_versions() {
    let authority = authority().await;
    let upstream = Upstream::answering(|_| {
        Response::builder().header("trailer", "x-end").body(body("theirs")).unwrap()
    })
    .await;
    let token = bearer(&authority.token());
    for scheme in ["http", "h2c"] {
        let sidecar = Sidecar::before(&upstream, &authority)
            .with("PORTCULLIS_UPSTREAM", &format!("{scheme}://{}", upstream.address()))
            .start();
        let ended = |seen: Recorded| {
            assert_eq!(seen.body, "hello");
            assert_eq!(seen.trailers.unwrap()["x-end"], "ours");
        };

        let mut client = Connection::open(sidecar.address());
        let lines =
            "Transfer-Encoding: chunked\r\nTrailer: x-end\r\nTE: trailers\r\nConnection: te\r\n";
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{token}{lines}\r\n").as_bytes());
        client.send(b"5\r\nhello\r\n0\r\nx-end: ours\r\n\r\n");
        let answer = client.answer().unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "hello"), "{scheme}");
        assert_eq!(answer.trailers, [("x-end".to_owned(), "theirs".to_owned())], "{scheme}");
        let seen = upstream.take_one();
        assert_eq!(seen.field("te"), Some("trailers"));
        ended(seen);

        let mut client = Http2::open(sidecar.address()).await;
        let request = request("POST", "/", &format!("{token}trailer: x-end\r\nte: trailers\r\n"));
        let (answer, trailers) = client.send(request.body(body("ours")).unwrap()).await;
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, &b"hello"[..]));
        assert_eq!(trailers["x-end"], "theirs", "{scheme}");
        ended(upstream.take_one());
    }
}
