//! A refusal for a gRPC client: headers and trailers in one, and no body ("Trailers-Only",
//! grpc/doc/PROTOCOL-HTTP2.md; grpc/doc/PROTOCOL-WEB.md).

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version};

use super::Rejection;

const GRPC: &str = "application/grpc";
const WEB: &str = "application/grpc-web";
const WEB_TEXT: &str = "application/grpc-web-text";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// Servers may rely on clients to take 8 KiB in all; one that is sent more may fail the call and never
/// see its code. The rest is fixed, and far below 512 bytes.
const MAX_CHALLENGE: usize = 8 * 1024 - 512;

/// The dialect of gRPC that a request is in, known by its content type.
#[derive(Debug)]
pub(crate) struct Grpc {
    /// Of the answer.
    content_type: HeaderValue,
}

impl Grpc {
    /// `None` for whatever is no gRPC, `application/grpcx` for example, and for what no gRPC client
    /// sends, another method than POST, or gRPC itself over HTTP/1.1. The answer to gRPC has status 200,
    /// which whoever looks at the status alone takes for leave: a gateway that asks whether a request
    /// may go on, say, with the fields that a client has chosen.
    ///
    /// `is_for_grpc` says that nobody but a gRPC server gets this request. Then tonic-web may have made
    /// gRPC of it, over whatever version it has come.
    pub(crate) fn of<B>(request: &Request<B>, is_for_grpc: bool) -> Option<Self> {
        let content_type = request.headers().get(CONTENT_TYPE)?.as_bytes();
        if request.method() != Method::POST {
            return None;
        }
        let media_type = content_type.split(|byte| *byte == b';').next()?;
        let dialect = media_type.split(|byte| *byte == b'+').next()?;
        let is = |name: &str| dialect.eq_ignore_ascii_case(name.as_bytes());
        let content_type = if is(GRPC) && (is_for_grpc || request.version() == Version::HTTP_2) {
            HeaderValue::from_static(GRPC)
        } else if is(WEB) || is(WEB_TEXT) {
            // A client in a browser is told in the dialect in which it asked.
            HeaderValue::from_bytes(media_type).ok()?
        } else {
            return None;
        };
        Some(Self { content_type })
    }
}

impl Rejection {
    /// The answer to a gRPC call, whatever is written for others: gRPC has no body for it.
    pub(crate) fn to_grpc_response(&self, grpc: &Grpc) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, grpc.content_type.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(STATUS, u16::from(self.grpc_code()).into());
        if let Ok(message) = HeaderValue::from_str(&percent_encoded(self.description())) {
            headers.insert(MESSAGE, message);
        }
        self.add_metadata(headers);
        response
    }

    /// What a client is told besides code and message: the challenge, when to try again.
    pub(crate) fn add_metadata(&self, headers: &mut HeaderMap) {
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        #[cfg(feature = "introspection")]
        self.add_conflict(headers);
        // The one field whose length is configured.
        if let Some(challenge) =
            self.challenge.as_ref().filter(|challenge| challenge.len() <= MAX_CHALLENGE)
        {
            headers.insert(WWW_AUTHENTICATE, challenge.clone());
        }
    }
}

/// What a `grpc-message` may hold; the rest is written as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'$' | b'&'..=b'~' => encoded.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rejection_kind::RejectionKind;

    fn spoken(content_type: &str) -> Option<String> {
        spoken_by(&Method::POST, Version::HTTP_2, content_type)
    }

    fn spoken_by(method: &Method, version: Version, content_type: &str) -> Option<String> {
        let request = Request::builder().method(method).version(version);
        let request = request.header(CONTENT_TYPE, content_type).body(()).unwrap();
        let grpc = Grpc::of(&request, false)?;
        Some(grpc.content_type.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_no_grpc_client_sends_is_no_call() {
        let (grpc, web) = ("application/grpc", "application/grpc-web");
        for (method, version, content_type, is_call) in [
            (Method::POST, Version::HTTP_11, web, true),
            (Method::POST, Version::HTTP_2, web, true),
            (Method::POST, Version::HTTP_11, grpc, false),
            (Method::GET, Version::HTTP_2, grpc, false),
            (Method::GET, Version::HTTP_11, web, false),
            (Method::HEAD, Version::HTTP_2, grpc, false),
            (Method::OPTIONS, Version::HTTP_2, grpc, false),
        ] {
            let spoken = spoken_by(&method, version, content_type);
            assert_eq!(spoken.is_some(), is_call, "{method} {version:?} {content_type}");
        }
        let request = Request::post("/").header(CONTENT_TYPE, grpc).body(()).unwrap();
        assert!(Grpc::of(&request, true).is_some());
    }

    #[test]
    fn grpc_01_grpc_09_calls_are_known_by_their_content_type() {
        for grpc in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc+json",
            "application/grpc;charset=utf-8",
            "application/grpc+proto;x=1",
            "Application/GRPC",
        ] {
            assert_eq!(spoken(grpc), Some("application/grpc".to_owned()), "{grpc}");
        }
        for (web, answered) in [
            ("application/grpc-web", "application/grpc-web"),
            ("application/grpc-web+proto", "application/grpc-web+proto"),
            ("application/grpc-web-text", "application/grpc-web-text"),
            ("application/grpc-web-text+proto;x=1", "application/grpc-web-text+proto"),
        ] {
            assert_eq!(spoken(web), Some(answered.to_owned()), "{web}");
        }
        for other in [
            "application/grpcx",
            "application/grpc/x",
            "application/grp",
            "application/grpc-webx",
            "application/grpc-websocket",
            "application/grpc-x+proto",
            "application/json",
            "text/application/grpc",
            "x",
            "",
        ] {
            assert_eq!(spoken(other), None, "{other}");
        }
        assert!(
            Grpc::of(&Request::post("/").version(Version::HTTP_2).body(()).unwrap(), false)
                .is_none()
        );
    }

    proptest! {
        /// Written once more, from the words of the protocol.
        #[test]
        fn grpc_01_all_content_types_are_told_apart(
            start in "application/grpc|application/grpc-web|application/grpc-web-text|application",
            rest in "|[-+;x/ \u{80}-\u{ff}][-+;a-z]{0,5}",
        ) {
            let text = format!("{start}{rest}");
            let ends = |name| {
                let rest = text.strip_prefix(name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
            };
            let is_web = ends(WEB) || ends(WEB_TEXT);
            let request = Request::post("/").version(Version::HTTP_2);
            let request = request.header(CONTENT_TYPE, text.as_bytes()).body(()).unwrap();
            let answered = Grpc::of(&request, false).map(|grpc| grpc.content_type);
            prop_assert_eq!(answered.is_some(), ends(GRPC) || is_web);
            prop_assert_eq!(answered.is_some_and(|answered| answered != GRPC), is_web);
        }
    }

    #[test]
    fn grpc_04_messages_keep_to_their_alphabet() {
        assert_eq!(percent_encoded("100 %\n"), "100 %25%0A");
        assert_eq!(percent_encoded(" $&~"), " $&~");
        assert_eq!(percent_encoded("\u{7f}é"), "%7F%C3%A9");
        for kind in RejectionKind::all() {
            let text = Rejection::new(kind).description();
            assert_eq!(percent_encoded(text), text);
        }
    }

    #[test]
    fn grpc_02_grpc_03_every_reason_is_trailers_only() {
        let grpc = Grpc { content_type: HeaderValue::from_static(GRPC) };
        for kind in RejectionKind::all() {
            let rejection = Rejection::new(kind);
            let response = rejection.to_grpc_response(&grpc);
            assert_eq!(response.status(), 200);
            assert!(response.body().is_empty());
            let code = match rejection.status().as_u16() {
                400 | 401 => "16",
                403 => "7",
                404 => "5",
                409 => "10",
                503 => "14",
                _ => "13",
            };
            assert_eq!(response.headers()["grpc-status"], code, "{kind:?}");
            assert_eq!(response.headers()["content-type"], "application/grpc");
        }
    }

    #[test]
    fn grpc_05_a_challenge_that_is_too_long_is_left_out_and_the_code_is_not() {
        let grpc =
            Grpc { content_type: HeaderValue::from_static("application/grpc-web-text+json") };
        // As RFC 9113 §6.5.2 counts it.
        let size = |headers: &HeaderMap| -> usize {
            headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
        };
        for kind in RejectionKind::all() {
            let answer = |length| {
                let challenge = HeaderValue::from_str(&"x".repeat(length)).unwrap();
                let rejection = Rejection::new(kind).with_challenge(Some(challenge));
                rejection.to_grpc_response(&grpc)
            };
            let longest = answer(MAX_CHALLENGE);
            assert_eq!(longest.headers()[WWW_AUTHENTICATE].len(), MAX_CHALLENGE);
            assert!(size(longest.headers()) <= 8 * 1024);
            let too_long = answer(MAX_CHALLENGE + 1);
            assert_eq!(too_long.headers().get(WWW_AUTHENTICATE), None);
            assert!(too_long.headers().contains_key("grpc-status"));
        }
    }
}
