//! A refused request: the reason, and all that a client is told about it.
//!
//! Deciding and rendering stay apart: [`RejectionKind`] says why, the [table](self::table) says
//! what that means for the client, and [`Rejection::to_response`] writes it down.

mod body;
mod grpc;
mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
#[cfg(feature = "introspection")]
use http::HeaderMap;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use http::{HeaderValue, Response, StatusCode};

use crate::rejection_kind::RejectionKind;

pub(crate) use grpc::Grpc;
pub(crate) use table::Challenge;

/// IBM MobileFirst's field.
#[cfg(feature = "introspection")]
const CONFLICT: http::HeaderName = http::HeaderName::from_static("mfp-conflict");

/// Writes the body of a refusal, and further fields of the answer.
pub(crate) type RefusalBody = Arc<dyn Fn(&Rejection) -> Response<Bytes> + Send + Sync>;

/// A refused request.
///
/// Everything in it is fixed text or configuration; nothing of the token, and no name that the
/// token holds, is ever part of it.
#[derive(Clone)]
pub struct Rejection {
    kind: RejectionKind,
    /// What is behind `Hidden`.
    hides: Option<RejectionKind>,
    challenge: Option<HeaderValue>,
    retry_after: Option<u64>,
    /// For the client, from the authorization server.
    #[cfg(feature = "introspection")]
    conflict: Option<Box<HeaderValue>>,
    body: Option<RefusalBody>,
}

impl Rejection {
    pub(crate) fn new(kind: RejectionKind) -> Self {
        let retry_after = (table::row(kind).status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        Self {
            kind,
            hides: None,
            challenge: None,
            retry_after,
            #[cfg(feature = "introspection")]
            conflict: None,
            body: None,
        }
    }

    /// Notes for the operator what the client is not told.
    pub(crate) fn hiding(mut self, reason: RejectionKind) -> Self {
        self.hides = Some(reason);
        self
    }

    pub(crate) fn with_challenge(mut self, challenge: Option<HeaderValue>) -> Self {
        self.challenge = challenge;
        self
    }

    pub(crate) fn with_body(mut self, body: Option<RefusalBody>) -> Self {
        self.body = body;
        self
    }

    /// Whole seconds, at least one and at most sixty (RFC 9110 §10.2.3).
    pub(crate) fn with_retry_after(mut self, delay: Option<Duration>) -> Self {
        if let Some(delay) = delay {
            let seconds = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0));
            self.retry_after = Some(seconds.clamp(1, 60));
        }
        self
    }

    /// What the authorization server wants the client to be told, in `MFP-Conflict`.
    #[cfg(feature = "introspection")]
    pub(crate) fn with_conflict(mut self, conflict: Option<Box<HeaderValue>>) -> Self {
        self.conflict = conflict;
        self
    }

    /// The reason, as far as the client may know it.
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// The reason, for logs and counts: what is behind [`Hidden`](RejectionKind::Hidden), and otherwise the
    /// [`kind`](Self::kind). Nothing of it belongs into an answer.
    pub fn reason(&self) -> RejectionKind {
        self.hides.unwrap_or(self.kind)
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        table::row(self.kind).status
    }

    /// The status code of a gRPC answer.
    pub fn grpc_code(&self) -> u8 {
        table::row(self.kind).grpc
    }

    /// The `error` code of RFC 6750 §3.1, where the challenge has one.
    pub fn error(&self) -> Option<&'static str> {
        table::row(self.kind).challenge.error()
    }

    /// One fixed sentence for people.
    pub fn description(&self) -> &'static str {
        table::row(self.kind).description
    }

    /// The `WWW-Authenticate` field (RFC 6750 §3). `None` with status 404, 409, 500 and
    /// 503.
    pub fn challenge(&self) -> Option<&HeaderValue> {
        self.challenge.as_ref()
    }

    /// Seconds until another try makes sense; only with status 503.
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// The answer to send. The body is an RFC 9457 problem document, or what the
    /// [`refusal_body`](crate::ResourceServerBuilder::refusal_body) of the server wrote; status,
    /// challenge and caching are as the standards want them in any case. It is the answer for
    /// HTTP; the layers answer gRPC calls by themselves.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut response = match &self.body {
            Some(body) => without_ours(body(self)),
            None => body::problem(self),
        };
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = &self.challenge {
            headers.insert(WWW_AUTHENTICATE, challenge.clone());
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        #[cfg(feature = "introspection")]
        self.add_conflict(headers);
        response
    }
}

#[cfg(feature = "introspection")]
impl Rejection {
    fn add_conflict(&self, headers: &mut HeaderMap) {
        if let Some(conflict) = &self.conflict {
            headers.insert(CONFLICT, HeaderValue::clone(conflict));
        }
    }
}

/// Without the fields that are not for the writer of a body to say.
fn without_ours(mut response: Response<Bytes>) -> Response<Bytes> {
    // The body that is sent decides about its framing, not the one that was written.
    for field in [CONTENT_LENGTH, TRANSFER_ENCODING, WWW_AUTHENTICATE, RETRY_AFTER] {
        response.headers_mut().remove(field);
    }
    response
}

/// How the challenge for a reason is made up; for those who write challenges.
pub(crate) fn challenge_of(kind: RejectionKind) -> (Challenge, &'static str) {
    let row = table::row(kind);
    (row.challenge, row.description)
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("kind", &self.kind)
            .field("reason", &self.reason())
            .field("challenge", &self.challenge)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Rejection {}
