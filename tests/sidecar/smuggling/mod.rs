//! Requests that two servers could read in two ways. What arrives behind the sidecar is nothing, or
//! one request that reads the same to everybody; after doubt the connection ends.
//!
//! hyper is lenient in a few places. `harmless` has them, with what reaches the upstream: always a
//! new request in plain form, so that the doubt stays here.

mod harmless;
mod pipelining;
mod refused;

use std::thread::{self, ScopedJoinHandle};

use crate::support::{RawRequest, RawUpstream, Stage};

/// Bytes of a request. `{path}` is its own, `{auth}` the line of a good token, and `{next}` a whole
/// other request that nobody must take for one.
struct Case {
    name: String,
    bytes: Vec<u8>,
}

/// What the upstream got of it.
struct Seen<'a> {
    requests: Vec<&'a RawRequest>,
    smuggled: bool,
}

async fn stage() -> Stage {
    Stage::before(RawUpstream::start()).await
}

fn bytes(stage: &Stage, number: usize, case: &[u8]) -> Vec<u8> {
    let path = format!("/case/{number}/");
    let next = format!("GET /smuggled/{number}/ HTTP/1.1\r\nHost: a\r\n{}\r\n", stage.auth);
    let mut bytes = case.to_vec();
    let close = "Connection: close\r\n".to_owned();
    let marks =
        [("{path}", &path), ("{auth}", &stage.auth), ("{close}", &close), ("{next}", &next)];
    for (mark, text) in marks {
        bytes = replace(&bytes, mark.as_bytes(), text.as_bytes());
    }
    bytes
}

/// Sends each over a connection of its own, all at once; the statuses of its answers up to the
/// end of the connection, which has to come.
fn send(stage: &Stage, cases: &[Case]) -> Vec<Result<Vec<u16>, String>> {
    let send = |number: usize, case: &Case| {
        let mut connection = stage.open();
        connection.send(&bytes(stage, number, &case.bytes));
        std::iter::from_fn(|| connection.answer()).map(|answer| answer.status).collect()
    };
    thread::scope(|scope| {
        let sent: Vec<_> =
            (0..).zip(cases).map(|(n, case)| scope.spawn(move || send(n, case))).collect();
        let result = |thread: ScopedJoinHandle<'_, Vec<u16>>| {
            thread.join().map_err(|_| "the connection goes on".to_owned())
        };
        sent.into_iter().map(result).collect()
    })
}

/// Everything that has reached the upstream, once nothing more can.
fn end(stage: Stage) -> Vec<RawRequest> {
    drop(stage.sidecar);
    stage.upstream.take_all()
}

fn seen(requests: &[RawRequest], number: usize) -> Seen<'_> {
    let of = |path: String| requests.iter().filter(move |one| one.line().contains(&path));
    Seen {
        requests: of(format!(" /case/{number}/")).collect(),
        smuggled: of(format!("/smuggled/{number}/")).next().is_some(),
    }
}

fn replace(bytes: &[u8], mark: &[u8], text: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(text);
        rest = &rest[at + mark.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

fn case(name: &str, bytes: impl Into<Vec<u8>>) -> Case {
    Case { name: name.to_owned(), bytes: bytes.into() }
}
