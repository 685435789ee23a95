//! The default body: a problem document (RFC 9457).

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

use super::{Rejection, table};
use crate::rejection_kind::RejectionKind;

/// Written once: they depend on the reason alone.
static PROBLEMS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| RejectionKind::all().map(|kind| &*write(kind).leak()).collect());

pub(super) fn problem(rejection: &Rejection) -> Response<Bytes> {
    let text = PROBLEMS.get(rejection.kind() as usize).copied().unwrap_or_default();
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    let problem_json = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, problem_json);
    response
}

/// `title`, `status`, `detail`, and `error` where RFC 6750 has a code.
fn write(kind: RejectionKind) -> String {
    let row = table::row(kind);
    let mut problem = serde_json::Map::new();
    problem.insert("title".to_owned(), row.status.canonical_reason().into());
    problem.insert("status".to_owned(), row.status.as_u16().into());
    problem.insert("detail".to_owned(), row.description.into());
    if let Some(error) = row.challenge.error() {
        problem.insert("error".to_owned(), error.into());
    }
    serde_json::Value::Object(problem).to_string()
}
