//! What the rule for a request asks for.

use super::report::{Check, Line, Outcome};
use super::request::RequestLine;
use crate::access_token::{AccessToken, Caller};
use crate::authorization::{Requirement, authorize};
use crate::rejection_kind::RejectionKind;
use crate::sidecar::rules::{Parts, Ruling};
use crate::sidecar::words::shown;

/// Which rule it is.
pub(super) fn line(ruling: Option<&Ruling>, request: &RequestLine) -> Line {
    let request = format!("{} {}", request.method(), shown(request.path()));
    let found = match ruling {
        None => format!("none covers {request}, so that what every request needs is enough"),
        Some(Ruling { number, line, parts }) => {
            let public = if parts.is_none() { ", and everybody may pass" } else { "" };
            format!("rule {number}, on line {line}, covers {request}{public}")
        }
    };
    Line::new(Check::Rule, Outcome::Pass, found, "")
}

/// What it asks for besides scope, of a token that is genuine. `last` is the line before, in whose
/// words it is said that a check cannot be made.
pub(super) fn more_lines(
    parts: &Parts,
    token: Option<&AccessToken>,
    last: Option<&Line>,
) -> Vec<Line> {
    let claims = parts.claims.iter().map(|(text, claim)| {
        let wanted = format!("the claim {}", shown(text));
        judge_or_skip(Check::RuleClaim, claim, token, last, &wanted)
    });
    let callers = parts.callers.iter().map(|(text, requirement)| {
        judge_or_skip(Check::Callers, requirement, token, last, &shown(text))
    });
    claims.chain(callers).collect()
}

/// The tenants that it asks for, as [`more_lines`].
pub(super) fn tenant_lines(
    parts: &Parts,
    token: Option<&AccessToken>,
    last: Option<&Line>,
) -> Vec<Line> {
    let line = |(text, requirement): &(String, Requirement)| {
        judge_or_skip(Check::RuleTenant, requirement, token, last, &shown(text))
    };
    parts.tenants.iter().map(line).collect()
}

fn judge_or_skip(
    check: Check,
    requirement: &Requirement,
    token: Option<&AccessToken>,
    last: Option<&Line>,
    wanted: &str,
) -> Line {
    match (token, last) {
        (Some(token), _) => judge(check, requirement, token, wanted),
        (None, Some(last)) if last.outcome == Outcome::Skipped => {
            Line::new(check, Outcome::Skipped, last.found.clone(), "")
        }
        (None, _) => Line::skipped(check, "the token is not genuine"),
    }
}

fn judge(check: Check, requirement: &Requirement, token: &AccessToken, wanted: &str) -> Line {
    match authorize(requirement, token) {
        Ok(()) => Line::new(check, Outcome::Pass, format!("the rule wants {wanted}"), ""),
        Err(_) => {
            let found = match check {
                Check::Callers => caller(token),
                _ => "this token does not meet it".to_owned(),
            };
            let kind = match check {
                Check::RuleTenant => RejectionKind::WrongTenant,
                _ => RejectionKind::Forbidden,
            };
            Line::new(check, Outcome::Fail(kind), found, format!("the rule wants {wanted}"))
        }
    }
}

/// Who is calling, and what tells it.
fn caller(token: &AccessToken) -> String {
    let kind = match token.caller() {
        Caller::Client => "a client",
        Caller::User => "a person",
        _ => "not told",
    };
    let sign = token.caller_told_by().map(|sign| format!(", by {}", shown(sign)));
    let actor = token.actor().map(|actor| format!(", acting by {}", shown(actor.subject())));
    let client = token.client_id().map_or("none".into(), shown);
    let (sign, actor) = (sign.unwrap_or_default(), actor.unwrap_or_default());
    format!("the caller is {kind}{sign}; the client is {client}{actor}")
}
