//! The decision: scope and login first, then the rules about callers and everything else.

use super::requirement::{Node, Requirement};
use super::step_up::Login;
use crate::access_token::AccessToken;
use crate::clock::Clock;
use crate::rejection_kind::RejectionKind;
use crate::scope::GrantedScopes;

/// Why a verified token may not do what it was presented for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// The token is of another tenant than the request. Told before anything else.
    WrongTenant,
    /// Scope is missing that the issuer's ceiling allows, and the challenge can name it. Told first,
    /// also where a rule refuses too.
    InsufficientScope,
    /// Another login is needed, and perhaps more scope. It is told as early as scope is.
    InsufficientLogin,
    /// The caller's kind, a policy or the ceiling refuses: neither would help.
    Forbidden,
}

impl From<Denial> for RejectionKind {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::WrongTenant => Self::WrongTenant,
            Denial::InsufficientScope => Self::InsufficientScope,
            Denial::InsufficientLogin => Self::InsufficientUserAuthentication,
            Denial::Forbidden => Self::Forbidden,
        }
    }
}

/// Whether `token` meets `requirement`. The clock is looked at where the time of a login matters.
pub(crate) fn authorize(
    requirement: &Requirement,
    token: &AccessToken,
    clock: &dyn Clock,
) -> Result<(), Denial> {
    decide(requirement, token.granted(), Rules::Judged(token), Login::Told(token, clock))
}

/// Whether so much scope would do, logins, callers and policies aside. For those who explain what
/// would become of a token that is not verified.
#[cfg(feature = "sidecar")]
pub(crate) fn authorize_scope(
    requirement: &Requirement,
    granted: &GrantedScopes,
) -> Result<(), Denial> {
    decide(requirement, granted, Rules::TakenAsMet, Login::TakenAsMet)
}

fn decide(
    requirement: &Requirement,
    granted: &GrantedScopes,
    rules: Rules<'_>,
    login: Login<'_>,
) -> Result<(), Denial> {
    let tenants = rules;
    let holds = |scope, login, rules| {
        Question { granted, scope, login, rules, tenants }.answer(&requirement.0)
    };
    if holds(Scope::Granted, login, rules) {
        return Ok(());
    }
    if !holds(Scope::TakenAsEnough, Login::TakenAsMet, Rules::TakenAsMet) {
        return Err(Denial::WrongTenant);
    }
    let is_short = !holds(Scope::Granted, login, Rules::TakenAsMet);
    let rules = if is_short { Rules::TakenAsMet } else { rules };
    // A client that is told to ask for what it has, or cannot have, would ask for ever.
    let more_would_do =
        |login| holds(Scope::Grantable, login, rules) && requirement.advertises_news_to(granted);
    let another = login.obtainable();
    Err(if more_would_do(login) {
        Denial::InsufficientScope
    } else if holds(Scope::Granted, another, rules) || more_would_do(another) {
        Denial::InsufficientLogin
    } else {
        Denial::Forbidden
    })
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
    login: Login<'a>,
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
            Node::Acr(values) => self.login.is_one_of(values),
            Node::MaxAge(seconds) => self.login.is_within(*seconds),
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
