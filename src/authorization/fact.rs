//! What is known about the caller of a verified token, as something to require.

use std::fmt;

use super::requirement::{Node, Requirement};
use crate::access_token::{AccessToken, Actor, Caller};

/// Something that holds of a token or not, whatever the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fact {
    User,
    Client,
    OneOfClients(Vec<Box<str>>),
    /// Whether the client is ours.
    Party {
        first: bool,
    },
    NoActor,
    /// `None` stands for the token's own issuer.
    Actor {
        issuer: Option<Box<str>>,
        subject: Box<str>,
    },
}

impl Fact {
    pub(super) fn holds(&self, token: &AccessToken) -> bool {
        match self {
            Self::User => token.caller() == Caller::User,
            Self::Client => token.caller() == Caller::Client,
            Self::OneOfClients(clients) => token
                .client_id()
                .is_some_and(|client_id| clients.iter().any(|one| **one == *client_id)),
            Self::Party { first } => token.is_first_party() == Some(*first),
            Self::NoActor => token.actor().is_none(),
            Self::Actor { issuer, subject } => {
                let issuer = issuer.as_deref().unwrap_or(token.issuer());
                let is_it =
                    |actor: &Actor| actor.issuer() == issuer && actor.subject() == &**subject;
                token.actor().is_some_and(is_it)
            }
        }
    }
}

/// For the operator who required it.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("a person as caller"),
            Self::Client => f.write_str("a client as caller"),
            Self::OneOfClients(clients) => write!(f, "one of the clients {}", clients.join(", ")),
            Self::Party { first: true } => f.write_str("a client of our own"),
            Self::Party { first: false } => f.write_str("a client of somebody else"),
            Self::NoActor => f.write_str("nobody who acts for another"),
            Self::Actor { issuer: None, subject } => write!(f, "{subject} as actor"),
            Self::Actor { issuer: Some(issuer), subject } => {
                write!(f, "{subject} of {issuer} as actor")
            }
        }
    }
}

impl From<Fact> for Requirement {
    fn from(fact: Fact) -> Self {
        Self(Node::Fact(fact))
    }
}

/// Requires that a person is calling: [`Caller::User`].
pub fn users() -> Requirement {
    Fact::User.into()
}

/// Requires that a client is calling for itself: [`Caller::Client`].
pub fn clients() -> Requirement {
    Fact::Client.into()
}

/// Requires a token that one of these clients got, for itself or for a person.
///
/// Without a client, nobody passes. Client ids are unique per issuer only: with issuers that are run
/// by several parties, say whose clients they are, as in
/// `client_ids(["web"]).and(tenant("iss").is("https://login.example.com"))`.
pub fn client_ids(clients: impl IntoIterator<Item = impl Into<String>>) -> Requirement {
    let clients = clients.into_iter().map(|client| client.into().into_boxed_str());
    Fact::OneOfClients(clients.collect()).into()
}

/// Requires a client of our own, see
/// [`AccessToken::is_first_party`](crate::AccessToken::is_first_party). A client of which that is
/// not known does not pass.
pub fn first_party() -> Requirement {
    Fact::Party { first: true }.into()
}

/// Requires a client of somebody else. A client of which that is not known does not pass.
pub fn third_party() -> Requirement {
    Fact::Party { first: false }.into()
}

/// Requires that nobody acts on behalf of the subject: a token without `act` (RFC 8693 §4.1).
pub fn no_actor() -> Requirement {
    Fact::NoActor.into()
}

/// Requires this actor, known to the issuer of the token itself. To allow several, or none at all,
/// combine it: `any_of([actor("agent"), no_actor()])`.
///
/// The outermost `act` alone counts; what is nested in it is history (RFC 8693 §4.1). As with
/// [`client_ids`], an actor of the same name at another trusted issuer is one too.
pub fn actor(subject: impl Into<String>) -> Requirement {
    Fact::Actor { issuer: None, subject: subject.into().into() }.into()
}

/// Requires this actor of another issuer than the token's, as `iss` in `act` names it.
pub fn actor_of(issuer: impl Into<String>, subject: impl Into<String>) -> Requirement {
    Fact::Actor { issuer: Some(issuer.into().into()), subject: subject.into().into() }.into()
}
