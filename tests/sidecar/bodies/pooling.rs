//! Connections to the upstream are used again, and what was sent over one that ends is not sent
//! twice where that could do something twice.

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

/// It says nothing of closing, and does; what is sent after that is not lost.
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

/// The moment at which an upstream ends a connection that was kept can be that of the next request,
/// whose answer never begins.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_nothing_is_sent_again_once_when_a_kept_connection_ends_without_a_byte() {
    for (method, statuses) in
        [("GET", [200, 200]), ("HEAD", [200, 200]), ("OPTIONS", [200, 200]), ("POST", [200, 502])]
    {
        // Every connection answers once, reads the next request, and ends.
        let upstream = RawUpstream::speaking(|connection, note| {
            for answers in [true, false] {
                let Some(request) = connection.request() else { return };
                let is_head = request.line().starts_with("HEAD");
                note(request);
                if answers {
                    connection.send(if is_head { &OK[..OK.len() - 2] } else { OK });
                }
            }
        });
        let stage = Stage::before(upstream).await;
        let mut client = stage.open();
        for status in statuses {
            client.send(stage.head(method, "X-Number: 7\r\n").as_bytes());
            assert_eq!(client.answer_to(method == "HEAD").unwrap().status, status, "{method}");
        }
        let seen = stage.upstream.take();
        assert_eq!(seen.len(), if statuses[1] == 200 { 3 } else { 2 }, "{method}");
        // It is the same request that comes again.
        assert_eq!(seen[1].head, seen.last().unwrap().head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_so_once_and_never_after_a_byte() {
    for begins in ["", "H", "HTTP/1.1 100 Continue\r\n\r\n"] {
        // The first connection answers once; then nothing is answered any more.
        let count = AtomicUsize::new(0);
        let stage = Stage::before(RawUpstream::serving(move |connection| {
            let answers = count.fetch_add(1, Ordering::Relaxed) == 0;
            connection.send(if answers { OK } else { begins.as_bytes() });
            answers
        }))
        .await;
        let mut client = stage.open();
        for status in [200, 502] {
            client.send(stage.head("GET", "").as_bytes());
            assert_eq!(client.answer().unwrap().status, status);
        }
        let count = if begins.is_empty() { 3 } else { 2 };
        assert_eq!(stage.upstream.take().len(), count, "{begins:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_in_chunks_give_their_connection_back() {
    for answer in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTrailer: A\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ] {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let stage = Stage::before(RawUpstream::speaking(move |connection, note| {
            counted.fetch_add(1, Ordering::Relaxed);
            while let Some(request) = connection.request() {
                note(request);
                connection.send(answer.as_bytes());
            }
        }))
        .await;
        let mut client = stage.open();
        for _ in 0..20 {
            client.send(stage.head("GET", "").as_bytes());
            client.answer().unwrap();
        }
        stage.sidecar.wait_for(|| stage.sidecar.stdout().lines().count() == 20, "20 lines");
        assert_eq!(stage.sidecar.stdout().matches(" allowed ").count(), 20, "{answer}");
        assert_eq!(count.load(Ordering::Relaxed), 1, "{answer}");
    }
}
