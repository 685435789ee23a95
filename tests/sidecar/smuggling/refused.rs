//! What is refused, by where in the request the doubt is.

use super::{Case, case, end, seen, send, stage};

/// A POST with these lines and this body, and what follows.
fn post(name: &str, lines: &str, rest: &str) -> Case {
    let head = "POST {path} HTTP/1.1\r\nHost: api.example\r\n{auth}";
    case(name, format!("{head}{lines}\r\n{rest}"))
}

/// A GET with this in its header.
fn get(name: &str, line: &[u8]) -> Case {
    let head = b"GET {path} HTTP/1.1\r\nHost: api.example\r\n{auth}";
    case(name, [&head[..], line, b"\r\n{next}"].concat())
}

/// A POST in chunks, of which these are the bytes.
fn chunks(name: &str, bytes: &str) -> Case {
    post(name, "Transfer-Encoding: chunked\r\n", bytes)
}

const CHUNKED: &str = "5\r\nhello\r\n0\r\n\r\n{next}";

/// Where the body ends.
fn lengths() -> Vec<Case> {
    let mut cases = Vec::new();
    for value in [
        "xchunked",
        "chunked, chunked",
        "gzip, chunked",
        "chunked, gzip",
        "identity",
        "gzip",
        "chunked, identity",
        "\"chunked\"",
        "chunked;q=1",
        "chunked,",
        ",chunked",
        "\x0bchunked",
        "chunked\x0b",
        "chun ked",
        "",
        "chunke\u{301}d",
        "cow",
        "identity, chunked",
    ] {
        let lines = format!("Transfer-Encoding: {value}\r\n");
        cases.push(post(&format!("coding {value:?}"), &lines, CHUNKED));
    }
    for value in [
        "-5",
        "05",
        "+5",
        "0x5",
        "5, 5",
        "5,6",
        "5.0",
        "5e0",
        "five",
        "",
        "18446744073709551616",
        "99999999999999999999999",
        "\"5\"",
        "5;",
        "1 0",
        "18446744073709551615",
    ] {
        let lines = format!("Content-Length: {value}\r\n");
        cases.push(post(&format!("length {value:?}"), &lines, "hello{next}"));
    }
    for (name, lines) in [
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("two lengths, one of them 0", "Content-Length: 0\r\nContent-Length: 5\r\n"),
        ("two lengths, one of them none", "Content-Length: 5\r\nContent-Length: x\r\n"),
        ("two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ("a coding and chunked", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
        ("chunked and a coding", "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n"),
        ("chunked and identity", "Transfer-Encoding: chunked\r\nTransfer-encoding: identity\r\n"),
        ("a coding, folded", "Transfer-Encoding:\r\n chunked\r\n"),
        ("space before the colon", "Transfer-Encoding : chunked\r\n"),
        ("tab before the colon", "Content-Length\t: 5\r\n"),
        ("space before the name", " Transfer-Encoding: chunked\r\n"),
        ("a length, folded", "Content-Length: 5\r\n 0\r\n"),
        ("a length and a NUL", "Content-Length: 5\0\r\n"),
        ("a coding of HTTP/2's name", ":transfer-encoding: chunked\r\n"),
        ("bare CR before a coding", "X: y\rTransfer-Encoding: chunked\r\n"),
        ("a length in quotes and a good one", "Content-Length: \"5\"\r\nContent-Length: 5\r\n"),
    ] {
        cases.push(post(name, lines, CHUNKED));
    }
    cases.push(case(
        "HTTP/1.0 in chunks",
        format!("POST {{path}} HTTP/1.0\r\nHost: a\r\n{{auth}}Transfer-Encoding: chunked\r\n\r\n{CHUNKED}"),
    ));
    cases
}

/// Within a body in chunks.
fn chunk_framing() -> Vec<Case> {
    [
        ("size that overflows", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("negative size", "-5\r\nhello\r\n0\r\n\r\n"),
        ("size with plus", "+5\r\nhello\r\n0\r\n\r\n"),
        ("size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("no size", "\r\nhello\r\n0\r\n\r\n"),
        ("no hexadecimal size", "g\r\nhello\r\n0\r\n\r\n"),
        ("space before the size", " 5\r\nhello\r\n0\r\n\r\n"),
        ("size and bare LF", "5\nhello\r\n0\r\n\r\n"),
        ("size and bare CR", "5\rhello\r\n0\r\n\r\n"),
        ("no line end after the data", "5\r\nhello0\r\n\r\n"),
        ("bare LF after the data", "5\r\nhello\n0\r\n\r\n"),
        ("data longer than said", "5\r\nhello!\r\n0\r\n\r\n"),
        ("extension with bare LF", "5;a\nhello\r\n0\r\n\r\n"),
        ("extension with bare CR", "5;a\rb\nhello\r\n0\r\n\r\n"),
        ("extension with NUL", "5;a\0\nhello\r\n0\r\n\r\n"),
        ("last chunk and bare LF", "5\r\nhello\r\n0\n\r\n"),
        ("end with bare CR", "5\r\nhello\r\n0\r\n\rX"),
        ("trailer without colon", "5\r\nhello\r\n0\r\nx\r\n\r\n"),
        ("trailer with space before the colon", "5\r\nhello\r\n0\r\nx : y\r\n\r\n"),
        ("trailer that is folded", "5\r\nhello\r\n0\r\nx: y\r\n z\r\n\r\n"),
    ]
    .into_iter()
    .map(|(name, bytes)| chunks(name, &format!("{bytes}{{next}}")))
    .collect()
}

/// Header lines.
fn lines() -> Vec<Case> {
    let long = |length: usize| "a".repeat(length);
    let mut cases: Vec<Case> = [
        ("NUL in a value", &b"X: a\0b\r\n"[..]),
        ("NUL in a name", b"X\0: a\r\n"),
        ("bare CR in a value", b"X: a\rb\r\n"),
        ("bare CR before the line end", b"X: a\r\r\n"),
        ("bare CR in a name", b"X\r: a\r\n"),
        ("control character in a value", b"X: a\x01b\r\n"),
        ("DEL in a value", b"X: a\x7fb\r\n"),
        ("folded line", b"X: a\r\n b\r\n"),
        ("folded line, tab", b"X: a\r\n\tb\r\n"),
        ("space before the colon", b"X : a\r\n"),
        ("space in a name", b"X Y: a\r\n"),
        ("empty name", b": a\r\n"),
        ("no colon", b"X\r\n"),
        ("a name in brackets", b"(X): a\r\n"),
        ("a name of UTF-8", b"X\xc3\xa9: a\r\n"),
        ("two hosts", b"Host: other.example\r\n"),
        ("the same host twice", b"Host: api.example\r\n"),
    ]
    .into_iter()
    .map(|(name, line)| get(name, line))
    .collect();
    cases.push(get("a field of 80 KiB", format!("X: {}\r\n", long(80 * 1024)).as_bytes()));
    cases.push(get("200 fields", "X: a\r\n".repeat(200).as_bytes()));
    cases.push(case(
        "a target of 80 KiB",
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n{{auth}}\r\n{{next}}", long(80 * 1024)),
    ));
    for (name, host) in [
        ("no host", ""),
        ("a host with user information", "Host: a@b\r\n"),
        ("a host with a path", "Host: a/b\r\n"),
        ("a host with a space", "Host: a b\r\n"),
        ("two hosts in a list", "Host: a,b c\r\n"),
        ("a host and a NUL", "Host: a\0\r\n"),
        ("a host, folded", "Host:\r\n a\r\n"),
    ] {
        cases.push(case(name, format!("GET {{path}} HTTP/1.1\r\n{host}{{auth}}\r\n{{next}}")));
    }
    cases
}

/// The first line.
fn first_lines() -> Vec<Case> {
    [
        ("two spaces before the target", "GET  {path} HTTP/1.1"),
        ("two spaces after the target", "GET {path}  HTTP/1.1"),
        ("a tab before the target", "GET\t{path} HTTP/1.1"),
        ("a space in the target", "GET {path} x HTTP/1.1"),
        ("a space at the end", "GET {path} HTTP/1.1 "),
        ("a space at the start", " GET {path} HTTP/1.1"),
        ("a vertical tab", "GET {path}\x0bHTTP/1.1"),
        ("bare CR", "GET {path} HTTP/1.1\rX"),
        ("NUL in the target", "GET {path}\0 HTTP/1.1"),
        ("no version: HTTP/0.9", "GET {path}"),
        ("HTTP/0.9 by name", "GET {path} HTTP/0.9"),
        ("HTTP/1.2", "GET {path} HTTP/1.2"),
        ("HTTP/2.0", "GET {path} HTTP/2.0"),
        ("HTTP/11", "GET {path} HTTP/11"),
        ("http/1.1", "GET {path} http/1.1"),
        ("HTTP/1.1 twice", "GET {path} HTTP/1.1 HTTP/1.1"),
        ("another protocol", "GET {path} ICAP/1.0"),
        ("no method", "{path} HTTP/1.1"),
        ("a method with a control character", "G\x01T {path} HTTP/1.1"),
        ("a method with a colon", "GET: {path} HTTP/1.1"),
        ("no target", "GET HTTP/1.1"),
        ("a relative target", "GET case HTTP/1.1"),
        ("an authority as target", "GET api.example:80 HTTP/1.1"),
        ("an asterisk", "OPTIONS * HTTP/1.1"),
        ("user information", "GET http://u:p@api.example{path} HTTP/1.1"),
        ("a query without a path", "GET http://api.example?{path} HTTP/1.1"),
        ("the preface of HTTP/2, cut", "PRI * HTTP/2.0\r\n\r\nSX\r\n\r\nGET {path} HTTP/1.1"),
        ("CONNECT", "CONNECT api.example:80 HTTP/1.1"),
        ("TRACE", "TRACE {path} HTTP/1.1"),
    ]
    .into_iter()
    .map(|(name, line)| case(name, format!("{line}\r\nHost: api.example\r\n{{auth}}\r\n{{next}}")))
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_read_in_two_ways_is_refused_and_the_connection_ends() {
    let stage = stage().await;
    let in_head: Vec<Case> = lengths().into_iter().chain(lines()).chain(first_lines()).collect();
    let count_in_head = in_head.len();
    let cases: Vec<Case> = in_head.into_iter().chain(chunk_framing()).collect();
    assert!(cases.len() >= 60);
    let answers = send(&stage, &cases);
    let requests = end(stage);
    let mut faults = Vec::new();
    for (number, (case, answers)) in cases.iter().zip(answers).enumerate() {
        let seen = seen(&requests, number);
        // A body is passed on while it comes, so that the start of one may have arrived.
        let arrived = if number < count_in_head {
            !seen.requests.is_empty()
        } else {
            seen.requests.iter().any(|request| request.is_complete)
        };
        let refused = [400, 405, 414, 431];
        let is_refused = match answers.as_deref() {
            Ok([]) => true,
            Ok([status]) => refused.contains(status),
            _ => false,
        };
        if arrived || seen.smuggled || !is_refused {
            faults.push(format!("{}: {answers:?} {:?}", case.name, seen.requests));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
