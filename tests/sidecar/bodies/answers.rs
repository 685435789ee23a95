//! Where an answer ends, however the upstream says so.

use crate::support::{RawUpstream, Stage};

/// What the upstream sends, and what the client gets: status, length field, body. A connection that
/// the upstream ends says so in its answer.
#[tokio::test(flavor = "multi_thread")]
async fn every_framing_of_an_answer_is_understood() {
    for (method, answer, status, length, body) in [
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, Some("5"), "hello"),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            200,
            Some("5"),
            "hello",
        ),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, Some("0"), ""),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            200,
            None,
            "hello",
        ),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, None, ""),
        ("GET", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", 200, None, "hello"),
        ("GET", "HTTP/1.0 200 OK\r\nX: Connection: close\r\n\r\nhello", 200, None, "hello"),
        (
            "GET",
            "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nX: Connection: close\r\n\r\nhello",
            200,
            Some("5"),
            "hello",
        ),
        // The coding counts, and the length that contradicts it is gone.
        (
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            200,
            None,
            "hello",
        ),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            200,
            None,
            "hello",
        ),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, None, ""),
        ("DELETE", "HTTP/1.1 204 No Content\r\n\r\n", 204, None, ""),
        ("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", 304, None, ""),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, None, ""),
        (
            "GET",
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            200,
            Some("2"),
            "ok",
        ),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, Some("5"), ""),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, None, ""),
        ("HEAD", "HTTP/1.1 404 Not Found\r\n\r\n", 404, None, ""),
        ("GET", "HTTP/1.1 299 Of Its Own\r\nContent-Length: 1\r\n\r\na", 299, Some("1"), "a"),
        ("GET", "HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\na", 500, Some("1"), "a"),
    ] {
        let stage = Stage::answering(answer).await;
        let mut client = stage.open();
        // Twice over one connection: nothing of the first answer is left in it.
        for _ in 0..2 {
            client.send(stage.head(method, "").as_bytes());
            let answered = client.answer_to(method == "HEAD");
            let answered = answered.unwrap_or_else(|| panic!("{method} {answer}"));
            assert_eq!(answered.status, status, "{answer}");
            assert_eq!(answered.field("content-length"), length, "{method} {answer}");
            assert_eq!(answered.text(), body, "{answer}");
        }
    }
}

/// Bytes after the answer are not the next one's.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_an_answer_is_nobodys() {
    let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
    for first in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let stage = Stage::answering(format!("{first}{forged}")).await;
        let mut client = stage.open();
        for _ in 0..5 {
            client.send(stage.head("GET", "").as_bytes());
            assert_ne!(client.answer().unwrap().text(), "forged", "{first}");
        }
    }
}

/// HTTP/1.0 knows no chunks: the end of the connection is the end of the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_http_1_0_gets_no_chunks() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let stage = Stage::answering(answer).await;
    let mut client = stage.open();
    client.send(format!("GET /a HTTP/1.0\r\n{}\r\n", stage.auth).as_bytes());
    let answered = client.answer().unwrap();
    assert_eq!(answered.field("transfer-encoding"), None);
    assert_eq!(answered.text(), "hello");
    assert!(client.is_closed());
}

/// A refusal of a HEAD has the fields of the answer to a GET, and no body.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_answers_to_head_have_no_body() {
    let stage = Stage::before(RawUpstream::start()).await;
    let mut client = stage.open();
    for lines in ["", "Authorization: Bearer x.y.z\r\n", "Authorization: Bearer\r\n"] {
        for method in ["HEAD", "GET", "HEAD"] {
            client.send(format!("{method} /a HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes());
            let answer = client.answer_to(method == "HEAD").unwrap();
            assert!(matches!(answer.status, 400 | 401), "{answer:?}");
            assert_eq!(answer.body.is_empty(), method == "HEAD");
            assert!(answer.field("www-authenticate").is_some());
        }
    }
    assert!(stage.upstream.take().is_empty());
}
