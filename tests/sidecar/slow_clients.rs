//! Clients that take their time, and those beside them that do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{Connection, Load, Sidecar, Upstream, authority, bearer};

const SLOW: usize = 1_000;
/// Bytes of the sidecar's memory for one of them. Buffers are the most of it.
const MEMORY: usize = 64 * 1024;

/// What slow clients have sent when they become slow; the rest comes a byte a second.
fn beginnings(token: &str) -> [String; 4] {
    [
        // The header.
        String::new(),
        // Not even that: the client is silent.
        "silent".to_owned(),
        // A part of the header.
        format!("GET /orders HTTP/1.1\r\nHost: api.example\r\n{token}"),
        // The body.
        format!(
            "POST /orders HTTP/1.1\r\nHost: api.example\r\nContent-Length: 5000\r\n{token}\r\n"
        ),
    ]
}

/// Until the sidecar ends the connection.
async fn dawdle(mut stream: TcpStream, sends: bool) {
    let (mut from, mut to) = stream.split();
    let send = async {
        if !sends {
            std::future::pending::<()>().await;
        }
        for byte in b"GET /orders HTTP/1.1\r\nX-Padding: ".iter().chain([b'x'; 4_000].iter()) {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if to.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        _ = from.read_to_end(&mut answer) => {}
        () = send => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_cost_others_nothing() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).start();
    let token = bearer(&authority.token());
    let request = format!("GET /orders HTTP/1.1\r\nHost: api.example\r\n{token}\r\n");
    let good = |address| {
        let (mut connection, request) = (Connection::open(address), request.clone());
        move || {
            connection.send(request.as_bytes());
            assert_eq!(connection.answer().expect("a request was lost").status, 200);
        }
    };
    let load = Load::start(4, |_| good(sidecar.address()));
    let memory = || sidecar.metric("process_resident_memory_bytes");
    let before = memory();

    let beginnings = beginnings(&token);
    let ended: Arc<[AtomicUsize; 4]> = Arc::default();
    let mut slow = JoinSet::new();
    for number in 0..SLOW {
        let (kind, ended) = (number % beginnings.len(), Arc::clone(&ended));
        let is_silent = beginnings[kind] == "silent";
        let mut stream = TcpStream::connect(sidecar.address()).await.unwrap();
        if !is_silent {
            stream.write_all(beginnings[kind].as_bytes()).await.unwrap();
        }
        slow.spawn(async move {
            dawdle(stream, !is_silent).await;
            ended[kind].fetch_add(1, Ordering::Relaxed);
        });
    }
    // Who comes later finds a place too.
    for _ in 0..20 {
        good(sidecar.address())();
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < SLOW * MEMORY, "{} bytes for each", grown / SLOW);

    // Headers have a time limit; a body may come as slowly as it likes.
    let each = SLOW / beginnings.len();
    let headers = || [0, 2].map(|kind| ended[kind].load(Ordering::Relaxed)) == [each; 2];
    sidecar.wait_for(headers, "headers that take too long are given up");
    assert_eq!(ended[3].load(Ordering::Relaxed), 0);
    assert!(load.finish() > 0);
    slow.shutdown().await;
}
