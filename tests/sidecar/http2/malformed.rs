//! Requests that are malformed (RFC 9113 §8).

use super::frames::{
    CONTINUATION, Client, DATA, END_HEADERS, END_STREAM, End, HEADERS, WHOLE, block, frame,
};
use crate::support::{RawUpstream, Stage};

type Field = (&'static [u8], &'static [u8]);

const METHOD: Field = (b":method", b"GET");
const POST: Field = (b":method", b"POST");
const SCHEME: Field = (b":scheme", b"http");
const AUTHORITY: Field = (b":authority", b"api.example");
const PATH: Field = (b":path", b"/case");
/// Stands for the field with the token.
const TOKEN: Field = (b"authorization", b"");

const fn text(name: &'static str, value: &'static str) -> Field {
    (name.as_bytes(), value.as_bytes())
}

/// A GET with one field more.
fn with(field: Field) -> Vec<Field> {
    vec![METHOD, SCHEME, AUTHORITY, PATH, TOKEN, field]
}

/// A POST with one field more.
fn post(field: Field) -> Vec<Field> {
    vec![POST, SCHEME, AUTHORITY, PATH, TOKEN, field]
}

fn heads() -> Vec<Vec<Field>> {
    let mut heads: Vec<Vec<Field>> = [
        text("X-Upper", "a"),
        text(":unknown", "a"),
        text(":path", "/late"),
        text(":status", "200"),
        text("connection", "close"),
        text("connection", "x-auth-subject"),
        text("keep-alive", "timeout=5"),
        text("proxy-connection", "keep-alive"),
        text("transfer-encoding", "chunked"),
        text("upgrade", "h2c"),
        text("te", "gzip"),
        text("te", "trailers, deflate"),
        text("", "a"),
        text("x y", "a"),
        text("x:y", "a"),
        text("x\r\ny", "a"),
        text("x\0", "a"),
        text("xé", "a"),
        text("x", "a\r\nx-auth-subject: admin"),
        text("x", "a\nb"),
        text("x", "a\rb"),
        text("x", "a\0b"),
        text("host", "other.example"),
        text("content-length", "5"),
        text("content-length", "x"),
        text("content-length", "-1"),
        text("content-length", "+0"),
        text("content-length", "0, 0"),
        text("content-length", "18446744073709551616"),
    ]
    .map(with)
    .into();
    heads.extend([
        vec![METHOD, METHOD, SCHEME, AUTHORITY, PATH, TOKEN],
        vec![METHOD, SCHEME, SCHEME, AUTHORITY, PATH, TOKEN],
        vec![METHOD, SCHEME, AUTHORITY, AUTHORITY, PATH, TOKEN],
        vec![METHOD, SCHEME, AUTHORITY, PATH, text(":path", "/case/b"), TOKEN],
        vec![SCHEME, AUTHORITY, PATH, TOKEN],
        vec![METHOD, AUTHORITY, PATH, TOKEN],
        vec![METHOD, SCHEME, AUTHORITY, TOKEN],
        vec![METHOD, SCHEME, PATH, TOKEN],
        vec![METHOD, SCHEME, AUTHORITY, TOKEN, PATH],
        vec![TOKEN, METHOD, SCHEME, AUTHORITY, PATH],
        vec![METHOD, SCHEME, PATH, TOKEN, text("host", "a"), text("host", "b")],
        vec![
            METHOD,
            SCHEME,
            AUTHORITY,
            PATH,
            TOKEN,
            text("content-length", "0"),
            text("content-length", "1"),
        ],
    ]);
    for path in
        ["", "case", "*", "http://api.example/case", "/ca se", "/ca\0se", "/case\r\nX: y", "//\r\n"]
    {
        heads.push(vec![METHOD, SCHEME, AUTHORITY, text(":path", path), TOKEN]);
    }
    for authority in ["", "u:p@api.example", "api.example/x", "a b", "a\r\nX: y", "a\0"] {
        heads.push(vec![METHOD, SCHEME, text(":authority", authority), PATH, TOKEN]);
    }
    for method in ["", "GE T", "GET /x HTTP/1.1\r\nX: y", "G\0T", "CONNECT", "TRACE"] {
        heads.push(vec![text(":method", method), SCHEME, AUTHORITY, PATH, TOKEN]);
    }
    heads.extend([
        vec![text(":method", "CONNECT"), AUTHORITY, TOKEN],
        vec![
            text(":method", "CONNECT"),
            SCHEME,
            AUTHORITY,
            PATH,
            text(":protocol", "websocket"),
            TOKEN,
        ],
        vec![METHOD, SCHEME, AUTHORITY, PATH, text(":protocol", "websocket"), TOKEN],
    ]);
    heads
}

fn encode(fields: &[Field], token: &[u8]) -> Vec<u8> {
    let fields =
        fields.iter().map(|(name, value)| (*name, if *name == TOKEN.0 { token } else { *value }));
    block(&fields.collect::<Vec<_>>())
}

/// What follows a head that is good by itself.
fn rests() -> Vec<(Field, Vec<Vec<u8>>)> {
    let data = |flags, payload: &[u8]| frame(DATA, flags, 1, payload);
    let trailers = |flags, field| frame(HEADERS, flags, 1, &block(&[field]));
    let length = |value| text("content-length", value);
    let none = text("x", "y");
    vec![
        (length("5"), vec![data(END_STREAM, b"hell")]),
        (length("5"), vec![data(END_STREAM, b"hello!")]),
        (length("5"), vec![data(0, b"hello"), data(END_STREAM, b"!")]),
        (length("5"), vec![data(END_STREAM, b"")]),
        (length("5"), vec![data(0, b"hel"), trailers(WHOLE, none)]),
        (length("0"), vec![data(END_STREAM, b"GET /smuggled HTTP/1.1\r\n\r\n")]),
        (none, vec![data(0, b"hello"), trailers(END_HEADERS, none)]),
        (none, vec![data(0, b"hello"), trailers(WHOLE, text("X-Upper", "a"))]),
        (none, vec![data(0, b"hello"), trailers(WHOLE, text("connection", "close"))]),
        (none, vec![data(0, b"hello"), frame(CONTINUATION, END_HEADERS, 1, &block(&[none]))]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_request_reaches_nobody() {
    let stage = Stage::before(RawUpstream::start()).await;
    let token = stage.auth.trim_end().split_once(": ").unwrap().1.to_owned();
    let whole = heads().into_iter().map(|fields| {
        let shown = format!(
            "{:?}",
            fields
                .iter()
                .map(|(n, v)| (String::from_utf8_lossy(n), String::from_utf8_lossy(v)))
                .collect::<Vec<_>>()
        );
        (shown, frame(HEADERS, WHOLE, 1, &encode(&fields, token.as_bytes())))
    });
    let in_parts = rests().into_iter().map(|(field, rest)| {
        let head = frame(HEADERS, END_HEADERS, 1, &encode(&post(field), token.as_bytes()));
        (format!("{field:?} {rest:?}"), [head, rest.concat()].concat())
    });
    let mut faults = Vec::new();
    for (name, bytes) in whole.chain(in_parts) {
        let mut client = Client::open(stage.sidecar.address());
        client.send(&bytes);
        if matches!(client.end_of(1), End::Answered { is_200: true }) {
            faults.push(name);
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    // h2 passes over a pseudo-header in trailers, and so it goes nowhere.
    let late = frame(HEADERS, WHOLE, 1, &block(&[(b":path", b"/other")]));
    let head = frame(HEADERS, END_HEADERS, 1, &encode(&post(text("x", "y")), token.as_bytes()));
    let mut client = Client::open(stage.sidecar.address());
    client.send(&[head, late].concat());
    assert_eq!(client.end_of(1), End::Answered { is_200: true });
    // And the same client that does it right is served.
    let mut client = Client::open(stage.sidecar.address());
    let good = encode(&with(text("x", "y")), token.as_bytes());
    client.send(&frame(HEADERS, WHOLE, 1, &good));
    assert_eq!(client.end_of(1), End::Answered { is_200: true });
    let Stage { sidecar, upstream, .. } = stage;
    drop(sidecar);
    let all = upstream.take_all();
    assert!(all.iter().all(|request| request.trailers.is_empty()), "{all:#?}");
    let complete = all.into_iter().filter(|request| request.is_complete);
    let lines: Vec<_> = complete.map(|request| request.line().to_owned()).collect();
    assert_eq!(lines, ["POST /case HTTP/1.1", "GET /case HTTP/1.1"]);
}
