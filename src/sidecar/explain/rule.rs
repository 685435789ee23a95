//! What the rule for a request asks for.

use super::report::{Check, Line, Outcome};
use super::request::RequestLine;
use crate::access_token::AccessToken;
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
    let judge = |check, requirement, wanted: &str| match (token, last) {
        (Some(token), _) => judge(check, requirement, token, wanted),
        (None, Some(last)) if last.outcome == Outcome::Skipped => {
            Line::new(check, Outcome::Skipped, last.found.clone(), "")
        }
        (None, _) => Line::skipped(check, "the token is not genuine"),
    };
    let login = parts.login.iter().map(|(login, wanted)| judge(Check::Login, wanted, login));
    let claims = parts
        .claims
        .iter()
        .map(|(text, claim)| judge(Check::RuleClaim, claim, &format!("the claim {}", shown(text))));
    let callers = parts.callers.iter().map(|(callers, requirement)| {
        judge(Check::Callers, requirement, &format!("{callers} as callers"))
    });
    login.chain(claims).chain(callers).collect()
}

fn judge(check: Check, requirement: &Requirement, token: &AccessToken, wanted: &str) -> Line {
    match token.check(requirement) {
        Ok(()) => Line::new(check, Outcome::Pass, format!("the rule wants {wanted}"), ""),
        Err(rejection) => {
            let fault = Outcome::Fail(rejection.kind());
            Line::new(
                check,
                fault,
                "this token does not meet it",
                format!("the rule wants {wanted}"),
            )
        }
    }
}
