//! What the port answers, on a real socket.

use super::*;

#[tokio::test]
async fn livez_says_ok_whatever_the_state() {
    let port = Port::open(admin_of(server([idle_issuer()]), Reloads::default())).await;
    port.admin.readiness.drain();
    let answer = port.get("/livez").await;
    assert_eq!((answer.status(), answer.body()), (200, "ok\n"));
    assert_eq!(answer.field("connection"), Some("close"));
}

#[tokio::test]
async fn every_answer_says_that_it_is_kept_nowhere_and_is_what_it_says() {
    let port = Port::open(admin()).await;
    for path in ["/", "/livez", "/readyz", "/metrics", "/nothing"] {
        let answer = port.get(path).await;
        assert_eq!(answer.field("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = answer.field("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    }
}

#[tokio::test]
async fn readyz_says_why_not() {
    let issuers = [good_issuer(), idle_issuer()];
    let port = Port::open(admin_of(server(issuers), Reloads::default())).await;
    let answer = port.get("/readyz").await;
    let idle = "https://idle.example: there are no keys, so that its tokens are answered with 503: \
                none were fetched yet\n";
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.body(), format!("ready\n{idle}"));
    port.admin.readiness.drain();
    let answer = port.get("/readyz").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.body(), format!("not ready\nit is shutting down\n{idle}"));

    let port = Port::open(admin_of(server([idle_issuer()]), Reloads::default())).await;
    let answer = port.get("/readyz").await;
    assert_eq!((answer.status(), answer.body()), (503, &*format!("not ready\n{idle}")));
}

#[tokio::test]
async fn metrics_are_told_in_the_dialect_that_is_asked_for() {
    let port = Port::open(admin()).await;
    port.admin.telemetry.record(Outcome::Allowed, Duration::from_millis(2));
    let answer = port.get("/metrics").await;
    assert_eq!(answer.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let line = "portcullis_requests_total{outcome=\"allowed\",reason=\"\"} 1\n";
    assert!(answer.body().contains(line));
    let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\naccept: text/plain\r\n\
                   accept: application/openmetrics-text;version=1.0.0\r\n\r\n";
    let answer = port.send(request).await;
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.field("content-type"), Some(media_type));
    assert!(answer.body().contains(line) && answer.body().ends_with("# EOF\n"));
}

#[tokio::test]
async fn other_paths_and_methods_are_told_so() {
    let port = Port::open(admin()).await;
    for path in ["/nothing", "/livez/", "//", "/LIVEZ", "/%6civez", "/metrics/x"] {
        assert_eq!(port.get(path).await.status(), 404, "{path}");
    }
    assert_eq!(port.get("/livez?verbose").await.status(), 200);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        let request =
            format!("{method} / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n");
        let answer = port.send(&request).await;
        assert_eq!((answer.status(), answer.field("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let port = Port::open(admin()).await;
    for path in ["/", "/livez", "/readyz"] {
        let answer = port.send(&format!("HEAD {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        let length: usize = answer.field("content-length").unwrap().parse().unwrap();
        assert_eq!((answer.status(), answer.body()), (200, ""));
        assert!(length > 0);
    }
}

#[tokio::test]
async fn pages_of_other_sites_are_refused_on_every_path() {
    let port = Port::open(admin()).await;
    for path in ["/", "/livez", "/readyz", "/metrics", "/nothing"] {
        for fields in ["host: localhost\r\norigin: https://evil.example", "host: evil.example"] {
            let answer = port.send(&format!("GET {path} HTTP/1.1\r\n{fields}\r\n\r\n")).await;
            assert_eq!(answer.status(), 403, "{path} {fields}");
        }
    }
}

/// The newcomer is let in, and the oldest of those who hang is not.
#[tokio::test]
async fn those_who_hang_keep_nobody_out() {
    let port = Port::open(admin()).await;
    let mut hanging = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(port.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        hanging.push(stream);
        if hanging.len().is_multiple_of(50) {
            assert_eq!(port.get("/livez").await.status(), 200);
        }
    }
    // Of all of them the last ones are still there.
    let mut answered = Vec::new();
    for (number, stream) in hanging.iter_mut().enumerate() {
        let mut answer = Vec::new();
        let _ = stream.write_all(b"host: localhost\r\n\r\n").await;
        let _ = stream.read_to_end(&mut answer).await;
        if answer.starts_with(b"HTTP/1.1 200 OK") {
            answered.push(number);
        }
    }
    assert!(answered.len() <= 64, "{}", answered.len());
    assert_eq!(answered.last(), Some(&199));
}

#[tokio::test]
async fn large_headers_are_refused() {
    let port = Port::open(admin()).await;
    let long = "x".repeat(20_000);
    let mut stream = TcpStream::connect(port.address).await.unwrap();
    // The port may be gone before all of it is written.
    let _ = stream.write_all(format!("GET / HTTP/1.1\r\nx: {long}\r\n\r\n").as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(port.get("/livez").await.status(), 200);
}

#[tokio::test]
async fn it_ends_when_it_is_told_to_and_connections_end_with_it() {
    let port = Port::open(admin()).await;
    let mut hanging = TcpStream::connect(port.address).await.unwrap();
    hanging.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    assert_eq!(port.get("/livez").await.status(), 200);
    port.stop.send(()).unwrap();
    port.serving.await.unwrap();
    let mut end = Vec::new();
    let _ = hanging.read_to_end(&mut end).await;
    assert!(end.is_empty());
    assert!(TcpStream::connect(port.address).await.is_err());
}

/// Whoever sends nothing, or sends slowly, is let go of.
#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_come_is_not_waited_for() {
    let port = Port::open(admin()).await;
    let start = Instant::now();
    assert_eq!(port.send("GET / HTTP/1.1\r\n").await.0, "");
    // Simulated; the clock may run ahead to the next sample before the connection is there.
    assert!((Duration::from_secs(10)..=Duration::from_secs(25)).contains(&start.elapsed()));
}
