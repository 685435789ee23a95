//! What a gateway is told: what to take away from the request and what to set, or how to refuse it.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use super::messages::{
    Allowed, CheckResponse, Denied, Field, FieldOption, Flag, HttpStatus, Status,
};
use crate::rejection::Rejection;
use crate::sidecar::proxy::problem;
use crate::sidecar::telemetry::BadRequest;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const INVALID_ARGUMENT: i32 = 3;
const UNAVAILABLE: i32 = 14;

/// The request may go on, with these fields and without those.
pub(super) fn allowed<'a>(
    set: impl Iterator<Item = (&'a HeaderName, HeaderValue)>,
    removed: Vec<Bytes>,
) -> CheckResponse {
    let headers = set.map(|(name, value)| option(name, &value, Beside::Instead)).collect();
    CheckResponse {
        status: Some(Status { code: 0 }),
        denied: None,
        allowed: Some(Allowed { headers, headers_to_remove: removed }),
    }
}

/// A refusal for want of a good token.
pub(super) fn refused(rejection: &Rejection, is_grpc: bool) -> CheckResponse {
    let code = i32::from(rejection.grpc_code());
    denied(code, rejection.to_response(), rejection.description(), is_grpc)
}

/// A refusal of what cannot be judged.
pub(super) fn unfit(fault: BadRequest, is_grpc: bool) -> CheckResponse {
    let (status, text) = problem::request_row(fault);
    let code = if status.is_server_error() { UNAVAILABLE } else { INVALID_ARGUMENT };
    denied(code, problem::of_original(fault, &Method::GET), text, is_grpc)
}

/// Tells the client of a refusal what the log calls its request.
pub(super) fn name(reply: &mut CheckResponse, id: &HeaderValue) {
    if let Some(denied) = &mut reply.denied {
        denied.headers.push(option(&REQUEST_ID, id, Beside::Instead));
    }
}

/// The status that the client gets.
pub(super) fn status(reply: &CheckResponse) -> StatusCode {
    let code = reply.denied.as_ref().and_then(|denied| denied.status.as_ref());
    let code = code.and_then(|status| u16::try_from(status.code).ok());
    code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK)
}

/// Envoy makes a `grpc-status` of the HTTP status for a client that speaks gRPC, and a `grpc-message`
/// of the body. Of 400 it makes `INTERNAL`, which would be our fault, and of 401 `UNAUTHENTICATED`.
fn denied(
    code: i32,
    response: Response<Bytes>,
    text: &'static str,
    is_grpc: bool,
) -> CheckResponse {
    let (parts, body) = response.into_parts();
    let status = match parts.status {
        StatusCode::BAD_REQUEST if is_grpc => StatusCode::UNAUTHORIZED,
        status => status,
    };
    let goes = |name: &HeaderName| *name != CONTENT_LENGTH && !(is_grpc && *name == CONTENT_TYPE);
    // All of one name stand in a row.
    let mut last = None;
    let headers = parts.headers.iter().filter(|(name, _)| goes(name)).map(|(name, value)| {
        let first = last.replace(name) != Some(name);
        option(name, value, if first { Beside::Instead } else { Beside::Too })
    });
    CheckResponse {
        status: Some(Status { code }),
        denied: Some(Denied {
            status: Some(HttpStatus { code: status.as_u16().into() }),
            headers: headers.collect(),
            body: if is_grpc { Bytes::from_static(text.as_bytes()) } else { body },
        }),
        allowed: None,
    }
}

/// What becomes of a field of the same name that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Instead,
    Too,
}

/// With neither `append` nor `append_action`, a field is added beside others. `append: true` would not
/// do: Envoy 1.40 leaves such a field of a refusal out altogether.
fn option(name: &HeaderName, value: &HeaderValue, beside: Beside) -> FieldOption {
    let field = Field {
        name: Bytes::copy_from_slice(name.as_str().as_bytes()),
        value: Bytes::copy_from_slice(value.as_bytes()),
        raw_value: Bytes::new(),
    };
    let append = (beside == Beside::Instead).then_some(Flag { value: false });
    FieldOption { field: Some(field), append }
}

#[cfg(test)]
mod tests {
    use http::header::WWW_AUTHENTICATE;

    use super::*;

    #[test]
    fn envoy_02_every_challenge_is_kept() {
        let mut response = Response::new(Bytes::from_static(b"{}"));
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        for challenge in ["Bearer", "DPoP"] {
            response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response.headers_mut().insert(CONTENT_LENGTH, 2.into());
        let denied = denied(16, response, "no", false).denied.unwrap();
        let told = denied.headers.iter().map(|option| {
            let field = option.field.as_ref().unwrap();
            assert_eq!(field.name, "www-authenticate");
            (field.value.clone(), option.append.as_ref().map(|append| append.value))
        });
        let expected = [("Bearer".into(), Some(false)), ("DPoP".into(), None)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert_eq!(denied.status.unwrap().code, 401);
    }

    #[test]
    fn refusals_alone_have_the_identifier() {
        let id = HeaderValue::from_static("7f");
        let mut refused = unfit(BadRequest::OriginalMissing, false);
        name(&mut refused, &id);
        let headers = refused.denied.unwrap().headers;
        let last = headers.last().unwrap().field.as_ref().unwrap();
        assert_eq!((&last.name[..], &last.value[..]), (&b"x-request-id"[..], &b"7f"[..]));
        let mut passed = allowed(std::iter::empty(), Vec::new());
        name(&mut passed, &id);
        assert!(passed.denied.is_none() && passed.allowed.unwrap().headers.is_empty());
    }
}
