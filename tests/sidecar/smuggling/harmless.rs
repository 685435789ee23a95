//! What is taken although it could be refused, or looks as if it should be.

use super::{Case, case, end, seen, send, stage};
use crate::support::RawRequest;

/// Its name and bytes, and what the upstream reads: the rest of the target, and the body.
fn harmless() -> Vec<(Case, &'static str, &'static str)> {
    let smuggled = "0\r\n\r\n{next}";
    let form = |name, first: &str, lines: &str, target, body| {
        let bytes = format!("{first}\r\nHost: api.example\r\n{{auth}}{{close}}{lines}");
        (case(name, bytes), target, body)
    };
    let get =
        |name, lines: &str| form(name, "GET {path} HTTP/1.1", &format!("{lines}\r\n"), "", "");
    let post = |name, lines: &str, body: &str| {
        form(name, "POST {path} HTTP/1.1", &format!("{lines}\r\n{body}"), "", "hello")
    };
    let chunks = |name, body: &str| post(name, "Transfer-Encoding: chunked\r\n", body);
    // RFC 9112 §6.3: the coding overrides the length, and the connection ends, whatever follows.
    let both = |name, lines: &str| {
        let head = "POST {path} HTTP/1.1\r\nHost: api.example\r\n{auth}";
        (case(name, format!("{head}{lines}\r\n{smuggled}")), "", "")
    };
    vec![
        both("a length, then a coding", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        both("a coding, then a length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
        both("a coding, then a bad length", "Transfer-Encoding: chunked\r\nContent-Length: x\r\n"),
        post("the same length twice", "Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
        post("a length and space", "Content-Length: \t 5 \t\r\n", "hello"),
        post("another spelling of length", "Content_Length: 9\r\nContent-Length: 5\r\n", "hello"),
        post(
            "a length for this hop",
            "Connection: content-length\r\nContent-Length: 5\r\n",
            "hello",
        ),
        post(
            "a coding for this hop",
            "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
        post(
            "another spelling of coding",
            "Transfer_Encoding: chunked\r\nContent-Length: 5\r\n",
            "hello",
        ),
        post(
            "a coding and space",
            "Transfer-Encoding: \t chunked \t\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
        post("a coding in capitals", "TRANSFER-ENCODING: CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        chunks("a size with zeros", "0000000000000000005\r\nhello\r\n0\r\n\r\n"),
        chunks("a size and space", "5 \r\nhello\r\n0\r\n\r\n"),
        chunks("extensions", "5;a=\"b\"\r\nhello\r\n0;c\r\n\r\n"),
        chunks("several chunks", "1\r\nh\r\n4\r\nello\r\n000\r\n\r\n"),
        chunks(
            "trailers that nobody announced",
            "5\r\nhello\r\n0\r\nContent-Length: 7\r\nX: y\r\n\r\n",
        ),
        form(
            "a GET with a body",
            "GET {path} HTTP/1.1",
            "Content-Length: 5\r\n\r\nhello",
            "",
            "hello",
        ),
        form(
            "a GET in chunks",
            "GET {path} HTTP/1.1",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "",
            "hello",
        ),
        form(
            "a DELETE in chunks",
            "DELETE {path} HTTP/1.1",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "",
            "hello",
        ),
        form("a method that nobody knows", "BREW {path} HTTP/1.1", "\r\n", "", ""),
        form("empty lines before", "\r\n\r\nGET {path} HTTP/1.1", "\r\n", "", ""),
        form("another host in the target", "GET http://api.example{path} HTTP/1.1", "\r\n", "", ""),
        form("a fragment", "GET {path}#x HTTP/1.1", "\r\n", "", ""),
        form("dot segments, where no rule looks", "GET {path}../x HTTP/1.1", "\r\n", "../x", ""),
        form("a query with anything", "GET {path}?a=//%00;\\ HTTP/1.1", "\r\n", "?a=//%00;\\", ""),
        get("a tab in a value", "X: a\tb\r\n"),
        get("no space after the colon", "X:a\r\n"),
        get("an empty value", "X:\r\n"),
        get("the host for this hop", "Connection: host\r\n"),
        get(
            "an upgrade to HTTP/2",
            "Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        ),
        (case("bare LF", "GET {path} HTTP/1.1\nHost: api.example\n{auth}{close}\n"), "", ""),
        (
            case(
                "bare LF at the end",
                "GET {path} HTTP/1.1\r\nHost: api.example\r\n{auth}{close}\n",
            ),
            "",
            "",
        ),
        (case("HTTP/1.0", "GET {path} HTTP/1.0\r\nHost: api.example\r\n{auth}\r\n{next}"), "", ""),
        (
            case(
                "a target with its host",
                "GET http://api.example{path} HTTP/1.1\r\nHost: other.example\r\n{auth}{close}\r\n",
            ),
            "",
            "",
        ),
        (
            case(
                "a target with its host alone",
                "GET http://api.example{path} HTTP/1.1\r\n{auth}{close}\r\n",
            ),
            "",
            "",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_all_the_same_goes_on_in_plain_form() {
    let stage = stage().await;
    let (cases, expected): (Vec<_>, Vec<_>) =
        harmless().into_iter().map(|(case, target, body)| (case, (target, body))).unzip();
    let answers = send(&stage, &cases);
    let requests = end(stage);
    for (number, (case, (target, body))) in cases.iter().zip(expected).enumerate() {
        let name = &case.name;
        assert_eq!(answers[number], Ok(vec![200]), "{name}");
        let seen = seen(&requests, number);
        assert!(!seen.smuggled, "{name}");
        let [request] = &seen.requests[..] else { panic!("{name}: {:?}", seen.requests) };
        assert!(request.is_complete && request.trailers.is_empty(), "{name}");
        let (_, line) = request.line().split_once(' ').unwrap();
        assert_eq!(line, format!("/case/{number}/{target} HTTP/1.1"), "{name}");
        assert_eq!(request.body, body.as_bytes(), "{name}");
        is_plain(request);
    }
}

/// Nothing in it can be read in two ways.
fn is_plain(request: &RawRequest) {
    let plain = request.head.replace("\r\n", "");
    assert!(!plain.contains(['\r', '\n', '\0']), "{request:?}");
    assert_eq!(request.values("host"), ["api.example"], "{request:?}");
    let length = request.body.len().to_string();
    match (&request.values("content-length")[..], &request.values("transfer-encoding")[..]) {
        ([], []) => assert!(request.body.is_empty(), "{request:?}"),
        ([told], []) => assert_eq!(*told, length, "{request:?}"),
        ([], ["chunked"]) => {}
        both => panic!("{both:?} in {request:?}"),
    }
    for name in request.head.lines().skip(1).filter_map(|line| line.split(':').next()) {
        let folded = name.replace(['_', '.'], "-");
        let framing = ["content-length", "transfer-encoding", "connection", "upgrade"];
        assert!(!framing.contains(&folded.as_str()) || folded == name, "{request:?}");
    }
    for gone in ["connection", "upgrade", "http2-settings"] {
        assert!(request.values(gone).is_empty(), "{request:?}");
    }
}
