//! Who presents a token, and on whose behalf.

use std::fmt;
use std::sync::Arc;

/// Who presented the token.
///
/// What tells it is configured per issuer, see [`CallerTable`](crate::CallerTable).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Caller {
    /// A client acting for itself.
    Client,
    /// A person.
    User,
    /// The token does not say, or not in a way that its issuer was declared to say it.
    Unknown,
}

/// What verification has found out about the caller.
#[derive(Clone)]
pub(crate) struct CallerFacts {
    pub(crate) caller: Caller,
    /// In words; `None` where it is unknown.
    pub(crate) told_by: Option<Arc<str>>,
    /// `None` where the issuer does not tell.
    pub(crate) is_first_party: Option<bool>,
    pub(crate) actor: Option<Box<Actor>>,
}

#[cfg(test)]
impl From<Caller> for CallerFacts {
    fn from(caller: Caller) -> Self {
        Self { caller, told_by: None, is_first_party: None, actor: None }
    }
}

/// The party that acts on behalf of a token's subject (RFC 8693 §4.1): the outermost `act`. What is
/// nested in it is history and decides nothing.
///
/// Subjects are unique per issuer only, so equality uses the pair. `Display` writes `sub` alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    issuer: Arc<str>,
    subject: Box<str>,
}

impl Actor {
    pub(crate) fn new(issuer: Arc<str>, subject: &str) -> Self {
        Self { issuer, subject: subject.into() }
    }

    /// `iss` of the actor, else the token's.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub` of the actor.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.subject.len() + self.issuer.len()
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)
    }
}
