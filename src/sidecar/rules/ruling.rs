//! A rule taken apart, for those who explain what it asks for.

use super::Rule;
use crate::authorization::{Requirement, any_of};

/// What a rule asks of one request, part by part.
pub(in crate::sidecar) struct Ruling {
    /// Counted from one, as the line is.
    pub(in crate::sidecar) number: usize,
    pub(in crate::sidecar) line: usize,
    /// Whether it hides what it covers from those who may not pass.
    pub(in crate::sidecar) hides: bool,
    /// `None` where everybody may pass.
    pub(in crate::sidecar) parts: Option<Parts>,
}

/// What a token has to bring, each with its requirement.
pub(in crate::sidecar) struct Parts {
    pub(in crate::sidecar) tenants: Vec<ClaimPart>,
    /// Whether the rule has a host, and the request another.
    pub(in crate::sidecar) is_elsewhere: bool,
    pub(in crate::sidecar) scope: Requirement,
    pub(in crate::sidecar) login: Vec<ClaimPart>,
    pub(in crate::sidecar) claims: Vec<ClaimPart>,
    /// Who has to call, in words.
    pub(in crate::sidecar) callers: Vec<(String, Requirement)>,
}

/// A claim that a token has to bring.
pub(in crate::sidecar) struct ClaimPart {
    pub(in crate::sidecar) name: String,
    /// In words.
    pub(in crate::sidecar) text: String,
    pub(in crate::sidecar) requirement: Requirement,
}

impl Ruling {
    /// For a path that the rule matches, decoded.
    pub(super) fn new(number: usize, rule: &Rule, path: &str, host: &str) -> Self {
        let parts = rule.needs.as_ref().map(|needs| {
            let of_host = needs.host_values(host);
            let mut values = rule.path.values(path);
            values.extend(of_host.iter().map(String::as_str));
            Parts {
                tenants: needs.tenants(&values),
                is_elsewhere: needs.is_elsewhere(&values),
                scope: needs.scope(&values).unwrap_or_else(never),
                login: needs.login(),
                claims: needs.claims(&values),
                callers: needs.who.requirements(),
            }
        });
        let hides = rule.needs.as_ref().is_some_and(|needs| needs.hide);
        Self { number, line: rule.line, hides, parts }
    }
}

/// Met by no token, whatever it has.
pub(super) fn never() -> Requirement {
    any_of([] as [Requirement; 0])
}
