//! Websockets and other protocols: a tunnel opens after a good token and a real 101, and never else.

use crate::support::{Connection, RawUpstream, Stage};

const WEBSOCKET: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A frame with the text `ping`, masked with zeros (RFC 6455 §5.2), and its answer.
const PING: &[u8] = b"\x81\x84\0\0\0\0ping";
const PONG: &[u8] = b"\x81\x04pong";

/// A service that answers an upgrade with this, and every frame with a `pong` after that. Requests
/// in a tunnel would be frames to it.
fn service(answer: impl Into<String>) -> RawUpstream {
    let answer = answer.into();
    RawUpstream::speaking(move |connection, note| {
        while let Some(request) = connection.request() {
            let is_upgrade = !request.values("upgrade").is_empty();
            note(request);
            if !is_upgrade {
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain");
                continue;
            }
            connection.send(answer.as_bytes());
            if !answer.contains(" 101 ") {
                continue;
            }
            while connection.until(b"ping").is_some() {
                connection.send(PONG);
            }
            return;
        }
    })
}

fn upgrade(stage: &Stage, lines: &str) -> Connection {
    stage.ask("GET", lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_opens_after_a_good_token_and_a_real_101() {
    let stage = Stage::before(service(SWITCHED)).await;
    let mut client = upgrade(&stage, WEBSOCKET);
    let answer = client.answer().unwrap();
    assert_eq!(answer.status, 101);
    assert_eq!(answer.field("upgrade"), Some("websocket"));
    assert!(answer.field("connection").unwrap().eq_ignore_ascii_case("upgrade"));
    assert_eq!(answer.field("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    for _ in 0..3 {
        client.send(PING);
        assert_eq!(client.exactly(PONG.len()), PONG);
    }
    let [request] = &stage.upstream.take()[..] else { panic!("not one") };
    assert_eq!(request.values("upgrade"), ["websocket"]);
    assert_eq!(request.values("connection"), ["upgrade"]);
    assert_eq!(request.values("sec-websocket-key"), ["dGhlIHNhbXBsZSBub25jZQ=="]);
    assert_eq!(request.values("x-auth-subject"), ["alice"]);
    assert!(request.values("authorization").is_empty());
    // Who ends it ends it for both.
    drop(client);
    stage.upstream.wait_for_end();
    stage.sidecar.wait_for_stdout(" GET /a 101 allowed ");
}

/// What a client sends before it has been told that the tunnel is open belongs in it.
#[tokio::test(flavor = "multi_thread")]
async fn frames_that_come_early_are_not_lost() {
    let stage = Stage::before(service(SWITCHED)).await;
    let mut client = stage.open();
    client.send(&[stage.head("GET", WEBSOCKET).as_bytes(), PING].concat());
    assert_eq!(client.answer().unwrap().status, 101);
    assert_eq!(client.exactly(PONG.len()), PONG);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_ends_a_tunnel_ends_it_for_the_client() {
    let stage = Stage::answering(format!("{SWITCHED}bye Connection: close")).await;
    let mut client = upgrade(&stage, WEBSOCKET);
    assert_eq!(client.answer().unwrap().status, 101);
    assert_eq!(client.rest(), b"bye Connection: close");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_good_token_gets_no_tunnel() {
    let stage = Stage::before(service(SWITCHED)).await;
    for (token, status) in [
        ("", 401),
        ("Authorization: Bearer x.y.z\r\n", 401),
        ("Authorization: Bearer\r\n", 400),
        ("Sec-WebSocket-Protocol: bearer, x.y.z\r\n", 401),
    ] {
        let mut client = stage.open();
        client.send(format!("GET /a HTTP/1.1\r\nHost: a\r\n{token}{WEBSOCKET}\r\n").as_bytes());
        assert_eq!(client.answer().unwrap().status, status, "{token}");
        // Frames are no requests, and nobody else reads them.
        client.send(PING);
        client.send(b"\r\n\r\n");
        assert!(client.answer().is_none_or(|answer| answer.status == 400));
    }
    assert!(stage.upstream.take().is_empty());
}

/// A 200 is a 200: the connection goes on as HTTP, and every request in it is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_is_declined_opens_nothing() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
    ] {
        let stage = Stage::before(service(answer)).await;
        let mut client = upgrade(&stage, WEBSOCKET);
        let answered = client.answer().unwrap();
        assert_eq!(answered.text(), "no", "{answer}");
        client.send(b"GET /secret HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().unwrap().status, 401, "{answer}");
        let requests = stage.upstream.take();
        assert_eq!(requests.len(), 1, "{requests:?}");
    }
}

/// The upstream may not open a tunnel that its client does not know of: what the client sends next
/// would be requests that nobody has looked at.
#[tokio::test(flavor = "multi_thread")]
async fn a_101_that_was_not_asked_for_is_no_answer() {
    for (asked, answered) in [
        ("", SWITCHED.to_owned()),
        ("Upgrade: websocket\r\n", SWITCHED.to_owned()),
        ("Connection: upgrade\r\n", SWITCHED.to_owned()),
        (WEBSOCKET, SWITCHED.replace("Upgrade: websocket", "Upgrade: other")),
        (WEBSOCKET, SWITCHED.replace("Upgrade: websocket", "Upgrade: h2c")),
        (WEBSOCKET, SWITCHED.replace("Upgrade: websocket\r\n", "")),
        ("Connection: upgrade\r\nUpgrade: h2c\r\n", SWITCHED.replace("websocket", "h2c")),
    ] {
        let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
        let stage = Stage::answering(format!("{answered}{forged}")).await;
        let mut client = upgrade(&stage, asked);
        assert_eq!(client.answer().unwrap().status, 502, "{asked} {answered}");
        client.send(b"GET /secret HTTP/1.1\r\nHost: a\r\n\r\n");
        // Answered here, or not at all.
        assert!(client.answer().is_none_or(|answer| answer.status == 401), "{asked} {answered}");
        assert_eq!(stage.upstream.take().len(), 1);
    }
}

/// Fields of the hop before are none of this one's, in this answer too.
#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_101_is_cleaned_like_any_other() {
    let more = "Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n";
    let head = SWITCHED.trim_end().replace("Connection: Upgrade", "Connection: Upgrade, X-Hop");
    let stage = Stage::before(service(format!("{head}\r\n{more}"))).await;
    let answer = upgrade(&stage, WEBSOCKET).answer().unwrap();
    assert_eq!(answer.status, 101);
    for gone in ["keep-alive", "proxy-connection", "x-hop"] {
        assert_eq!(answer.field(gone), None, "{gone}");
    }
    assert_eq!(answer.field("x-end"), Some("2"));
    assert!(answer.field("x-request-id").is_some());
    assert!(answer.field("connection").unwrap().eq_ignore_ascii_case("upgrade"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_is_cut_off_has_its_bytes_in_the_log() {
    let mut stage = Stage::before(service(SWITCHED)).await;
    let mut client = upgrade(&stage, WEBSOCKET);
    assert_eq!(client.answer().unwrap().status, 101);
    client.send(PING);
    assert_eq!(client.exactly(PONG.len()), PONG);
    stage.sidecar.signal("TERM");
    stage.sidecar.wait_for_stderr("draining");
    stage.sidecar.signal("TERM");
    assert!(stage.sidecar.wait().success());
    let log = stage.sidecar.stdout();
    assert!(log.contains(" GET /a 101 cut_off "), "{log}");
    assert!(log.contains(&format!(" bytes={} ", PONG.len())), "{log}");
}

/// Whoever gets HTTP/2 through to the upstream talks to it past every check.
#[tokio::test(flavor = "multi_thread")]
async fn no_way_leads_to_another_http_behind_the_gate() {
    let settings = "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    let stage = Stage::before(service(SWITCHED.replace("websocket", "h2c"))).await;
    for lines in [
        format!("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n{settings}"),
        format!("Connection: Upgrade\r\nUpgrade: h2c\r\n{settings}"),
        format!("Connection: Upgrade\r\nUpgrade: H2C\r\n{settings}"),
        "Connection: Upgrade\r\nUpgrade: h2\r\n".to_owned(),
        "Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n".to_owned(),
        "Connection: Upgrade\r\nUpgrade: http/1.1\r\n".to_owned(),
        "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n".to_owned(),
        "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n".to_owned(),
        "Connection: Upgrade\r\nUpgrade: \r\n".to_owned(),
        "Connection: Upgrade\r\nUpgrade : h2c\r\n".to_owned(),
        "Connection: Upgrade\r\nUpgrade_: h2c\r\n".to_owned(),
    ] {
        let mut client = upgrade(&stage, &lines);
        let answer = client.answer().unwrap();
        assert!(matches!(answer.status, 200 | 400), "{lines}");
        for request in stage.upstream.take() {
            for gone in ["upgrade", "connection"] {
                assert!(request.values(gone).is_empty(), "{lines} {request:?}");
            }
        }
    }
}

/// A body would be read as frames by one side and as a body by the other.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_with_a_body_is_none() {
    let stage = Stage::before(service(SWITCHED)).await;
    let mut client = upgrade(&stage, &format!("{WEBSOCKET}Content-Length: 5\r\n"));
    client.send(b"hello");
    assert_eq!(client.answer().unwrap().text(), "plain");
    let mut client = stage.open();
    let head = stage.head("GET", WEBSOCKET).replace("HTTP/1.1", "HTTP/1.0");
    client.send(head.as_bytes());
    assert_eq!(client.answer().unwrap().text(), "plain");
    assert!(stage.upstream.take().iter().all(|request| request.values("upgrade").is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_and_trace_are_405_and_the_connection_ends() {
    let stage = Stage::before(service(SWITCHED)).await;
    for line in ["CONNECT api.example:443", "CONNECT /a", "TRACE /a", "CONNECT http://a/b"] {
        let mut client = stage.open();
        let auth = &stage.auth;
        client.send(format!("{line} HTTP/1.1\r\nHost: a\r\n{auth}{WEBSOCKET}\r\n").as_bytes());
        client.send(b"GET /secret HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = client.answer().unwrap();
        assert!(matches!(answer.status, 400 | 405), "{line}: {answer:?}");
        if answer.status == 405 {
            assert!(answer.field("allow").unwrap().contains("GET"));
        }
        assert!(client.is_closed(), "{line}");
    }
    assert!(stage.upstream.take().is_empty());
}
