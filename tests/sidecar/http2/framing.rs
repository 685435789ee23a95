//! Frames that break the rules of the connection (RFC 9113 §§4 to 6; RFC 7541).

use super::frames::*;
use crate::support::{Http2, RawUpstream, Stage};

fn setting(name: u16, value: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

/// Each after the preface and `SETTINGS`. Streams are opened without a token.
fn cases() -> Vec<(&'static str, Vec<u8>)> {
    let head = block(&[
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":authority", b"api.example"),
        (b":path", b"/case"),
    ]);
    let open = |stream| frame(HEADERS, END_HEADERS, stream, &head);
    let begun = frame(HEADERS, 0, 1, &head);
    let raw = |block: &[u8]| frame(HEADERS, WHOLE, 1, block);
    let window = |increment: u32| frame(WINDOW_UPDATE, 0, 0, &increment.to_be_bytes());
    vec![
        ("HEADERS on no stream", frame(HEADERS, WHOLE, 0, &head)),
        ("HEADERS on an even stream", frame(HEADERS, WHOLE, 2, &head)),
        ("streams that go down", [open(5), open(3)].concat()),
        ("DATA on no stream", frame(DATA, 0, 0, b"a")),
        ("DATA on an idle stream", frame(DATA, 0, 1, b"a")),
        ("CONTINUATION of nothing", frame(CONTINUATION, END_HEADERS, 1, &head)),
        ("HEADERS interrupted by PING", [begun.clone(), frame(PING, 0, 0, &[0; 8])].concat()),
        ("HEADERS interrupted by DATA", [begun.clone(), frame(DATA, 0, 1, b"a")].concat()),
        ("HEADERS interrupted by another stream's", [begun.clone(), open(3)].concat()),
        (
            "HEADERS continued on another stream",
            [begun.clone(), frame(CONTINUATION, END_HEADERS, 3, b"")].concat(),
        ),
        ("HEADERS interrupted by an unknown frame", [begun, frame(99, 0, 0, b"")].concat()),
        ("a frame of 16 KiB and a byte", frame(DATA, 0, 1, &[0; 16_385])),
        ("an HTTP/1.1 request", b"GET /case HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        ("padding longer than its frame", frame(HEADERS, WHOLE | PADDED, 1, &[200, 0])),
        (
            "a stream that depends on itself",
            frame(HEADERS, WHOLE | WITH_PRIORITY, 1, &[&[0, 0, 0, 1, 0][..], &head].concat()),
        ),
        ("PRIORITY on no stream", frame(PRIORITY, 0, 0, &[0, 0, 0, 1, 0])),
        ("RST_STREAM on no stream", frame(RST_STREAM, 0, 0, &[0; 4])),
        ("RST_STREAM on an idle stream", frame(RST_STREAM, 0, 1, &[0; 4])),
        ("RST_STREAM of 3 bytes", [open(1), frame(RST_STREAM, 0, 1, &[0; 3])].concat()),
        ("SETTINGS on a stream", frame(SETTINGS, 0, 1, b"")),
        ("SETTINGS of 3 bytes", frame(SETTINGS, 0, 0, &[0; 3])),
        ("SETTINGS acknowledged with content", frame(SETTINGS, ACK, 0, &[0; 6])),
        ("ENABLE_PUSH of 2", setting(2, 2)),
        ("INITIAL_WINDOW_SIZE above its limit", setting(4, 1 << 31)),
        ("MAX_FRAME_SIZE below its limit", setting(5, 1)),
        ("MAX_FRAME_SIZE above its limit", setting(5, 1 << 24)),
        ("PUSH_PROMISE", frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &head].concat())),
        ("PING of 7 bytes", frame(PING, 0, 0, &[0; 7])),
        ("PING on a stream", frame(PING, 0, 1, &[0; 8])),
        ("GOAWAY on a stream", frame(GOAWAY, 0, 1, &[0; 8])),
        ("WINDOW_UPDATE of nothing", window(0)),
        ("WINDOW_UPDATE of 3 bytes", frame(WINDOW_UPDATE, 0, 0, &[0; 3])),
        ("WINDOW_UPDATE on an idle stream", frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])),
        ("a window above its limit", [window(0x7FFF_FFFF), window(0x7FFF_FFFF)].concat()),
        ("an index of 0", raw(&[0x80])),
        ("an index that is not there", raw(&[0xFF, 0x80, 0x01])),
        ("a literal that is cut off", raw(&[0x00, 0x05, b'a'])),
        ("an integer without end", raw(&[0xFF; 20])),
        ("Huffman with wrong padding", raw(&[0x00, 0x81, 0x00, 0x01, b'a'])),
        ("a table size above what we allow", raw(&[0x3F, 0xE1, 0xFF, 0xFF, 0x7F])),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_framing_ends_the_stream_or_the_connection() {
    let stage = Stage::before(RawUpstream::start()).await;
    // Others go on all the while.
    let mut good = Http2::open(stage.sidecar.address()).await;
    for (name, bytes) in cases() {
        let mut client = Client::open(stage.sidecar.address());
        client.send(&bytes);
        let end = client.end_of(1);
        assert!(matches!(end, End::Reset | End::GoneAway | End::Closed), "{name}: {end:?}");
        assert_eq!(good.get("/", &stage.auth).await.status(), 200, "{name}");
    }
    assert_eq!(stage.upstream.take().len(), cases().len());
}
