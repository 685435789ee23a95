//! The decision about a request, the same whoever has brought it here: a connection of its client,
//! or a gateway that asks on the client's behalf.
//!
//! 1. [`canonical`] gives the path the one form that rules are asked about.
//! 2. [`judge`] finds the rule, and asks its gate.
//!
//! What follows from the verdict, and how it is told, is for the fronts to say.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use http::uri::PathAndQuery;
use http::{Request, Uri};

use super::path;
use super::rules::{Route, Routes};
use super::telemetry::{BadRequest, Outcome};
use crate::access_token::AccessToken;
use crate::rejection::Rejection;
use crate::rejection_kind::RejectionKind;
use crate::resource_server::{Decision, Preflight, ResourceServer};

/// Why a request may go on.
pub(super) enum Pass {
    Token(AccessToken),
    /// Its rule asks for nothing.
    Public,
    /// Browsers send no token with it.
    Preflight,
}

impl Pass {
    pub(super) fn token(&self) -> Option<&AccessToken> {
        match self {
            Self::Token(token) => Some(token),
            Self::Public | Self::Preflight => None,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Token(_) => Outcome::Allowed,
            Self::Public => Outcome::Public,
            Self::Preflight => Outcome::Preflight,
        }
    }
}

pub(super) type Judged = Result<Pass, Rejection>;

/// What becomes of a request.
pub(super) enum Verdict {
    Done(Judged),
    /// Keys have to be fetched first; that takes two seconds at most.
    Wait(Pin<Box<dyn Future<Output = Result<AccessToken, Rejection>> + Send>>),
}

/// Judges a request by method, path and fields. Its path is [canonical] where there are rules, and
/// `host` is what it was routed by, empty where that is not known.
///
/// `is_preflight` says whether it is a CORS preflight and nothing besides, for a service that tells
/// methods apart. The number is that of the rule that counts.
pub(super) fn judge<B>(
    server: &ResourceServer,
    routes: &Routes,
    request: &Request<B>,
    host: &str,
    is_preflight: impl FnOnce() -> bool,
) -> (Option<usize>, Verdict) {
    let Route { rule, access } = routes.route(request.method(), request.uri().path(), host);
    let Some(gate) = access.gate() else { return (rule, Verdict::Done(Ok(Pass::Public))) };
    if server.preflight() == Preflight::Pass && is_preflight() {
        return (rule, Verdict::Done(Ok(Pass::Preflight)));
    }
    let verdict = match gate.decide(request.headers(), request.uri(), request.extensions()) {
        Decision::Admit(token) => Verdict::Done(Ok(Pass::Token(token))),
        Decision::Refuse(rejection) => Verdict::Done(Err(rejection)),
        Decision::Wait(pending) => {
            let gate = gate.clone();
            Verdict::Wait(Box::pin(async move { gate.judge_after(pending).await }))
        }
        // No token is known before, and no gate here is optional.
        Decision::AdmitKnown | Decision::AdmitAnonymous => {
            Verdict::Done(Err(gate.reject(RejectionKind::Internal)))
        }
    };
    (rule, verdict)
}

/// The same URI with the canonical path; `None` where it is canonical already.
pub(super) fn canonical(uri: &Uri) -> Result<Option<Uri>, BadRequest> {
    let path = match path::canonical(uri.path()) {
        Ok(Cow::Borrowed(_)) => return Ok(None),
        Ok(Cow::Owned(path)) => path,
        Err(_) => return Err(BadRequest::AmbiguousPath),
    };
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    let target = PathAndQuery::try_from(text).map_err(|_| BadRequest::AmbiguousPath)?;
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).map(Some).map_err(|_| BadRequest::AmbiguousPath)
}

/// Whether the path is as rules read it, where somebody else sends it on. Only the digits of an escape
/// may be in lower case: who decodes it reads the same, and who does not takes `%3A` for another path
/// than `:` anyway.
pub(super) fn check_canonical(uri: &Uri) -> Result<(), BadRequest> {
    let Some(read) = canonical(uri)? else { return Ok(()) };
    let mut left_of_escape = 0_u8;
    let is_alike = |(one, other): (u8, u8)| {
        let is_digit = left_of_escape > 0;
        left_of_escape = if one == b'%' { 2 } else { left_of_escape.saturating_sub(1) };
        one == other || is_digit && one.eq_ignore_ascii_case(&other)
    };
    let (came, read) = (uri.path(), read.path());
    let is_same = came.len() == read.len() && came.bytes().zip(read.bytes()).all(is_alike);
    if is_same { Ok(()) } else { Err(BadRequest::AmbiguousPath) }
}
