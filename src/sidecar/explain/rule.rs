//! What the rule for a request asks for.

use serde_json::Value;

use super::report::{Check, Line, Outcome};
use super::request::RequestLine;
use super::values::quoted;
use crate::access_token::{AccessToken, Caller};
use crate::authorization::Requirement;
use crate::sidecar::rules::{Parts, Ruling};
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
    let login = parts.login.iter().map(|(login, wanted)| {
        judge_or_skip(Check::Login, wanted, (token, last), login, &meets_it_or_not)
    });
    let claims = parts.claims.iter().map(|part| {
        let wanted = format!("the claim {}", shown(&part.text));
        let found = |token: &AccessToken, _: bool| claim(token, &part.name);
        judge_or_skip(Check::RuleClaim, &part.requirement, (token, last), &wanted, &found)
    });
    let callers = parts.callers.iter().map(|(text, requirement)| {
        let found = |token: &AccessToken, _: bool| caller(token);
        judge_or_skip(Check::Callers, requirement, (token, last), &shown(text), &found)
    });
    login.chain(claims).chain(callers).collect()
}

/// The tenants that it asks for, as [`more_lines`].
pub(super) fn tenant_lines(
    parts: &Parts,
    token: Option<&AccessToken>,
    last: Option<&Line>,
) -> Vec<Line> {
    let line = |(text, requirement): &(String, Requirement)| {
        let found = &meets_it_or_not;
        judge_or_skip(Check::RuleTenant, requirement, (token, last), &shown(text), found)
    };
    parts.tenants.iter().map(line).collect()
}

/// `found` says what the token has, and is told whether that is enough.
fn judge_or_skip(
    check: Check,
    requirement: &Requirement,
    token_or_last: (Option<&AccessToken>, Option<&Line>),
    wanted: &str,
    found: &dyn Fn(&AccessToken, bool) -> String,
) -> Line {
    match token_or_last {
        (Some(token), _) => {
            let result = token.check(requirement).map_err(|rejection| rejection.kind());
            let found = found(token, result.is_ok());
            Line::new(check, result, found, format!("the rule wants {wanted}"))
        }
        (None, Some(last)) if last.outcome == Outcome::Skipped => {
            Line::new(check, Outcome::Skipped, last.found.clone(), "")
        }
        (None, _) => Line::skipped(check, "the token is not genuine"),
    }
}

fn meets_it_or_not(_: &AccessToken, is_met: bool) -> String {
    if is_met { "this token meets it" } else { "this token does not meet it" }.to_owned()
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
    let actor = token.actor().map(|actor| format!(", acting by {}", shown(actor.subject())));
    let client = token.client_id().map_or("none".into(), shown);
    let (sign, actor) = (sign.unwrap_or_default(), actor.unwrap_or_default());
    format!("the caller is {kind}{sign}; the client is {client}{actor}")
}
