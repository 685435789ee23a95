//! The decision: scope first, then the rules about callers and everything else.

use super::requirement::{Node, Requirement};
use crate::access_token::AccessToken;
use crate::scope::GrantedScopes;

/// Why a verified token may not do what it was presented for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// The token is of another tenant than the request. Told before anything else.
    WrongTenant,
    /// Scope is missing that the issuer's ceiling allows, and the challenge can name it. Told first,
    /// also where a rule refuses too.
    InsufficientScope,
    /// The caller's kind, a policy or the ceiling refuses: more scope would not help.
    Forbidden,
}

/// Whether `token` meets `requirement`.
pub(crate) fn authorize(requirement: &Requirement, token: &AccessToken) -> Result<(), Denial> {
    decide(requirement, token.granted(), Rules::Judged(token))
}

/// Whether so much scope would do, callers and policies aside. For those who explain what would
/// become of a token that is not verified.
#[cfg(feature = "sidecar")]
pub(crate) fn authorize_scope(
    requirement: &Requirement,
    granted: &GrantedScopes,
) -> Result<(), Denial> {
    decide(requirement, granted, Rules::TakenAsMet)
}

fn decide(
    requirement: &Requirement,
    granted: &GrantedScopes,
    rules: Rules<'_>,
) -> Result<(), Denial> {
    let tenants = rules;
    let holds = |scope, rules| Question { granted, scope, rules, tenants }.answer(&requirement.0);
    if holds(Scope::Granted, rules) {
        return Ok(());
    }
    if !holds(Scope::TakenAsEnough, Rules::TakenAsMet) {
        return Err(Denial::WrongTenant);
    }
    let scope_is_short = !holds(Scope::Granted, Rules::TakenAsMet);
    let rules = if scope_is_short { Rules::TakenAsMet } else { rules };
    let more_would_do = holds(Scope::Grantable, rules);
    // A client that is told to ask for what it has, or cannot have, would ask for ever.
    Err(if more_would_do && requirement.advertises_news_to(granted) {
        Denial::InsufficientScope
    } else {
        Denial::Forbidden
    })
}

impl AccessToken {
    /// Whether the token meets `requirement`, as a layer would judge it: with the wildcards,
    /// hierarchy and ceiling of its issuer. [`scopes`](Self::scopes) lists words alone. A tenant
    /// that is in path or host is met by no token, as there is no request here.
    ///
    /// ```
    /// use portcullis::{AccessToken, Scope, scope};
    ///
    /// fn may_delete(token: &AccessToken, tenant: &str) -> bool {
    ///     let own = Scope::new(&format!("tenant.{tenant}.delete"));
    ///     own.is_ok_and(|own| token.allows(&own.into())) || token.allows(&scope("admin"))
    /// }
    /// ```
    pub fn allows(&self, requirement: &Requirement) -> bool {
        authorize(requirement, self).is_ok()
    }
}

/// What counts as scope.
#[derive(Clone, Copy)]
enum Scope {
    /// What the token has within the ceiling.
    Granted,
    /// What it has or could have within the ceiling.
    Grantable,
    /// Whatever is asked for, so that nothing but tenants decides.
    TakenAsEnough,
}

/// Whether callers and policies are asked, and about which token.
#[derive(Clone, Copy)]
enum Rules<'a> {
    Judged(&'a AccessToken),
    TakenAsMet,
}

#[derive(Clone, Copy)]
struct Question<'a> {
    granted: &'a GrantedScopes,
    scope: Scope,
    rules: Rules<'a>,
    tenants: Rules<'a>,
}

impl Question<'_> {
    fn answer(self, node: &Node) -> bool {
        let granted = self.granted;
        match node {
            Node::Scope(scope) => granted.grants(scope) || self.may(|| granted.could_grant(scope)),
            Node::Pattern(pattern) => {
                granted.grants_any(pattern) || self.may(|| granted.could_grant_any(pattern))
            }
            Node::Fact(fact) => self.rule(|token| fact.holds(token)),
            Node::Tenant(rule) => self.tenants.judge(|token| rule.holds(token)),
            Node::Policy(policy) => self.rule(|token| (policy.0)(token)),
            Node::AllOf(nodes) => nodes.iter().all(|node| self.answer(node)),
            // What can never be met names no tenant either.
            Node::AnyOf(nodes) if nodes.is_empty() => matches!(self.scope, Scope::TakenAsEnough),
            Node::AnyOf(nodes) => nodes.iter().any(|node| self.answer(node)),
            Node::StandIn { node, .. } => self.answer(node),
        }
    }

    fn may(self, could_grant: impl FnOnce() -> bool) -> bool {
        match self.scope {
            Scope::Granted => false,
            Scope::Grantable => could_grant(),
            Scope::TakenAsEnough => true,
        }
    }

    fn rule(self, judge: impl FnOnce(&AccessToken) -> bool) -> bool {
        self.rules.judge(judge)
    }
}

impl Rules<'_> {
    fn judge(self, judge: impl FnOnce(&AccessToken) -> bool) -> bool {
        match self {
            Self::Judged(token) => judge(token),
            Self::TakenAsMet => true,
        }
    }
}
