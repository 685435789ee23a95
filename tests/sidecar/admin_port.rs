//! What the binary tells about itself, and to whom.

use std::net::TcpListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::support::{Held, Sidecar, Upstream, authority, bearer, get};

const RULES: &str = "[[rule]]\npath = \"/healthz\"\npublic = true\n\
                     [[rule]]\npath = \"/orders\"\nscopes = [\"orders.read\"]\n";

fn requests(sidecar: &Sidecar, outcome: &str, reason: &str) -> usize {
    let labels = format!("outcome=\"{outcome}\",reason=\"{reason}\"");
    sidecar.metric(&format!("portcullis_requests_total{{{labels}}}"))
}

/// All requests, whatever became of them.
fn all_requests(sidecar: &Sidecar) -> usize {
    let metrics = sidecar.ask_admin("/metrics").text();
    let samples = metrics.lines().filter(|line| line.starts_with("portcullis_requests_total{"));
    samples.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_counted_once_by_what_became_of_it() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).rules(RULES).start();
    let good = bearer(&authority.token().scope("orders.read"));
    let mut sent = 0;
    for (path, fields, times, status, outcome, reason) in [
        ("/orders", good.clone(), 4, 200, "allowed", ""),
        ("/healthz", String::new(), 3, 200, "public", ""),
        ("/orders", String::new(), 2, 401, "refused", "missing_credentials"),
        ("/orders", bearer(&authority.token().expired()), 2, 401, "refused", "expired"),
        ("/orders", bearer(&authority.token()), 1, 403, "refused", "insufficient_scope"),
        ("/a/../orders", good.clone(), 2, 400, "bad_request", "ambiguous_path"),
    ] {
        for _ in 0..times {
            assert_eq!(get(sidecar.address(), path, &fields).status, status, "{path} {outcome}");
            sent += 1;
        }
        // An answer is counted when its last byte is gone, which its client may know before.
        let counted = || requests(&sidecar, outcome, reason) == times;
        sidecar.wait_for(counted, outcome);
    }
    assert_eq!(all_requests(&sidecar), sent);
    let (hits, misses) =
        ("portcullis_token_cache_hits_total", "portcullis_token_cache_misses_total");
    // Tokens of seven requests were looked at, and one of them was good for four.
    assert_eq!(sidecar.metric(hits) + sidecar.metric(misses), 7);
    assert!(sidecar.metric(hits) >= 3);
    assert_eq!(sidecar.metric("portcullis_upstream_errors_total{kind=\"unreachable\"}"), 0);
    assert_eq!(sidecar.metric("portcullis_requests_in_flight"), 0);
    // Nobody asked here for anything that was counted.
    assert_eq!(all_requests(&sidecar), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_and_what_the_upstream_fails_at_is_told() {
    let (authority, held) = (authority().await, Held::start());
    let sidecar = Sidecar::before_address(held.address(), &authority).start();
    let token = bearer(&authority.token());
    std::thread::scope(|scope| {
        let client = scope.spawn(|| get(sidecar.address(), "/orders", &token));
        sidecar.wait_for(|| held.begun() == 1, "a request");
        assert_eq!(sidecar.metric("portcullis_requests_in_flight"), 1);
        held.release();
        assert_eq!(client.join().unwrap().status, 200);
    });
    let is_idle = || sidecar.metric("portcullis_requests_in_flight") == 0;
    sidecar.wait_for(is_idle, "nothing under way");

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sidecar = Sidecar::before_address(nobody, &authority).start();
    assert_eq!(get(sidecar.address(), "/orders", &token).status, 502);
    let kind = "portcullis_upstream_errors_total{kind=\"unreachable\"}";
    sidecar.wait_for(|| sidecar.metric(kind) == 1, "an error");
    assert_eq!(requests(&sidecar, "upstream_failed", "unreachable"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_cannot_be_reached_is_told_of_once_and_when_it_can() {
    let authority = authority().await;
    // Nobody else gets this port, and nobody listens at it yet.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let sidecar = Sidecar::before_address(socket.local_addr().unwrap(), &authority).start();
    let token = bearer(&authority.token());
    for _ in 0..3 {
        assert_eq!(get(sidecar.address(), "/orders", &token).status, 502);
    }
    sidecar.wait_for_stderr("the upstream cannot be reached");
    let service = socket.listen(8).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = service.accept().await.unwrap();
        // Not before it is asked.
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        // Until the other end is closed.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    assert_eq!(get(sidecar.address(), "/orders", &token).status, 200);
    sidecar.wait_for_stderr("the upstream can be reached again");
    let log = sidecar.stderr();
    assert_eq!(log.matches("cannot be reached").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_paths_are_nothing_special_on_the_protected_port() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    for admin in ["127.0.0.1:0", "off"] {
        let settings =
            Sidecar::before(&upstream, &authority).with("PORTCULLIS_ADMIN_LISTEN", admin);
        let sidecar = settings.start_unready();
        let token = bearer(&authority.token());
        for path in ["/", "/livez", "/readyz", "/metrics"] {
            assert_eq!(get(sidecar.address(), path, "").status, 401, "{path}");
            assert!(upstream.take().is_empty());
            let answer = get(sidecar.address(), path, &token);
            assert_eq!((answer.status, answer.text().as_str()), (200, "hello"), "{path}");
            assert_eq!(upstream.take_one().uri, path);
        }
        assert_eq!(sidecar.stderr().contains("admin port"), admin != "off");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_people() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).rules(RULES).start();
    let page = sidecar.ask_admin("/");
    assert_eq!(page.status, 200);
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    let text = page.text();
    for part in [authority.issuer_url(), "2 rules", "PORTCULLIS_UPSTREAM", "PORTCULLIS_AUDIENCE"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(sidecar.ask_admin("/livez").text().trim(), "ok");
    assert_eq!(sidecar.ask_admin("/orders").status, 404);
}
