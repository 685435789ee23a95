//! Clients that cost much and bring nothing. Each is sent away or held up; others notice nothing,
//! and memory stays.

use super::frames::*;
use crate::support::{Http2, RawUpstream, Stage, memory};

/// In KiB.
const GROWTH: u64 = 16 * 1024;

fn request(stream: u32, flags: u8, token: &str, more: &[u8]) -> Vec<u8> {
    let head = block(&[
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":authority", b"api.example"),
        (b":path", b"/flood"),
        (b"authorization", token.as_bytes()),
        (b"x", more),
    ]);
    frame(HEADERS, flags, stream, &head)
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_harm_nobody_else() {
    let stage = Stage::before(RawUpstream::start()).await;
    let token = stage.auth.trim_end().split_once(": ").unwrap().1.to_owned();
    let streams = |count: u32| (0..count).map(|number| 2 * number + 1);
    let reset = |stream| frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
    let continued = |count, payload: &[u8]| {
        let begun = request(1, END_STREAM, &token, b"");
        [begun, frame(CONTINUATION, 0, 1, payload).repeat(count)].concat()
    };
    let field = block(&[(b"x", &[b'a'; 1000])]);
    let floods: Vec<(&str, Vec<u8>, bool)> = vec![
        ("CONTINUATION without end", continued(2000, &field), true),
        ("empty CONTINUATION without end", continued(20_000, b""), true),
        (
            "rapid reset",
            streams(2000)
                .flat_map(|stream| [request(stream, WHOLE, &token, b""), reset(stream)].concat())
                .collect(),
            true,
        ),
        (
            "streams that depend on nothing",
            frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 0]).repeat(10_000),
            false,
        ),
        ("PING", frame(PING, 0, 0, &[7; 8]).repeat(10_000), false),
        ("SETTINGS", frame(SETTINGS, 0, 0, b"").repeat(10_000), false),
        (
            "empty DATA",
            [request(1, END_HEADERS, "Bearer x", b""), frame(DATA, 0, 1, b"").repeat(10_000)]
                .concat(),
            false,
        ),
        ("WINDOW_UPDATE", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]).repeat(10_000), false),
        ("frames of unknown kinds", frame(99, 0, 0, b"a").repeat(10_000), false),
    ];
    let mut good = Http2::open(stage.sidecar.address()).await;
    assert_eq!(good.get("/good", &stage.auth).await.status(), 200);
    let before = memory(&stage.sidecar, "VmRSS");
    for (name, bytes, ends) in floods {
        let mut client = Client::open(stage.sidecar.address());
        client.send(&bytes);
        if ends {
            let end = client.end_of(u32::MAX);
            assert!(matches!(end, End::GoneAway | End::Closed), "{name}: {end:?}");
        }
        assert_eq!(good.get("/good", &stage.auth).await.status(), 200, "{name}");
    }
    let after = memory(&stage.sidecar, "VmHWM");
    assert!(after < before + GROWTH, "{before} KiB before, {after} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_list_above_the_limit_is_refused() {
    let stage = Stage::before(RawUpstream::start()).await;
    let token = stage.auth.trim_end().split_once(": ").unwrap().1;
    let more = block(&[(b"x", &[b'a'; 16_000])]);
    for (count, is_good) in [(2, true), (5, false), (20, false)] {
        let mut client = Client::open(stage.sidecar.address());
        let mut bytes = request(1, END_STREAM, token, b"");
        for number in 1..=count {
            let flags = if number == count { END_HEADERS } else { 0 };
            bytes.extend(frame(CONTINUATION, flags, 1, &more));
        }
        client.send(&bytes);
        let end = client.end_of(1);
        assert_eq!(end == End::Answered { is_200: true }, is_good, "{count}: {end:?}");
    }
    assert_eq!(stage.upstream.take().len(), 1);
}

/// More requests at once than are allowed: the rest are refused, to be tried again.
#[tokio::test(flavor = "multi_thread")]
async fn streams_above_the_limit_are_refused_without_harm_to_the_others() {
    let stage = Stage::before(RawUpstream::start()).await;
    let token = stage.auth.trim_end().split_once(": ").unwrap().1;
    let mut client = Client::open(stage.sidecar.address());
    let mut bytes = Vec::new();
    // Without their ends, so that they stay open.
    for stream in (0..200).map(|number| 2 * number + 1) {
        bytes.extend(request(stream, END_HEADERS, token, b""));
    }
    client.send(&bytes);
    let mut refused = Vec::new();
    while refused.len() < 72 {
        let (kind, _, stream, payload) = client.next().expect("the connection goes on");
        if kind == RST_STREAM {
            assert_eq!(payload, [0, 0, 0, 7], "REFUSED_STREAM");
            refused.push(stream);
        }
    }
    assert_eq!(refused.first(), Some(&257));
    client.send(&frame(DATA, END_STREAM, 1, b"hello"));
    assert_eq!(client.end_of(1), End::Answered { is_200: true });
}
