//! What is looked at before anything else: whether everybody reads the request alike.

use http::header::{CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version};
use hyper::body::{Body, Incoming};
use hyper::upgrade::{OnUpgrade, on};

use crate::sidecar::known_fields::{Mark, Present};
use crate::sidecar::telemetry::BadRequest;

/// What of a request's head is needed later.
pub(super) struct Head {
    /// For whom the request is, in the words of its client.
    pub(super) host: HeaderValue,
    pub(super) upgrade: Option<Upgrade>,
    pub(super) present: Present,
}

/// A wish to speak another protocol (RFC 9110 §7.8).
pub(super) struct Upgrade {
    pub(super) protocol: HeaderValue,
    pub(super) client: OnUpgrade,
}

impl Head {
    pub(super) fn check(
        request: &mut Request<Incoming>,
        present: Present,
    ) -> Result<Self, BadRequest> {
        if !is_served(request.method()) {
            return Err(BadRequest::Method);
        }
        if !request.uri().path().starts_with('/') {
            return Err(BadRequest::Target);
        }
        if present.has(Mark::TRANSFER_ENCODING) || present.has(Mark::CONTENT_LENGTH) {
            check_framing(request)?;
        }
        let host = host(request)?;
        if present.has(Mark::EXPECT) {
            check_expectation(request.headers())?;
        }
        let upgrade = if present.has(Mark::UPGRADE) { upgrade(request) } else { None };
        Ok(Self { host, upgrade, present })
    }
}

/// Not a tunnel to anywhere, nor an echo of fields that are not for the client. Nor what some
/// services take for another method than rules do: names are case-sensitive (RFC 9110 §9.1), and
/// all that are in use are in upper case, but services make `DELETE` of `delete`.
pub(in crate::sidecar) fn is_served(method: &Method) -> bool {
    !matches!(*method, Method::CONNECT | Method::TRACE)
        && !method.as_str().bytes().any(|byte| byte.is_ascii_lowercase())
}

/// There is one that is known (RFC 9110 §10.1.1).
fn check_expectation(headers: &HeaderMap) -> Result<(), BadRequest> {
    match headers.get(EXPECT) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            Err(BadRequest::Expectation)
        }
        _ => Ok(()),
    }
}

/// hyper has refused most of what is doubtful, and leaves out a length beside a coding. It takes a
/// coding before `chunked` without decoding it, several lines, and a length that begins with zeros,
/// which is octal to some.
fn check_framing(request: &Request<Incoming>) -> Result<(), BadRequest> {
    let headers = request.headers();
    let is_doubtful = match one(headers, &TRANSFER_ENCODING)? {
        Some(coding) => {
            !coding.eq_ignore_ascii_case(b"chunked") || headers.contains_key(CONTENT_LENGTH)
        }
        None => one(headers, &CONTENT_LENGTH)?
            .is_some_and(|length| length.len() > 1 && length.starts_with(b"0")),
    };
    if is_doubtful { Err(BadRequest::Framing) } else { Ok(()) }
}

/// The value of a field that may be there once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, BadRequest> {
    let mut lines = headers.get_all(name).iter();
    let value = lines.next().map(HeaderValue::as_bytes);
    if lines.next().is_some() { Err(BadRequest::Framing) } else { Ok(value) }
}

/// One host (RFC 9112 §3.2). The target's own counts where it has one, as it does in HTTP/2.
fn host(request: &Request<Incoming>) -> Result<HeaderValue, BadRequest> {
    let mut fields = request.headers().get_all(HOST).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(BadRequest::Target);
    }
    if let Some(authority) = request.uri().authority() {
        if authority.as_str().contains('@') {
            return Err(BadRequest::Target);
        }
        // RFC 9113 §8.3.1: they must not differ.
        if request.version() == Version::HTTP_2
            && field.is_some_and(|field| {
                !field.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes())
            })
        {
            return Err(BadRequest::Target);
        }
        return HeaderValue::from_str(authority.as_str()).map_err(|_| BadRequest::Target);
    }
    match field {
        Some(field) if is_host(field.as_bytes()) => Ok(field.clone()),
        // HTTP/1.0 has no such field; an empty one says that there is none.
        Some(field) if field.is_empty() => Ok(field.clone()),
        None if request.version() == Version::HTTP_10 => Ok(HeaderValue::from_static("")),
        _ => Err(BadRequest::Target),
    }
}

/// A name or an address, and perhaps a port (RFC 3986 §3.2.2). Nothing is escaped in names that
/// are in use.
pub(in crate::sidecar) fn is_host(text: &[u8]) -> bool {
    let is_address = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte);
    let (is_good, port) = match text.strip_prefix(b"[") {
        Some(rest) => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
            let (address, after) = (rest.get(..end), rest.get(end + 1..));
            let is_good =
                address.is_some_and(|text| !text.is_empty() && text.iter().all(is_address));
            (is_good, after.unwrap_or_default())
        }
        None => {
            let end = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
            let (name, after) = (text.get(..end), text.get(end..));
            let is_good = name.is_some_and(|text| !text.is_empty() && text.iter().all(is_name));
            (is_good, after.unwrap_or_default())
        }
    };
    let is_port = |text: &[u8]| text.len() <= 5 && text.iter().all(u8::is_ascii_digit);
    is_good && (port.is_empty() || port.strip_prefix(b":").is_some_and(is_port))
}

/// Only from HTTP/1.1, and never to HTTP/2: that would be a second way into the upstream, past
/// this one. What cannot be granted is passed over, as RFC 9110 §7.8 allows.
fn upgrade(request: &mut Request<Incoming>) -> Option<Upgrade> {
    if request.version() != Version::HTTP_11 || !request.body().is_end_stream() {
        return None;
    }
    let mut protocols = request.headers().get_all(UPGRADE).iter();
    let protocol = protocols.next()?.clone();
    let one = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._/+!#$&'*^`|~%".contains(byte);
    let is_one = protocols.next().is_none() && protocol.as_bytes().iter().all(one);
    let starts_h2 = protocol
        .as_bytes()
        .get(..2)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"h2"))
        || protocol.as_bytes().get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"http/"));
    if !is_one || starts_h2 || protocol.is_empty() || !connection_names_upgrade(request) {
        return None;
    }
    Some(Upgrade { protocol, client: on(request) })
}

fn connection_names_upgrade<B>(request: &Request<B>) -> bool {
    let lines = request.headers().get_all(http::header::CONNECTION).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
}

impl Upgrade {
    /// Whether the upstream has switched to what the client asked for.
    pub(super) fn is_answered_by<B>(&self, response: &Response<B>) -> bool {
        let answered = response.headers().get(UPGRADE);
        answered.is_some_and(|answered| {
            answered.as_bytes().eq_ignore_ascii_case(self.protocol.as_bytes())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_ports() {
        for good in
            ["a", "api.example:8443", "api.example:", "127.0.0.1", "[::1]", "[::1]:80", "a_b"]
        {
            assert!(is_host(good.as_bytes()), "{good}");
        }
        for bad in [
            "", ":80", "a:b", "a:b:c", "a:123456", "[::1", "[]", "[::1]x", "[::1]:x", "a%zz",
            "a@b", "a b", "a/b", "a?b", "a\\b", "\"a\"", "é",
        ] {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn methods_that_may_be_taken_for_others_are_not_served() {
        for (method, served) in [
            ("GET", true),
            ("PROPFIND", true),
            ("M-SEARCH", true),
            ("CONNECT", false),
            ("TRACE", false),
            ("trace", false),
            ("Connect", false),
            ("delete", false),
            ("GeT", false),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(is_served(&method), served, "{method}");
        }
    }
}
