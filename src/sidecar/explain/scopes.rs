//! What a request needs, against what the token grants.

use super::report::{Check, Line};
use crate::authentication::TrustedIssuer;
use crate::authorization::{Requirement, authorize_scope};
use crate::jose::json::Members;
use crate::rejection_kind::RejectionKind;
use crate::scope::GrantedScopes;
use crate::sidecar::words::list;

pub(super) fn line(required: &Requirement, issuer: &TrustedIssuer, claims: &Members<'_>) -> Line {
    match issuer.granted(claims) {
        Ok(granted) => of(required, &granted),
        Err(_) => Line::skipped(Check::Scopes, "the scope claim cannot be read"),
    }
}

pub(super) fn of(required: &Requirement, granted: &GrantedScopes) -> Line {
    let needed = required.describe();
    let result = authorize_scope(required, granted).map_err(RejectionKind::from);
    let lacking = required.lacking(granted);
    let mut found = match (needed.is_empty(), lacking.as_slice()) {
        (true, _) => "none are required".to_owned(),
        (_, []) => "all that are required are granted".to_owned(),
        (_, lacking) => format!("lacks {}", list(lacking.iter().map(String::as_str))),
    };
    let beyond: Vec<_> = granted.beyond_ceiling().collect();
    if !beyond.is_empty() {
        found.push_str(&format!("; the ceiling leaves out {}", list(beyond)));
    }
    let expected = match needed.as_slice() {
        [] => String::new(),
        needed => format!("required are {}", list(needed.iter().map(String::as_str))),
    };
    Line::new(Check::Scopes, result, found, expected)
}
