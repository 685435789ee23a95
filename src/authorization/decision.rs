//! The decision: one walk through the requirement, each part asked at most once.

use super::requirement::{Node, Requirement};
use crate::access_token::AccessToken;

/// Why a verified token may not do what it was presented for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// Scope is missing that the issuer's ceiling allows. Told first, also where a rule refuses too.
    InsufficientScope,
    /// The caller's kind, a policy or the ceiling refuses.
    Forbidden,
}

/// Whether `token` meets `requirement`.
pub(crate) fn authorize(requirement: &Requirement, token: &AccessToken) -> Result<(), Denial> {
    match Verdict::of(&requirement.0, token) {
        Verdict::Passes => Ok(()),
        Verdict::LacksScope => Err(Denial::InsufficientScope),
        Verdict::CeilingRefuses | Verdict::RuleRefuses => Err(Denial::Forbidden),
    }
}

/// In the order in which faults count when all of several parts must pass: scope is judged before
/// rules, and scope that no token could have is beyond help.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    CeilingRefuses,
    LacksScope,
    RuleRefuses,
    Passes,
}

impl Verdict {
    fn of(node: &Node, token: &AccessToken) -> Self {
        let granted = token.granted();
        match node {
            Node::Scope(scope) => {
                Self::of_scope(granted.grants(scope), || granted.could_grant(scope))
            }
            Node::Pattern(pattern) => {
                Self::of_scope(granted.grants_any(pattern), || granted.could_grant_any(pattern))
            }
            Node::Caller(caller) => Self::of_rule(token.caller() == *caller),
            Node::Policy(policy) => Self::of_rule((policy.0)(token)),
            Node::AllOf(nodes) => {
                let mut least = Self::Passes;
                for node in nodes {
                    least = least.min(Self::of(node, token));
                    if least == Self::CeilingRefuses {
                        break;
                    }
                }
                least
            }
            Node::AnyOf(nodes) => {
                let mut best = Self::RuleRefuses;
                for node in nodes {
                    best = best.or(Self::of(node, token));
                    if best == Self::Passes {
                        break;
                    }
                }
                best
            }
            Node::StandIn { node, .. } => Self::of(node, token),
        }
    }

    /// One alternative that more scope would open is enough to say so.
    fn or(self, other: Self) -> Self {
        let hope = |verdict| match verdict {
            Self::Passes => 2,
            Self::LacksScope => 1,
            Self::RuleRefuses | Self::CeilingRefuses => 0,
        };
        if hope(other) > hope(self) { other } else { self }
    }

    fn of_scope(granted: bool, could_be: impl FnOnce() -> bool) -> Self {
        if granted {
            Self::Passes
        } else if could_be() {
            Self::LacksScope
        } else {
            Self::CeilingRefuses
        }
    }

    fn of_rule(satisfied: bool) -> Self {
        if satisfied { Self::Passes } else { Self::RuleRefuses }
    }
}
