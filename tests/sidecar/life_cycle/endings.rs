//! One process, told to end.

use std::fs;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::process::Command;

use crate::support::{
    Connection, Held, PARTS, Settings, Sidecar, Upstream, authority, bearer, get, signal,
};
use portcullis::testing::Authority;

fn before(held: &Held, authority: &Authority) -> Settings {
    Sidecar::before_address(held.address(), authority)
}

/// A request whose answer has begun.
fn begin(sidecar: &Sidecar, held: &Held, token: &str) -> Connection {
    let already = held.begun();
    let mut connection = Connection::open(sidecar.address());
    send(&mut connection, token);
    sidecar.wait_for(|| held.begun() > already, "an answer begins");
    connection
}

fn send(connection: &mut Connection, token: &str) {
    let request = format!("GET /orders HTTP/1.1\r\nHost: api.example\r\n{token}\r\n");
    connection.send(request.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn open_requests_are_finished_and_logged() {
    let (authority, held) = (authority().await, Held::start());
    for name in ["TERM", "INT"] {
        let mut sidecar = before(&held, &authority).start();
        let mut connection = begin(&sidecar, &held, &bearer(&authority.token()));
        sidecar.signal(name);
        let is_closed = || TcpStream::connect(sidecar.address()).is_err();
        sidecar.wait_for(is_closed, "the port is closed");
        held.release();
        let answer = connection.answer().unwrap();
        assert_eq!((answer.status, answer.text()), (200, PARTS.concat()), "{name}");
        assert!(connection.is_closed());
        assert_eq!(sidecar.wait().code(), Some(0));
        assert!(sidecar.stderr().contains(" drained"), "{}", sidecar.stderr());
        assert!(sidecar.stdout().contains(" /orders 200 allowed "), "{}", sidecar.stdout());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_leaves_requests_are_served_and_clients_asked_to_close() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    // As long as it can be before the port is closed.
    let settings = Sidecar::before(&upstream, &authority).with("PORTCULLIS_DRAIN_TIMEOUT", "10m");
    let mut sidecar = settings.start();
    let token = bearer(&authority.token());
    let mut old = Connection::open(sidecar.address());
    send(&mut old, &token);
    assert_eq!(old.answer().unwrap().field("connection"), None);
    assert_eq!(sidecar.ask_admin("/readyz").status, 200);

    sidecar.signal("TERM");
    sidecar.wait_for(|| sidecar.ask_admin("/readyz").status == 503, "not ready");
    assert!(sidecar.ask_admin("/readyz").text().contains("shutting down"));
    assert_eq!(sidecar.ask_admin("/livez").status, 200);
    let mut new = Connection::open(sidecar.address());
    for connection in [&mut old, &mut new] {
        send(connection, &token);
        let answer = connection.answer().unwrap();
        assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
        assert!(connection.is_closed());
    }
    // Somebody is in a hurry.
    sidecar.signal("TERM");
    assert_eq!(sidecar.wait().code(), Some(0));
    assert_eq!(sidecar.stdout().lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_is_cut_off_when_the_drain_timeout_is_over() {
    let (authority, held) = (authority().await, Held::start());
    let settings = before(&held, &authority).with("PORTCULLIS_DRAIN_TIMEOUT", "500ms");
    let mut sidecar = settings.start();
    let mut connection = begin(&sidecar, &held, &bearer(&authority.token()));
    sidecar.signal("TERM");
    assert_eq!(sidecar.wait().code(), Some(0));
    let rest = String::from_utf8(connection.rest()).unwrap();
    assert!(rest.ends_with(PARTS[0]), "{rest}");
    let log = sidecar.stderr();
    assert!(log.contains("the drain timeout is over") && log.contains("connections=1"), "{log}");
    assert!(sidecar.stdout().contains(" /orders 200 cut_off "), "{}", sidecar.stdout());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let (authority, held) = (authority().await, Held::start());
    for (first, second) in [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT"), ("INT", "TERM")] {
        let settings = before(&held, &authority).with("PORTCULLIS_DRAIN_TIMEOUT", "24h");
        let mut sidecar = settings.start();
        let mut connection = begin(&sidecar, &held, &bearer(&authority.token()));
        sidecar.signal(first);
        sidecar.wait_for_stderr("draining");
        // This one changes nothing any more.
        sidecar.signal("HUP");
        sidecar.signal(second);
        assert_eq!(sidecar.wait().code(), Some(0), "{first} {second}");
        let rest = String::from_utf8(connection.rest()).unwrap();
        assert!(rest.ends_with(PARTS[0]), "{rest}");
        assert_eq!(sidecar.stdout().lines().count(), 1, "{}", sidecar.stdout());
    }
}

/// More than tokio accepts in one go.
const QUEUED: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn connections_in_the_queue_are_served_before_the_port_is_closed() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let mut sidecar = Sidecar::before(&upstream, &authority).start();
    let token = bearer(&authority.token());
    // While it stands still, the system takes connections for it, and what they send.
    sidecar.signal("STOP");
    let mut queue: Vec<_> = (0..QUEUED).map(|_| Connection::open(sidecar.address())).collect();
    for connection in &mut queue {
        send(connection, &token);
    }
    sidecar.signal("INT");
    sidecar.signal("CONT");
    let statuses = queue.iter_mut().map(|connection| Some(connection.answer()?.status));
    let lost = statuses.filter(|status| *status != Some(200)).count();
    assert_eq!(lost, 0, "of {QUEUED}");
    assert_eq!(sidecar.wait().code(), Some(0));
    assert_eq!(sidecar.stdout().lines().count(), QUEUED);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_which_nothing_comes_are_let_go() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let settings = Sidecar::before(&upstream, &authority).with("PORTCULLIS_DRAIN_TIMEOUT", "24h");
    let mut sidecar = settings.start();
    let mut silent = Connection::open(sidecar.address());
    let gone = Connection::open(sidecar.address());
    // Both have been accepted when a later one has.
    assert_eq!(get(sidecar.address(), "/orders", "").status, 401);
    sidecar.signal("INT");
    sidecar.wait_for_stderr("draining");
    drop(gone);
    assert!(silent.is_closed());
    assert_eq!(sidecar.wait().code(), Some(0));
    assert!(!sidecar.stderr().contains("panicked"), "{}", sidecar.stderr());
}

/// The time for a header is counted while it is drained too.
#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_does_not_come_to_its_end_does_not_keep_the_process() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let settings = Sidecar::before(&upstream, &authority).with("PORTCULLIS_DRAIN_TIMEOUT", "24h");
    let mut sidecar = settings.start();
    let mut half = Connection::open(sidecar.address());
    half.send(b"GET /orders HTTP/1.1\r\nHost: api");
    // It has been accepted when a later one has.
    assert_eq!(get(sidecar.address(), "/orders", "").status, 401);
    sidecar.signal("INT");
    assert!(half.is_closed());
    assert_eq!(sidecar.wait().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_as_the_first_process_of_a_container() {
    const UNSHARE: [&str; 6] =
        ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
    let may = Command::new(UNSHARE[0]).args(&UNSHARE[1..]).arg("true").output();
    if !may.is_ok_and(|output| output.status.success()) {
        // A container may forbid it. Not eprintln!, which the test harness swallows.
        let notice = b"skipped: this user may not make a PID namespace\n";
        io::stderr().write_all(notice).unwrap();
        return;
    }
    let (authority, held) = (authority().await, Held::start());
    for name in ["TERM", "INT"] {
        let mut sidecar = before(&held, &authority).through(&UNSHARE).start();
        let outer = sidecar.id();
        let children = fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).unwrap();
        let id: u32 = children.trim().parse().unwrap();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("NSpid:")).unwrap();
        assert!(line.ends_with("\t1"), "{line}");

        let mut connection = begin(&sidecar, &held, &bearer(&authority.token()));
        signal(id, name);
        sidecar.wait_for_stderr("draining");
        held.release();
        assert_eq!(connection.answer().unwrap().text(), PARTS.concat());
        assert_eq!(sidecar.wait().code(), Some(0), "{name}");
    }
}

/// More than a pipe holds, in lines of the longest kind.
const UNREAD: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_log_that_stands_still_keeps_nobody() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let token = bearer(&authority.token());
    let path = format!("/orders/{}", "x/".repeat(500));
    for (level, timeout, signals) in [
        ("info", "500ms", &["TERM"][..]),
        ("info", "24h", &["INT", "INT"]),
        // More than a pipe holds goes to standard error as well.
        ("trace", "500ms", &["TERM"]),
    ] {
        let settings = Sidecar::before(&upstream, &authority)
            .with("PORTCULLIS_LOG", level)
            .with("PORTCULLIS_DRAIN_TIMEOUT", timeout)
            .unread();
        let mut sidecar = settings.start();
        for _ in 0..UNREAD {
            assert_eq!(get(sidecar.address(), &path, &token).status, 200);
        }
        for signal in signals {
            sidecar.signal(signal);
            let is_closed = || TcpStream::connect(sidecar.address()).is_err();
            sidecar.wait_for(is_closed, "the port is closed");
        }
        sidecar.wait_for_end();
        assert_eq!(sidecar.wait().code(), Some(0), "{level} {timeout}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_cannot_be_written_are_counted() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority)
        .through(&["sh", "-c", "exec \"$0\" \"$@\" >/dev/full"])
        .start();
    let lost = |log| sidecar.metric(&format!("portcullis_log_lines_dropped_total{{log={log:?}}}"));
    assert_eq!((lost("access"), lost("process")), (0, 0));
    for _ in 0..3 {
        get(sidecar.address(), "/orders", "");
    }
    sidecar.wait_for(|| lost("access") == 3, "three lines are lost");
    assert_eq!(lost("process"), 0);
    sidecar.wait_for_stderr("access log: cannot be written");
}
