//! What an explanation consists of.

use serde::Serialize;

use super::verdict::Verdict;
use crate::rejection_kind::RejectionKind;

/// Everything that is said about a token.
pub(super) struct Report {
    pub(super) lines: Vec<Line>,
    pub(super) verdict: Verdict,
}

/// What is checked, in the order in which the engine does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Check {
    /// Only where a request is given, as tenant, login, claim and callers.
    Rule,
    Form,
    Header,
    Algorithm,
    Type,
    Claims,
    Issuer,
    Key,
    Signature,
    Profile,
    Lifetime,
    Audience,
    Identity,
    ScopeClaim,
    /// Only where the token has `authorization_details`.
    Details,
    Kind,
    Binding,
    RequiredClaims,
    RuleTenant,
    Scopes,
    Login,
    /// In place of all of these, where the issuer is asked about the token.
    Introspection,
    RuleClaim,
    Callers,
}

impl Check {
    /// What is checked of every token.
    pub(super) const ALL: [Self; 17] = [
        Self::Form,
        Self::Header,
        Self::Algorithm,
        Self::Type,
        Self::Claims,
        Self::Issuer,
        Self::Key,
        Self::Signature,
        Self::Profile,
        Self::Lifetime,
        Self::Audience,
        Self::Identity,
        Self::ScopeClaim,
        Self::Kind,
        Self::Binding,
        Self::RequiredClaims,
        Self::Scopes,
    ];

    /// For people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Form => "form",
            Self::Header => "header",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::Claims => "claims",
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Profile => "profile",
            Self::Lifetime => "lifetime",
            Self::Audience => "audience",
            Self::Identity => "identity",
            Self::ScopeClaim => "scope claim",
            Self::Details => "details",
            Self::Kind => "kind",
            Self::Binding => "binding",
            Self::RequiredClaims => "required claims",
            Self::Scopes => "scopes",
            Self::Login => "login",
            Self::Introspection => "introspection",
            Self::RuleTenant => "tenant",
            Self::RuleClaim => "claim",
            Self::Callers => "callers",
        }
    }

    /// Whether it is about what the claims say, which counts for nothing without a signature.
    pub(super) const fn is_about_claims(self) -> bool {
        !matches!(
            self,
            Self::Rule
                | Self::Form
                | Self::Header
                | Self::Algorithm
                | Self::Type
                | Self::Claims
                | Self::Key
                | Self::Signature
                | Self::Introspection
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Pass,
    Fail(RejectionKind),
    /// It could not be made.
    Skipped,
}

impl From<Result<(), RejectionKind>> for Outcome {
    fn from(result: Result<(), RejectionKind>) -> Self {
        result.map_or_else(Self::Fail, |()| Self::Pass)
    }
}

/// One check. All texts are safe to print.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) check: Check,
    pub(super) outcome: Outcome,
    /// What the token says; where the check was skipped, why.
    pub(super) found: String,
    /// What this API wants, if there is more to say than that it was found.
    pub(super) expected: String,
    /// Whether the token may just be saying so.
    pub(super) unverified: bool,
}

impl Line {
    pub(super) fn new(
        check: Check,
        outcome: impl Into<Outcome>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let (outcome, found, expected) = (outcome.into(), found.into(), expected.into());
        Self { check, outcome, found, expected, unverified: false }
    }

    pub(super) fn skipped(check: Check, why: &str) -> Self {
        Self::new(check, Outcome::Skipped, format!("not checked: {why}"), "")
    }

    pub(super) fn fault(&self) -> Option<RejectionKind> {
        match self.outcome {
            Outcome::Fail(kind) => Some(kind),
            Outcome::Pass | Outcome::Skipped => None,
        }
    }
}

/// The check that decides: the first that failed. Where scope is short and the login is not enough,
/// that is the login, as its answer asks for both.
pub(super) fn first_fault(lines: &[Line]) -> Option<(Check, RejectionKind)> {
    let mut faults = lines.iter().filter_map(|line| line.fault().map(|kind| (line.check, kind)));
    let first = faults.next();
    match first {
        Some((_, RejectionKind::InsufficientScope)) => {
            faults.find(|(check, _)| *check == Check::Login).or(first)
        }
        other => other,
    }
}
