//! `Expect: 100-continue` (RFC 9110 §10.1.1): a client that waits for leave to send its body.

use crate::support::{RawUpstream, Stage};

const EXPECTING: &str = "Content-Length: 5\r\nExpect: 100-continue\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn leave_is_given_after_a_good_token() {
    let stage = Stage::before(RawUpstream::start()).await;
    for lines in [EXPECTING, "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n"] {
        let mut connection = stage.ask("POST", lines);
        assert_eq!(connection.answer_to(false).unwrap().status, 100);
        connection.send(if lines == EXPECTING { b"hello" } else { b"5\r\nhello\r\n0\r\n\r\n" });
        assert_eq!(connection.answer_to(false).unwrap().status, 200);
        let [request] = &stage.upstream.take()[..] else { panic!("not one") };
        assert_eq!(request.body, b"hello");
        assert!(request.values("expect").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_gets_no_leave_and_the_connection_ends() {
    let stage = Stage::before(RawUpstream::start()).await;
    let auth = &stage.auth;
    for (lines, status) in [
        (EXPECTING.to_owned(), 401),
        (format!("Authorization: Bearer x.y.z\r\n{EXPECTING}"), 401),
        (format!("{auth}{auth}{EXPECTING}"), 400),
        (format!("{auth}Content-Length: 5\r\nExpect: 200-ok\r\n"), 417),
        (format!("{auth}Content-Length: 5\r\nExpect: 100-continue, x\r\n"), 417),
    ] {
        let mut connection = stage.open();
        connection.send(format!("POST /a HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes());
        assert_eq!(connection.answer_to(false).unwrap().status, status, "{lines}");
        // Nobody can know whether a body or a request would follow.
        assert!(connection.is_closed(), "{lines}");
    }
    assert!(stage.upstream.take().is_empty());
}

/// A client of HTTP/1.0 would not know what it is.
#[tokio::test(flavor = "multi_thread")]
async fn http_1_0_gets_no_leave() {
    let stage = Stage::before(RawUpstream::start()).await;
    let mut connection = stage.open();
    let auth = &stage.auth;
    connection.send(format!("POST /a HTTP/1.0\r\n{auth}{EXPECTING}\r\nhello").as_bytes());
    assert_eq!(connection.answer_to(false).unwrap().status, 200);
}
