//! Refusals of the token endpoint (RFC 6749 §5.2).

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Response};
use http_body_util::Full;
use serde_json::json;

use super::endpoints::Answer;

/// A refusal. The description is fixed text in the characters of RFC 6749 App. A.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenError {
    status: StatusCode,
    code: &'static str,
    description: &'static str,
}

impl TokenError {
    pub(super) const fn request(description: &'static str) -> Self {
        Self::bad("invalid_request", description)
    }

    /// 401 with a challenge in any case: RFC 6749 wants it where `Authorization` was used, RFC
    /// 9110 §15.5.2 wherever there is a 401.
    pub(super) const fn client(description: &'static str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, code: "invalid_client", description }
    }

    pub(super) const fn grant_type() -> Self {
        Self::bad("unsupported_grant_type", "client_credentials is the only grant type here")
    }

    pub(super) const fn scope() -> Self {
        Self::bad("invalid_scope", "the client is not allowed all of this scope")
    }

    /// RFC 8707 §2.
    pub(super) const fn target() -> Self {
        Self::bad("invalid_target", "there is no such resource here")
    }

    pub(super) const fn server() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "server_error",
            description: "the token could not be signed",
        }
    }

    const fn bad(code: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, description }
    }

    pub(super) fn to_answer(self) -> Answer {
        let body = json!({"error": self.code, "error_description": self.description});
        let mut answer = Response::new(Full::from(body.to_string()));
        *answer.status_mut() = self.status;
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"token endpoint\"");
            answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        answer
    }
}
