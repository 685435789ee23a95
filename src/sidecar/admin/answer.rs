//! Answers, each with the header that keeps it where it belongs.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::html::Html;
use super::page::STYLE;
use crate::sidecar::telemetry::Dialect;

/// A line for people, or several.
pub(super) fn text(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = answer("text/plain; charset=utf-8", format!("{}\n", text.trim_end()));
    *response.status_mut() = status;
    response
}

pub(super) fn metrics(dialect: Dialect, text: String) -> Response<Full<Bytes>> {
    answer(dialect.media_type(), text)
}

pub(super) fn html(page: Html) -> Response<Full<Bytes>> {
    answer("text/html; charset=utf-8", page.into_string())
}

fn answer(media_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Nothing is loaded, run, framed or sent anywhere; the one style sheet of the page applies, and so
/// does its empty icon.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    // It is ASCII; if it were not, nothing at all would apply.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});
