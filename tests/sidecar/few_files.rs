//! A process that may open few files. Everybody finds one in the end, the admin port at once.

use std::thread;

use http_body_util::Empty;
use tokio::task::JoinSet;

use crate::support::{
    Connection, Held, Http2, PARTS, RawUpstream, Settings, Sidecar, authority, bearer, get, request,
};

const PUBLIC: &str = "[[rule]]\npath = \"/public\"\npublic = true\n";

const UPGRADE: &str = "Connection: upgrade\r\nUpgrade: echo\r\n";
const SWITCHED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

/// Files for about fifty clients and what they need, on any machine.
fn files() -> usize {
    200 + 8 * thread::available_parallelism().map_or(1, usize::from)
}

fn with_few_files(settings: Settings) -> Settings {
    let limit = format!("ulimit -n {}; exec \"$0\" \"$@\"", files());
    settings.through(&["sh", "-c", &limit])
}

/// A tunnel is two open files, and outlives the connection of HTTP that it was asked for over.
#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_place_for_a_tunnel_waits_for_one() {
    let authority = authority().await;
    let service = RawUpstream::speaking(|connection, note| {
        if let Some(request) = connection.request() {
            note(request);
            connection.send(SWITCHED);
            connection.rest();
        }
    });
    let sidecar = with_few_files(Sidecar::before_address(service.address(), &authority)).start();
    let token = bearer(&authority.token());
    let mut clients: Vec<_> =
        (0..files() * 2 / 3).map(|_| Connection::open(sidecar.address())).collect();
    for client in &mut clients {
        let head = format!("GET /a HTTP/1.1\r\nHost: api.example\r\n{token}{UPGRADE}\r\n");
        client.send(head.as_bytes());
    }
    for (number, mut client) in clients.into_iter().enumerate() {
        assert_eq!(client.answer().unwrap().status, 101, "client {number}");
        assert_eq!(sidecar.ask_admin("/livez").status, 200, "at client {number}");
    }
}

/// Hundreds of requests come over a few connections, and each of them needs one of its own.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_find_no_connection_to_the_service_wait_for_one() {
    let (authority, held) = (authority().await, Held::start());
    let settings = Sidecar::before_address(held.address(), &authority).rules(PUBLIC);
    let sidecar = with_few_files(settings).start();
    let mut answers = JoinSet::new();
    for _ in 0..files() / 100 + 1 {
        let client = Http2::open(sidecar.address()).await;
        for _ in 0..100 {
            let mut client = client.clone();
            answers.spawn(async move {
                let request = request("GET", "/public", "").body(Empty::new()).unwrap();
                client.send(request).await.0
            });
        }
    }
    sidecar.wait_for(|| held.begun() >= files() / 8, "the service is at work");
    assert_eq!(sidecar.ask_admin("/livez").status, 200);
    held.release();
    while let Some(answer) = answers.join_next().await {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.into_body(), PARTS.concat());
    }
    let token = bearer(&authority.token());
    assert_eq!(get(sidecar.address(), "/orders", &token).status, 200);
}
