//! Bodies pass through, and are never kept.

use crate::support::{RawUpstream, Stage, memory};

const GIGABYTE: u64 = 1 << 30;
const BLOCK: usize = 64 * 1024;
/// Above what allocators and a few buffers take, far below any body.
const GROWTH: u64 = 8 * 1024;

/// `/up` is read and forgotten, `/down` is a gigabyte, by length or in chunks.
fn service() -> RawUpstream {
    RawUpstream::speaking(|connection, note| {
        while let Some(mut request) = connection.request_head() {
            if request.values("x-wanted") == ["down"] {
                connection.send(
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {GIGABYTE}\r\n\r\n").as_bytes(),
                );
                for _ in 0..GIGABYTE / BLOCK as u64 {
                    connection.send(&[7; BLOCK]);
                }
                continue;
            }
            let length = request.values("content-length");
            let length = length.first().map_or(0, |length| length.parse().unwrap());
            request.is_complete = connection.skip(length) == length;
            note(request);
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_in_each_direction_takes_no_memory() {
    let stage = Stage::before(service()).await;
    assert_eq!(stage.ask("GET", "").answer().unwrap().status, 200);
    let before = memory(&stage.sidecar, "VmRSS");

    let mut connection = stage.ask("POST", &format!("Content-Length: {GIGABYTE}\r\n"));
    for _ in 0..GIGABYTE / BLOCK as u64 {
        assert!(connection.try_send(&[7; BLOCK]));
    }
    assert_eq!(connection.answer().unwrap().text(), "ok");
    assert!(stage.upstream.take().iter().all(|request| request.is_complete));
    let after = memory(&stage.sidecar, "VmHWM");
    assert!(after < before + GROWTH, "upload: {before} KiB before, {after} KiB");

    let mut connection = stage.ask("GET", "X-Wanted: down\r\n");
    let head = connection.until(b"\r\n\r\n").unwrap();
    assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!(connection.skip(GIGABYTE), GIGABYTE);
    let after = memory(&stage.sidecar, "VmHWM");
    assert!(after < before + GROWTH, "download: {before} KiB before, {after} KiB");
}

/// Whoever waits for a part of the answer before it sends more would wait for ever otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn both_directions_flow_at_once() {
    let echo = RawUpstream::speaking(|connection, note| {
        let Some(request) = connection.request_head() else { return };
        note(request);
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while let Some(line) = connection.until(b"\r\n") {
            connection.send(&line);
        }
    });
    let stage = Stage::before(echo).await;
    let mut connection = stage.ask("POST", "Transfer-Encoding: chunked\r\n");
    assert!(connection.until(b"\r\n\r\n").unwrap().starts_with(b"HTTP/1.1 200 OK\r\n"));
    for word in ["one", "three", "fifteen"] {
        let chunk = format!("{:x}\r\n{word}\r\n", word.len()).to_ascii_uppercase();
        connection.send(chunk.as_bytes());
        assert_eq!(connection.exactly(chunk.len()), chunk.as_bytes());
    }
    connection.send(b"0\r\n\r\n");
    assert_eq!(connection.exactly(5), b"0\r\n\r\n");
}

/// The upstream has decided before the body was there.
#[tokio::test(flavor = "multi_thread")]
async fn an_early_answer_is_passed_on_at_once() {
    let upstream = RawUpstream::speaking(|connection, note| {
        let Some(request) = connection.request_head() else { return };
        note(request);
        connection.send(b"HTTP/1.1 413 No\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlong");
    });
    let stage = Stage::before(upstream).await;
    for framing in ["Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n"] {
        let mut connection = stage.ask("POST", framing);
        let answer = connection.answer().unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (413, "long"), "{framing}");
    }
}
