//! Connections to the upstream are used again, and what was sent over one that ends is not sent
//! twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{RawUpstream, Stage};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// How many connections were made, and whether each stays after its answer.
fn counted(stays: bool) -> (RawUpstream, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let upstream = RawUpstream::speaking(move |connection, note| {
        counted.fetch_add(1, Ordering::Relaxed);
        while let Some(request) = connection.request() {
            note(request);
            connection.send(OK);
            if !stays {
                return;
            }
        }
    });
    (upstream, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_serves_many_requests() {
    let (upstream, count) = counted(true);
    let stage = Stage::before(upstream).await;
    let mut client = stage.open();
    for _ in 0..50 {
        client.send(stage.head("GET", "").as_bytes());
        assert_eq!(client.answer().unwrap().status, 200);
    }
    assert_eq!(count.load(Ordering::Relaxed), 1);
    assert_eq!(stage.upstream.take().len(), 50);
}

/// It says nothing of closing, and does. What is sent at that very moment can be lost, as nothing is
/// sent twice; what is sent after it is not.
#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_ends_idle_connections_at_once_loses_no_request() {
    let (upstream, count) = counted(false);
    let stage = Stage::before(upstream).await;
    let mut client = stage.open();
    for number in 0..300 {
        let method = if number % 2 == 0 { "GET" } else { "POST" };
        client.send(stage.head(method, "").as_bytes());
        assert_eq!(client.answer().unwrap().status, 200, "{number}");
        stage.upstream.wait_for_end();
    }
    assert_eq!(stage.upstream.take().len(), 300);
    assert_eq!(count.load(Ordering::Relaxed), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_upstream_may_have_done_is_not_done_again() {
    // It answers every second request, and ends the connection without a word at the others.
    let answered = AtomicUsize::new(0);
    let stage = Stage::before(RawUpstream::serving(move |connection| {
        let answers = answered.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        if answers {
            connection.send(OK);
        }
        answers
    }))
    .await;
    let mut client = stage.open();
    for method in ["POST", "PATCH", "PUT", "DELETE"] {
        for status in [200, 502] {
            client.send(stage.head(method, "Content-Length: 0\r\n").as_bytes());
            assert_eq!(client.answer().unwrap().status, status, "{method}");
            assert_eq!(stage.upstream.take().len(), 1, "{method}");
        }
    }
}
