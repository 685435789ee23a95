//! Requests that another site makes in the name of whoever is signed in here.
//!
//! The session cookie is `SameSite=Strict`, which leaves other hosts of the same site. So a request
//! also has to have a field that forms cannot send, and scripts of other origins only if we said
//! in a CORS preflight that they may, which we never do.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Any value will do.
const OURS: &str = "x-bff";

pub(crate) async fn refuse_other_sites(request: Request, next: Next) -> Response {
    if !request.headers().contains_key(OURS) {
        return (StatusCode::FORBIDDEN, "only the pages of this server may ask\n").into_response();
    }
    next.run(request).await
}
