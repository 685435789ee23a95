//! What one line says. Never a query, which may hold a token, and nothing of the token.
//!
//! A token may stand in a path all the same, or where a method should be, by somebody's mistake. So
//! what is longer than any name is left out.

use std::time::Duration;

use http::{HeaderValue, Method, StatusCode};

use crate::sidecar::telemetry::Outcome;

/// One request, as it ended.
pub(in crate::sidecar) struct Line<'a> {
    /// An address.
    pub(in crate::sidecar) client: &'a str,
    pub(in crate::sidecar) method: &'a Method,
    /// Without the query.
    pub(in crate::sidecar) path: &'a str,
    /// Nothing was answered where there is none.
    pub(in crate::sidecar) status: Option<StatusCode>,
    pub(in crate::sidecar) outcome: Outcome,
    /// The number of the rule that it came under.
    pub(in crate::sidecar) rule: Option<usize>,
    /// Of the body.
    pub(in crate::sidecar) bytes: u64,
    pub(in crate::sidecar) took: Duration,
    pub(in crate::sidecar) request_id: &'a HeaderValue,
    pub(in crate::sidecar) traceparent: Option<&'a HeaderValue>,
}

/// Bytes of the longest path that is written.
const LONGEST_PATH: usize = 1024;
/// Of its longest segment: a digest in hexadecimal fits, and no JWT does.
const LONGEST_SEGMENT: usize = 100;
const LONGEST_METHOD: usize = 32;

const LEFT_OUT: &[u8] = "…".as_bytes();

impl Line<'_> {
    /// `time client method path status outcome[:reason] milliseconds name=value …`.
    pub(super) fn write_text(&self, timestamp: &[u8], to: &mut Vec<u8>) {
        to.extend_from_slice(timestamp);
        to.push(b' ');
        to.extend_from_slice(self.client.as_bytes());
        to.push(b' ');
        self.write_method(to);
        to.push(b' ');
        self.write_path(to);
        to.push(b' ');
        match self.status {
            Some(status) => to.extend_from_slice(status.as_str().as_bytes()),
            None => to.push(b'-'),
        }
        to.push(b' ');
        to.extend_from_slice(self.outcome.name().as_bytes());
        if let Some(reason) = self.outcome.reason() {
            to.push(b':');
            to.extend_from_slice(reason.as_bytes());
        }
        to.push(b' ');
        self.write_milliseconds(to);
        to.extend_from_slice(b"ms bytes=");
        decimal(to, self.bytes);
        if let Some(rule) = self.rule {
            to.extend_from_slice(b" rule=");
            decimal(to, u64::try_from(rule).unwrap_or(u64::MAX));
        }
        to.extend_from_slice(b" id=");
        to.extend_from_slice(self.request_id.as_bytes());
        if let Some(trace) = self.trace_id() {
            to.extend_from_slice(b" trace=");
            to.extend_from_slice(trace);
        }
        to.push(b'\n');
    }

    /// One JSON object.
    pub(super) fn write_json(&self, timestamp: &[u8], to: &mut Vec<u8>) {
        to.extend_from_slice(b"{\"timestamp\":\"");
        to.extend_from_slice(timestamp);
        to.extend_from_slice(b"\",\"target\":\"portcullis::access\",\"client\":\"");
        to.extend_from_slice(self.client.as_bytes());
        to.extend_from_slice(b"\",\"method\":\"");
        self.write_method(to);
        to.extend_from_slice(b"\",\"path\":\"");
        self.write_path(to);
        to.push(b'"');
        if let Some(status) = self.status {
            to.extend_from_slice(b",\"status\":");
            to.extend_from_slice(status.as_str().as_bytes());
        }
        to.extend_from_slice(b",\"outcome\":\"");
        to.extend_from_slice(self.outcome.name().as_bytes());
        to.push(b'"');
        if let Some(reason) = self.outcome.reason() {
            to.extend_from_slice(b",\"reason\":\"");
            to.extend_from_slice(reason.as_bytes());
            to.push(b'"');
        }
        to.extend_from_slice(b",\"duration_ms\":");
        self.write_milliseconds(to);
        to.extend_from_slice(b",\"bytes\":");
        decimal(to, self.bytes);
        if let Some(rule) = self.rule {
            to.extend_from_slice(b",\"rule\":");
            decimal(to, u64::try_from(rule).unwrap_or(u64::MAX));
        }
        to.extend_from_slice(b",\"request_id\":\"");
        to.extend_from_slice(self.request_id.as_bytes());
        to.push(b'"');
        if let Some(trace) = self.trace_id() {
            to.extend_from_slice(b",\"trace_id\":\"");
            to.extend_from_slice(trace);
            to.push(b'"');
        }
        to.extend_from_slice(b"}\n");
    }

    /// A method is made of such characters that nothing needs to be escaped (RFC 9110 §5.6.2).
    fn write_method(&self, to: &mut Vec<u8>) {
        let method = self.method.as_str().as_bytes();
        to.extend_from_slice(if method.len() > LONGEST_METHOD { LEFT_OUT } else { method });
    }

    fn write_path(&self, to: &mut Vec<u8>) {
        let mut left = LONGEST_PATH;
        for (index, segment) in self.path.as_bytes().split(|byte| *byte == b'/').enumerate() {
            if index > 0 {
                to.push(b'/');
            }
            if segment.len() > LONGEST_SEGMENT {
                to.extend_from_slice(LEFT_OUT);
            } else {
                write_segment(segment, to);
            }
            left = left.saturating_sub(segment.len().min(LONGEST_SEGMENT) + 1);
            if left == 0 {
                to.extend_from_slice(LEFT_OUT);
                return;
            }
        }
    }

    fn write_milliseconds(&self, to: &mut Vec<u8>) {
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        decimal(to, micros / 1000);
        to.push(b'.');
        let thousandths = micros % 1000;
        for place in [100, 10, 1] {
            to.push(b'0' + u8::try_from(thousandths / place % 10).unwrap_or(0));
        }
    }

    /// The second part of `00-….-….-01` (W3C Trace Context), where it is one.
    fn trace_id(&self) -> Option<&[u8]> {
        let mut parts = self.traceparent?.as_bytes().split(|byte| *byte == b'-');
        let id = parts.nth(1)?;
        (id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit)).then_some(id)
    }
}

/// Whatever could end the line, a string or a terminal's patience is percent-encoded.
fn write_segment(segment: &[u8], to: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_plain = |byte: u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'\\');
    if segment.iter().copied().all(is_plain) {
        to.extend_from_slice(segment);
        return;
    }
    for &byte in segment {
        if is_plain(byte) {
            to.push(byte);
        } else {
            let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
            to.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 0xF)]);
        }
    }
}

fn decimal(to: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 20];
    let (mut rest, mut count) = (value, 0);
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    to.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection_kind::RejectionKind;

    fn line<'a>(path: &'a str, request_id: &'a HeaderValue) -> Line<'a> {
        Line {
            client: "192.0.2.1",
            method: &Method::GET,
            path,
            status: Some(StatusCode::UNAUTHORIZED),
            outcome: Outcome::Refused(RejectionKind::Expired),
            rule: Some(3),
            bytes: 1234,
            took: Duration::from_micros(12_045),
            request_id,
            traceparent: None,
        }
    }

    fn text(line: &Line<'_>) -> String {
        let mut text = Vec::new();
        line.write_text(b"2026-11-22T10:28:28.123Z", &mut text);
        String::from_utf8(text).unwrap()
    }

    fn json(line: &Line<'_>) -> serde_json::Value {
        let mut text = Vec::new();
        line.write_json(b"2026-11-22T10:28:28.123Z", &mut text);
        assert_eq!(text.pop(), Some(b'\n'));
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn both_forms_say_everything() {
        let id = HeaderValue::from_static("7f");
        let trace =
            HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let line = Line { traceparent: Some(&trace), ..line("/orders/7", &id) };
        let written = text(&line);
        let (_, rest) = written.split_once(' ').unwrap();
        assert_eq!(
            rest,
            "192.0.2.1 GET /orders/7 401 refused:expired 12.045ms bytes=1234 rule=3 id=7f \
             trace=0af7651916cd43dd8448eb211c80319c\n"
        );
        let mut written = json(&line);
        assert!(written["timestamp"].take().as_str().unwrap().ends_with('Z'));
        assert_eq!(
            written,
            serde_json::json!({
                "timestamp": null, "target": "portcullis::access", "client": "192.0.2.1",
                "method": "GET", "path": "/orders/7", "status": 401, "outcome": "refused",
                "reason": "expired", "duration_ms": 12.045, "bytes": 1234, "rule": 3,
                "request_id": "7f", "trace_id": "0af7651916cd43dd8448eb211c80319c",
            })
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let id = HeaderValue::from_static("7f");
        let line =
            Line { status: None, rule: None, outcome: Outcome::ClientGone, ..line("/", &id) };
        assert!(text(&line).contains(" GET / - client_gone 12.045ms bytes=1234 id=7f\n"));
        let written = json(&line);
        for absent in ["status", "rule", "reason", "trace_id"] {
            assert!(written.get(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn a_line_stays_one_line() {
        let id = HeaderValue::from_static("7f");
        let path = "/a\"b\\c\né\u{1b}[31m ".to_owned() + &"/xxx".repeat(500);
        let line = line(&path, &id);
        let written = text(&line);
        assert_eq!(written.lines().count(), 1);
        assert!(written.contains(" /a%22b%5Cc%0A%C3%A9%1B[31m%20/xxx/"), "{written}");
        assert!(written.len() < 1400);
        assert!(json(&line)["path"].as_str().unwrap().ends_with("/xxx…"));
    }

    #[test]
    fn hdr_14_what_may_be_a_token_is_left_out() {
        let id = HeaderValue::from_static("7f");
        let digest = "0a".repeat(32);
        let token = format!("{}.{}.{}", "e".repeat(20), "x".repeat(60), "s".repeat(86));
        let path = format!("/by/{digest}/{token}/x;{token}");
        let method = Method::from_bytes(token.as_bytes()).unwrap();
        let line = Line { method: &method, ..line(&path, &id) };
        assert!(text(&line).contains(&format!(" 192.0.2.1 … /by/{digest}/…/… 401 ")));
        assert_eq!(json(&line)["path"], format!("/by/{digest}/…/…"));
        assert_eq!(json(&line)["method"], "…");
    }

    #[test]
    fn a_trace_is_one_or_is_left_out() {
        let id = HeaderValue::from_static("7f");
        for bad in ["", "00", "00-xyz-1-01", "00-\"}-1-01"] {
            let trace = HeaderValue::from_str(bad).unwrap();
            let line = Line { traceparent: Some(&trace), ..line("/", &id) };
            assert!(!text(&line).contains("trace"), "{bad}");
        }
    }

    #[test]
    fn numbers_are_decimal() {
        for value in [0, 7, 10, 999, u64::MAX] {
            let mut text = Vec::new();
            decimal(&mut text, value);
            assert_eq!(String::from_utf8(text).unwrap(), value.to_string());
        }
    }
}
