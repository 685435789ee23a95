//! Step-up (RFC 9470): how a person has to have logged in, and how long ago at most.

use std::fmt;
use std::time::Duration;

use super::advertised::chosen;
use super::requirement::{Node, Requirement, must};
use crate::access_token::{AccessToken, Caller};
use crate::clock::{Clock, NumericDate};
use crate::scope::{Scope, split_config_list};

/// Requires that the person has logged in in one of these ways: the claim `acr` is one of the
/// values, which are separated by spaces and stand in order of preference (RFC 9470 §3). What they
/// mean is between you and the authorization server.
///
/// A token that falls short gets 401 with `insufficient_user_authentication` and these values, so
/// that the client can send the person to log in again. A client that acts for itself cannot do
/// that: it gets 403.
///
/// Takes a literal of the program's text. Text that is known at run time goes through
/// [`Requirement::try_acr`].
///
/// ```
/// use std::time::Duration;
/// use portcullis::{acr, max_age, scope};
///
/// let transfer = scope("payments").and(acr("phr phrh")).and(max_age(Duration::from_secs(300)));
/// ```
///
/// # Panics
/// Where [`Requirement::try_acr`] returns an error.
#[track_caller]
pub fn acr(values: &'static str) -> Requirement {
    must(values, Requirement::try_acr(values))
}

/// Requires that the person has logged in at most so long ago, leeway aside: by the claim
/// `auth_time`, in whole seconds. Refusals are those of [`acr`], with `max_age` (RFC 9470 §3).
pub fn max_age(age: Duration) -> Requirement {
    Requirement(Node::MaxAge(age.as_secs()))
}

impl Requirement {
    /// As [`acr`], for text that is known at run time.
    ///
    /// # Errors
    /// When there is no value, or one has a character in it that no challenge may hold, or more
    /// than 256 bytes.
    pub fn try_acr(values: &str) -> Result<Self, InvalidAcr> {
        let values: Vec<_> = split_config_list(values).collect();
        // The alphabet is that of scopes (RFC 9470 §3, RFC 9110 §5.6.4).
        match (1..).zip(&values).find(|(_, value)| Scope::new(value).is_err()) {
            Some((number, _)) => Err(InvalidAcr { value: Some(number) }),
            None if values.is_empty() => Err(InvalidAcr { value: None }),
            None => Ok(Self(Node::Acr(values.into_iter().map(Into::into).collect()))),
        }
    }

    /// What a login has to be like, for challenges; always the same for one requirement.
    pub(crate) fn step_up(&self) -> StepUp {
        let Asked { acr, max_age } = asked(&self.0, &[]);
        StepUp { acr_values: acr.map(|values| values.join(" ")), max_age }
    }
}

/// What a challenge asks of a login (RFC 9470 §3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StepUp {
    pub(crate) acr_values: Option<String>,
    /// Seconds.
    pub(crate) max_age: Option<u64>,
}

/// What decides about logins.
#[derive(Clone, Copy)]
pub(super) enum Login<'a> {
    /// The token's claims.
    Told(&'a AccessToken, &'a dyn Clock),
    /// What another login of the same person could be like. There is none where a client acts for
    /// itself.
    Obtainable(&'a AccessToken),
    TakenAsMet,
}

impl Login<'_> {
    /// What could become of it.
    pub(super) fn obtainable(self) -> Self {
        match self {
            Self::Told(token, _) => Self::Obtainable(token),
            settled => settled,
        }
    }

    pub(super) fn is_one_of(self, values: &[Box<str>]) -> bool {
        self.judge(|token, _| {
            let acr: Option<String> = token.claim("acr").ok().flatten();
            acr.is_some_and(|acr| values.iter().any(|value| **value == *acr))
        })
    }

    pub(super) fn is_within(self, max_age: u64) -> bool {
        self.judge(|token, clock| {
            let at = token.claim("auth_time").ok().flatten().and_then(NumericDate::new);
            let now = NumericDate::at(clock.now());
            at.zip(now).is_some_and(|(at, now)| {
                let leeway = token.leeway();
                at <= now.plus(leeway) && now <= at.plus(Duration::from_secs(max_age)).plus(leeway)
            })
        })
    }

    fn judge(self, is_met: impl FnOnce(&AccessToken, &dyn Clock) -> bool) -> bool {
        match self {
            Self::Told(token, clock) => is_met(token, clock),
            Self::Obtainable(token) => token.caller() != Caller::Client,
            Self::TakenAsMet => true,
        }
    }
}

#[derive(Default)]
struct Asked<'a> {
    acr: Option<Vec<&'a str>>,
    max_age: Option<u64>,
}

impl Asked<'_> {
    fn is_nothing(&self) -> bool {
        self.acr.is_none() && self.max_age.is_none()
    }

    /// One login for both: ways that both allow, and the shorter time. Ways of the first where
    /// there is none, as no login is enough then.
    fn and(self, other: Self) -> Self {
        let acr = match (self.acr, other.acr) {
            (Some(one), Some(other)) => {
                let both: Vec<_> = one.iter().copied().filter(|way| other.contains(way)).collect();
                Some(if both.is_empty() { one } else { both })
            }
            (one, other) => one.or(other),
        };
        let max_age = match (self.max_age, other.max_age) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { acr, max_age }
    }
}

/// `stand_in` as in the scope that is advertised, whose alternative is to be the same.
fn asked<'a>(node: &'a Node, stand_in: &'a [Scope]) -> Asked<'a> {
    match node {
        Node::Acr(values) => {
            Asked { acr: Some(values.iter().map(AsRef::as_ref).collect()), max_age: None }
        }
        Node::MaxAge(seconds) => Asked { acr: None, max_age: Some(*seconds) },
        Node::AllOf(nodes) => {
            nodes.iter().map(|node| asked(node, stand_in)).fold(Asked::default(), Asked::and)
        }
        Node::AnyOf(nodes) => alternative(nodes, stand_in),
        Node::StandIn { node, scopes } => asked(node, scopes),
        Node::Scope(_) | Node::Pattern(_) | Node::Fact(_) | Node::Tenant(_) | Node::Policy(_) => {
            Asked::default()
        }
    }
}

/// That of the alternative whose scope is advertised, else the first that asks for anything. Where
/// there is nothing but ways to log in, all of them, as any one will do.
fn alternative<'a>(nodes: &'a [Node], stand_in: &'a [Scope]) -> Asked<'a> {
    let mut ways = Vec::new();
    for node in nodes {
        let Node::Acr(values) = node else {
            let of_scope = chosen(nodes, stand_in).map(|node| asked(node, stand_in));
            let mut all =
                of_scope.into_iter().chain(nodes.iter().map(|node| asked(node, stand_in)));
            return all.find(|asked| !asked.is_nothing()).unwrap_or_default();
        };
        ways.extend(
            values.iter().map(AsRef::as_ref).filter(|way| !ways.contains(way)).collect::<Vec<_>>(),
        );
    }
    Asked { acr: (!ways.is_empty()).then_some(ways), max_age: None }
}

/// Text that cannot stand for ways to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidAcr {
    /// Counted from one; `None` where there is no value at all.
    value: Option<usize>,
}

impl fmt::Display for InvalidAcr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(number) => write!(
                f,
                "value {number}: must be printable US-ASCII without \" and \\, 256 bytes at most"
            ),
            None => f.write_str("there is no value"),
        }
    }
}

impl std::error::Error for InvalidAcr {}
