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
    let judge = |check, requirement, wanted: &str, found: &dyn Fn(&AccessToken) -> String| match (
        token, last,
    ) {
        (Some(token), _) => judge(check, requirement, token, wanted, found(token)),
        (None, Some(last)) if last.outcome == Outcome::Skipped => {
            Line::new(check, Outcome::Skipped, last.found.clone(), "")
        }
        (None, _) => Line::skipped(check, "the token is not genuine"),
    };
    let login = parts.login.iter().map(|(login, wanted)| {
        let found = |token: &AccessToken| match token.check(wanted) {
            Ok(()) => "this token meets it".to_owned(),
            Err(_) => "this token does not meet it".to_owned(),
        };
        judge(Check::Login, wanted, login, &found)
    });
    let claims = parts.claims.iter().map(|part| {
        let wanted = format!("the claim {}", shown(&part.text));
        let found = |token: &AccessToken| claim(token, &part.name);
        judge(Check::RuleClaim, &part.requirement, &wanted, &found)
    });
    let callers = parts.callers.iter().map(|(callers, requirement)| {
        judge(Check::Callers, requirement, &format!("{callers} as callers"), &caller)
    });
    login.chain(claims).chain(callers).collect()
}

fn judge(
    check: Check,
    requirement: &Requirement,
    token: &AccessToken,
    wanted: &str,
    found: String,
) -> Line {
    let result = token.check(requirement).map_err(|rejection| rejection.kind());
    Line::new(check, result, found, format!("the rule wants {wanted}"))
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

/// Who calls, and what shows it.
fn caller(token: &AccessToken) -> String {
    match token.caller() {
        Caller::Client => "sub is client_id: a client",
        Caller::User => "sub is not client_id: a user",
        Caller::Unknown => "sub or client_id is missing: nobody knows who calls",
    }
    .to_owned()
}
