//! Who has to call, as a rule says it.

use crate::authorization::{
    Requirement, actor, actor_of, any_of, client_ids, clients, first_party, no_actor, third_party,
    users,
};

/// Everything that a rule says about callers; by default anybody will do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) callers: Callers,
    /// One of these, if there are any.
    pub(super) client_ids: Vec<String>,
    pub(super) party: Option<Party>,
    /// One of these, if there are any.
    pub(super) actors: Vec<Actor>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Callers {
    #[default]
    Any,
    Users,
    Clients,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Party {
    First,
    Third,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Actor {
    None,
    Own(String),
    Foreign { issuer: String, subject: String },
}

impl Actor {
    /// `none`, a subject, or `issuer subject`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(' ') {
            _ if text.is_empty() => Err("an empty string".to_owned()),
            None if text == "none" => Ok(Self::None),
            Some((issuer, subject)) if issuer.contains("://") && !subject.is_empty() => {
                Ok(Self::Foreign { issuer: issuer.to_owned(), subject: subject.to_owned() })
            }
            _ => Ok(Self::Own(text.to_owned())),
        }
    }

    fn requirement(&self) -> Requirement {
        match self {
            Self::None => no_actor(),
            Self::Own(subject) => actor(subject),
            Self::Foreign { issuer, subject } => actor_of(issuer, subject),
        }
    }
}

impl Who {
    /// What it asks for, each in words too.
    pub(super) fn requirements(&self) -> Vec<(String, Requirement)> {
        let callers = match self.callers {
            Callers::Any => None,
            Callers::Users => Some(users()),
            Callers::Clients => Some(clients()),
        };
        let ids = (!self.client_ids.is_empty()).then(|| client_ids(&self.client_ids));
        let party = self.party.map(|party| match party {
            Party::First => first_party(),
            Party::Third => third_party(),
        });
        let actors = self.actors.iter().map(Actor::requirement);
        let actors = (!self.actors.is_empty()).then(|| any_of(actors));
        let all = [callers, ids, party, actors].into_iter().flatten();
        all.map(|requirement| (requirement.describe().join(", "), requirement)).collect()
    }
}
