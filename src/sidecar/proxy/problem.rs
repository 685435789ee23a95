//! Answers of the proxy itself: problem documents (RFC 9457) with fixed text.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};

use crate::sidecar::telemetry::{BadRequest, UpstreamFailure};

/// The answer to a request that cannot be judged.
pub(in crate::sidecar) fn of_request(fault: BadRequest, method: &Method) -> Response<Bytes> {
    let (status, detail) = request_row(fault);
    let mut response = problem(status, detail, method);
    let headers = response.headers_mut();
    if fault == BadRequest::Method {
        let allowed = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        headers.insert(ALLOW, allowed);
    }
    // Whoever sends what can be read in two ways is not listened to any further.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The answer to a gateway whose client's request cannot be judged. Other clients use its
/// connection too.
pub(in crate::sidecar) fn of_original(fault: BadRequest, method: &Method) -> Response<Bytes> {
    let (status, detail) = request_row(fault);
    problem(status, detail, method)
}

/// The answer where the upstream gave none.
pub(super) fn of_upstream(failure: UpstreamFailure, method: &Method) -> Response<Bytes> {
    let (status, detail) = upstream_row(failure);
    problem(status, detail, method)
}

/// The answer to a client that broke off, if it still listens.
pub(super) fn of_client(method: &Method) -> Response<Bytes> {
    let detail = "The body of the request ended before its time";
    let mut response = problem(StatusCode::BAD_REQUEST, detail, method);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Status and text for a request that cannot be judged.
pub(in crate::sidecar) const fn request_row(fault: BadRequest) -> (StatusCode, &'static str) {
    match fault {
        BadRequest::AmbiguousPath => {
            (StatusCode::BAD_REQUEST, "The path can be read in more than one way")
        }
        BadRequest::Target => {
            (StatusCode::BAD_REQUEST, "The target or the Host of the request is none")
        }
        BadRequest::Method => (StatusCode::METHOD_NOT_ALLOWED, "This method is not served"),
        BadRequest::Framing => {
            (StatusCode::BAD_REQUEST, "Where the request ends can be read in more than one way")
        }
        BadRequest::Expectation => {
            (StatusCode::EXPECTATION_FAILED, "The only expectation that is known is 100-continue")
        }
        BadRequest::UntrustedGateway => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Nothing is believed of what the peer says about requests of others",
        ),
        BadRequest::OriginalMissing => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The gateway does not say which method and path were asked for",
        ),
        BadRequest::OriginalContradictory => {
            (StatusCode::BAD_REQUEST, "What is said about the original request contradicts itself")
        }
        BadRequest::OriginalMalformed => (
            StatusCode::BAD_REQUEST,
            "What is said about the original request is no method, path, scheme or host",
        ),
        BadRequest::OriginalTooLarge => (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "The fields of the original request are too many, or too large",
        ),
        BadRequest::SmuggledField => (
            StatusCode::BAD_REQUEST,
            "A field of the request could pass for one that clients may not send",
        ),
    }
}

const fn upstream_row(failure: UpstreamFailure) -> (StatusCode, &'static str) {
    match failure {
        UpstreamFailure::Unreachable => {
            (StatusCode::BAD_GATEWAY, "The service behind this proxy cannot be reached")
        }
        UpstreamFailure::Broken => {
            (StatusCode::BAD_GATEWAY, "The service behind this proxy gave no proper answer")
        }
        UpstreamFailure::ConnectTimeout | UpstreamFailure::Timeout => {
            (StatusCode::GATEWAY_TIMEOUT, "The service behind this proxy took too long to answer")
        }
    }
}

fn problem(status: StatusCode, detail: &str, method: &Method) -> Response<Bytes> {
    let title = status.canonical_reason().unwrap_or_default();
    // Fixed text, in which nothing needs to be escaped.
    let number = status.as_u16();
    let text = format!(r#"{{"title":"{title}","status":{number},"detail":"{detail}"}}"#);
    let length = text.len();
    let is_head = *method == Method::HEAD;
    let mut response = Response::new(if is_head { Bytes::new() } else { Bytes::from(text) });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if is_head {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    response
}
