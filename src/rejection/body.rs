//! The default body: a problem document (RFC 9457).

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

use super::Rejection;

/// `title`, `status`, `detail`, and `error` where RFC 6750 has a code.
pub(super) fn problem(rejection: &Rejection) -> Response<Bytes> {
    let status = rejection.status();
    let mut problem = serde_json::Map::new();
    problem.insert("title".to_owned(), status.canonical_reason().into());
    problem.insert("status".to_owned(), status.as_u16().into());
    problem.insert("detail".to_owned(), rejection.description().into());
    if let Some(error) = rejection.error() {
        problem.insert("error".to_owned(), error.into());
    }
    let mut response = Response::new(serde_json::Value::Object(problem).to_string().into());
    let problem_json = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, problem_json);
    response
}
