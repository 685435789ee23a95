//! What becomes of a request whose upstream, or whose client, fails.

use std::net::TcpListener;

use crate::support::{Answer, RawUpstream, Sidecar, Stage, authority, bearer, get};

fn is_problem(answer: &Answer, status: u16, detail: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert_eq!(answer.field("www-authenticate"), None);
    assert!(answer.field("x-request-id").is_some());
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["detail"], detail);
}

const UNREACHABLE: &str = "The service behind this proxy cannot be reached";
const BROKEN: &str = "The service behind this proxy gave no proper answer";

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_not_there_is_502_for_those_with_a_token() {
    let authority = authority().await;
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["http", "h2c"] {
        let sidecar = Sidecar::before_address(nobody, &authority)
            .with("PORTCULLIS_UPSTREAM", &format!("{scheme}://{nobody}"))
            .start();
        let answer = get(sidecar.address(), "/a", &bearer(&authority.token()));
        is_problem(&answer, 502, UNREACHABLE);
        assert_eq!(get(sidecar.address(), "/a", "").status, 401);
        sidecar.wait_for_stdout(" GET /a 502 ");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_speaks_no_http_is_502() {
    for answer in [
        "",
        "\r\n\r\n",
        "hello\r\n\r\n",
        "SSH-2.0-OpenSSH_9\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n",
        "HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX y: a\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
    ] {
        let stage = Stage::before(RawUpstream::serving(move |connection| {
            connection.send(answer.as_bytes());
            false
        }))
        .await;
        let answered = stage.ask("GET", "").answer().unwrap();
        is_problem(&answered, 502, BROKEN);
        assert_eq!(stage.upstream.take().len(), 1, "{answer}");
    }
}

/// The client must not take a part for the whole.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_does_so_for_the_client() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n",
    ] {
        let stage = Stage::before(RawUpstream::serving(move |connection| {
            connection.send(answer.as_bytes());
            false
        }))
        .await;
        let mut client = stage.ask("GET", "");
        let head = String::from_utf8(client.until(b"\r\n\r\n").unwrap()).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let rest = client.rest();
        let ends = String::from_utf8(rest).unwrap();
        assert!(ends.len() < 15 && !ends.ends_with("0\r\n\r\n"), "{answer}: {ends}");
        stage.sidecar.wait_for_stdout(" GET /a 200 upstream");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_takes_its_request_along() {
    // Before the answer has begun, and in the middle of one that never ends.
    for (begins, lines, body) in [
        (false, "", ""),
        (false, "Content-Length: 5\r\n", "hello"),
        (false, "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        (true, "", ""),
    ] {
        let upstream = RawUpstream::speaking(move |connection, note| {
            let Some(request) = connection.request() else { return };
            note(request);
            if begins {
                connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                while connection.try_send(b"5\r\nhello\r\n") {}
            } else {
                assert!(connection.is_closed());
            }
        });
        let stage = Stage::before(upstream).await;
        let method = if body.is_empty() { "GET" } else { "POST" };
        let mut client = stage.ask(method, lines);
        client.send(body.as_bytes());
        if begins {
            client.until(b"hello").unwrap();
        } else {
            stage.sidecar.wait_for(|| stage.upstream.count() == 1, "the request is there");
        }
        drop(client);
        // The upstream's connection ends, or this would wait for ever.
        assert!(stage.upstream.take_all().len() <= 1);
        stage.sidecar.wait_for_stdout(" client_gone ");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_off_is_no_complete_request() {
    let stage = Stage::before(RawUpstream::start()).await;
    for (lines, part) in [
        ("Content-Length: 10\r\n", "hello"),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhel"),
    ] {
        let mut client = stage.ask("POST", lines);
        client.send(part.as_bytes());
        client.finish();
        // It may be told so, if it listens.
        assert!(client.answer().is_none_or(|answer| answer.status == 400), "{lines}{part}");
    }
    let Stage { sidecar, upstream, .. } = stage;
    sidecar.wait_for(|| sidecar.stdout().matches("client_gone").count() == 4, "four lines");
    drop(sidecar);
    assert!(upstream.take_all().iter().all(|request| !request.is_complete));
}

/// Without a bound the sidecar reads them as long as they come, and whoever shares the worker waits.
#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_only_announces_its_answer_is_502_and_stops_nobody() {
    for interim in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"] {
        let stage = Stage::before(RawUpstream::speaking(move |connection, note| {
            let many = interim.repeat(4_096);
            while let Some(request) = connection.request() {
                let floods = request.line().contains("POST");
                note(request);
                while floods && connection.try_send(many.as_bytes()) {}
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        }))
        .await;
        let mut flooded: Vec<_> =
            (0..4).map(|_| stage.ask("POST", "Content-Length: 0\r\n")).collect();
        // As many as there are workers, and more.
        let mut good: Vec<_> = (0..8).map(|_| stage.ask("GET", "")).collect();
        for client in &mut good {
            assert_eq!(client.answer().unwrap().status, 200);
        }
        for client in &mut flooded {
            is_problem(&client.answer().unwrap(), 502, BROKEN);
        }
    }
}

/// Those that servers send before an answer that takes time are none of it.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_come_before_the_answer_are_passed_over() {
    let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000);
    let answer = format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let stage = Stage::answering(answer).await;
    let mut client = stage.open();
    // What came before counts for nothing at the next.
    for _ in 0..30 {
        client.send(stage.head("GET", "").as_bytes());
        assert_eq!(client.answer().unwrap().text(), "ok");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_has_a_largest_size() {
    for (length, status) in [(100 * 1024, 200), (257 * 1024, 502), (1024 * 1024, 502)] {
        let padding = "x".repeat(length);
        let body = "b".repeat(1024 * 1024);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nX-Padding: {padding}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let stage = Stage::answering(answer).await;
        let answered = stage.ask("GET", "").answer().unwrap();
        assert_eq!(answered.status, status, "{length}");
        if status == 200 {
            assert_eq!(answered.body, body.as_bytes());
        } else {
            is_problem(&answered, status, BROKEN);
        }
    }
}
