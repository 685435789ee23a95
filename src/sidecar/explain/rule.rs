//! What the rule for a request asks for.

use serde_json::Value;

use super::report::{Check, Line, Outcome};
use super::request::RequestLine;
use super::values::quoted;
use crate::access_token::{AccessToken, Caller};
use crate::authorization::Requirement;
use crate::rejection_kind::RejectionKind;
use crate::sidecar::rules::{ClaimPart, Parts, Ruling};
use crate::sidecar::words::shown;

/// Which rule it is.
pub(super) fn line(ruling: Option<&Ruling>, request: &RequestLine) -> Line {
    let request = format!("{} {}", request.method(), shown(request.path()));
    let found = match ruling {
        None => format!("none covers {request}, so that what every request needs is enough"),
        Some(Ruling { number, line, hides, parts }) => {
            let public = if parts.is_none() { ", and everybody may pass" } else { "" };
            let hidden = if *hides { ", and hides it from others" } else { "" };
            format!("rule {number}, on line {line}, covers {request}{public}{hidden}")
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
    let login = parts.login.iter().map(|part| of_claim(Check::Login, part, "", (token, last)));
    let claims = parts
        .claims
        .iter()
        .map(|part| of_claim(Check::RuleClaim, part, "the claim ", (token, last)));
    let callers = parts.callers.iter().map(|(text, requirement)| {
        judge_or_skip(Check::Callers, requirement, (token, last), &shown(text), &caller)
    });
    login.chain(claims).chain(callers).collect()
}

/// The tenants that it asks for, as [`more_lines`]; and before them the host, where that is of none.
pub(super) fn tenant_lines(
    parts: &Parts,
    request: &RequestLine,
    token: Option<&AccessToken>,
    last: Option<&Line>,
) -> Vec<Line> {
    let elsewhere = parts.is_elsewhere.then(|| host(request));
    let tenants = parts.tenants.iter();
    let tenants = tenants.map(|part| of_claim(Check::RuleTenant, part, "", (token, last)));
    elsewhere.into_iter().chain(tenants).collect()
}

/// A rule with a host, and a request that is not for one of its hosts.
fn host(request: &RequestLine) -> Line {
    let (found, expected) = match request.host() {
        "" => (
            "the request has no host".to_owned(),
            "the rule has one: --request \"GET https://HOST/PATH\" tells it",
        ),
        host => (format!("the host of the request is {}", shown(host)), "the rule has another"),
    };
    Line::new(Check::RuleTenant, Outcome::Fail(RejectionKind::WrongTenant), found, expected)
}

/// What a claim has to be.
fn of_claim(
    check: Check,
    part: &ClaimPart,
    kind: &str,
    token_or_last: (Option<&AccessToken>, Option<&Line>),
) -> Line {
    let wanted = format!("{kind}{}", shown(&part.text));
    let found = |token: &AccessToken| claim(token, &part.name);
    judge_or_skip(check, &part.requirement, token_or_last, &wanted, &found)
}

/// `found` says what the token has.
fn judge_or_skip(
    check: Check,
    requirement: &Requirement,
    token_or_last: (Option<&AccessToken>, Option<&Line>),
    wanted: &str,
    found: &dyn Fn(&AccessToken) -> String,
) -> Line {
    match token_or_last {
        (Some(token), _) => {
            let result = token.check(requirement).map_err(|rejection| rejection.kind());
            Line::new(check, result, found(token), format!("the rule wants {wanted}"))
        }
        (None, Some(last)) if last.outcome == Outcome::Skipped => {
            Line::new(check, Outcome::Skipped, last.found.clone(), "")
        }
        (None, _) => Line::skipped(check, "the token is not genuine"),
    }
}

/// What the token says there.
fn claim(token: &AccessToken, name: &str) -> String {
    let found = match token.claim::<Value>(name) {
        Ok(None) => "is missing".to_owned(),
        Ok(Some(Value::String(text))) => format!("is {}", quoted(&text)),
        Ok(Some(Value::Array(_) | Value::Object(_))) | Err(_) => "is no single value".to_owned(),
        Ok(Some(value)) => format!("is {}", shown(&value.to_string())),
    };
    format!("{} {found}", shown(name))
}

/// Who is calling, and what tells it.
fn caller(token: &AccessToken) -> String {
    let kind = match token.caller() {
        Caller::Client => "a client",
        Caller::User => "a person",
        _ => "not told",
    };
    let sign = token.caller_told_by().map(|sign| format!(", by {}", shown(sign)));
    let actor =
        token.actor().map(|actor| format!("; {} acts for the subject", shown(actor.subject())));
    let client = token.client_id().map_or("none".into(), shown);
    let (sign, actor) = (sign.unwrap_or_default(), actor.unwrap_or_default());
    format!("the caller is {kind}{sign}; the client is {client}{actor}")
}
