//! What a gateway is told.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::access_token::AccessToken;
use crate::sidecar::proxy::FieldPolicy;

const DPOP: HeaderName = HeaderName::from_static("dpop");
/// For nginx, which can be told to make this status of one that it knows.
const STATUS: HeaderName = HeaderName::from_static("x-portcullis-status");

/// The request may go on, with these fields. All identity fields are there, as gateways overwrite a
/// client's by what they copy; where the token says nothing, or there is none, they are empty.
pub(super) fn go_on(
    policy: &FieldPolicy,
    token: Option<&AccessToken>,
    asked: &HeaderMap,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let nothing = HeaderValue::from_static("");
    for name in policy.identity().names() {
        headers.insert(name.clone(), nothing.clone());
    }
    for (name, value) in token.into_iter().flat_map(|token| policy.identity().of(token)) {
        headers.insert(name.clone(), value.unwrap_or_else(|| nothing.clone()));
    }
    for name in [AUTHORIZATION, DPOP] {
        if let Some(value) = asked.get(&name)
            && !policy.is_ours(&name, token.is_some())
        {
            headers.insert(name, value.clone());
        }
    }
    response
}

/// Who reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gateway {
    /// Knows 2xx, 401 and 403; whatever else is an error to it (`ngx_http_auth_request_module`).
    Nginx,
    /// Passes on whatever is no 2xx, as it is.
    Other,
}

impl Gateway {
    /// A refusal in the words that the gateway knows.
    pub(super) fn tell(self, mut response: Response<Bytes>) -> Response<Bytes> {
        let status = response.status();
        let told = match self {
            Self::Other => status,
            Self::Nginx => in_nginx(status, response.headers()),
        };
        if told != status {
            *response.status_mut() = told;
            response.headers_mut().insert(STATUS, status.as_u16().into());
            // It has the status of before in it, and nginx throws it away.
            response.body_mut().clear();
        }
        response
    }
}

/// One of 401, 403 and 503.
fn in_nginx(status: StatusCode, headers: &HeaderMap) -> StatusCode {
    let has_challenge = headers.contains_key(http::header::WWW_AUTHENTICATE);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => status,
        _ if status.is_server_error() => StatusCode::SERVICE_UNAVAILABLE,
        // The challenge says what is wrong (invalid_request), and nginx passes it on with 401.
        _ if has_challenge => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    }
}
