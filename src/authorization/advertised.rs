//! What a challenge advertises for a requirement.

use std::fmt;

use super::requirement::{Node, Requirement, must};
use crate::scope::{GrantedScopes, InvalidScope, Scope, parse_all, split_config_list};

impl Requirement {
    /// The `scope` of a challenge (RFC 6750 §3): the whole required set in configured order,
    /// without duplicates. `None` where nothing concrete is required.
    pub(crate) fn advertised(&self) -> Option<String> {
        let mut scopes: Vec<&str> = Vec::new();
        for scope in Advert::of(&self.0, &[]).scopes {
            if !scopes.contains(&scope.as_str()) {
                scopes.push(scope.as_str());
            }
        }
        (!scopes.is_empty()).then(|| scopes.join(" "))
    }

    /// Whether a client that follows the advertisement gets anywhere: it lacks some of that scope,
    /// and the ceiling allows all of it. Where the advertisement leaves out patterns it does not
    /// promise to be enough.
    pub(super) fn advertises_news_to(&self, granted: &GrantedScopes) -> bool {
        let Advert { scopes, complete } = Advert::of(&self.0, &[]);
        let has = |scope: &&Scope| granted.grants(scope);
        !complete
            || scopes.is_empty()
            || (!scopes.iter().all(has)
                && scopes.iter().all(|scope| has(scope) || granted.could_grant(scope)))
    }

    /// Advertises these scopes, separated by spaces, in place of the patterns of this requirement.
    /// Clients cannot ask for a pattern, so without this a pattern is left out of challenges.
    ///
    /// ```
    /// use portcullis::scope_pattern;
    ///
    /// let push = scope_pattern("push.*").challenge_scope("push.send");
    /// ```
    ///
    /// # Panics
    /// Where [`try_challenge_scope`](Self::try_challenge_scope) returns an error.
    #[track_caller]
    pub fn challenge_scope(self, scopes: &'static str) -> Self {
        must(scopes, self.try_challenge_scope(scopes))
    }

    /// As [`challenge_scope`](Self::challenge_scope), for text that is known at run time.
    ///
    /// # Errors
    /// When an element is no scope (RFC 6749 §3.3), when none of them matches any of the patterns,
    /// or when a token that grants what would be advertised still lacked scope.
    pub fn try_challenge_scope(self, scopes: &str) -> Result<Self, InvalidRequirement> {
        let scopes = parse_all(split_config_list(scopes), Scope::new).map_err(Fault::Elements)?;
        if !has_pattern_for(&self.0, &scopes) {
            return Err(Fault::NoPattern.into());
        }
        if !Advert::of(&self.0, &scopes).complete {
            return Err(Fault::NotEnough.into());
        }
        Ok(Self(Node::StandIn { node: Box::new(self.0), scopes }))
    }
}

/// What one part of a requirement contributes.
struct Advert<'a> {
    scopes: Vec<&'a Scope>,
    /// Whether a token with these scopes has all the scope that the part requires.
    complete: bool,
}

impl<'a> Advert<'a> {
    /// `stand_in` takes the place of the patterns that one of its scopes matches.
    fn of(node: &'a Node, stand_in: &'a [Scope]) -> Self {
        match node {
            Node::Scope(scope) => Self { scopes: vec![scope], complete: true },
            Node::Pattern(pattern) => {
                let complete = stand_in.iter().any(|scope| pattern.matches(scope.as_str()));
                let scopes = if complete { stand_in.iter().collect() } else { Vec::new() };
                Self { scopes, complete }
            }
            Node::Caller(_) | Node::Policy(_) => Self { scopes: Vec::new(), complete: true },
            Node::AllOf(nodes) => nodes.iter().map(|node| Self::of(node, stand_in)).fold(
                Self { scopes: Vec::new(), complete: true },
                |mut all, one| {
                    all.scopes.extend(one.scopes);
                    Self { complete: all.complete && one.complete, ..all }
                },
            ),
            Node::AnyOf(nodes) => {
                Self::choose(nodes.iter().map(|node| Self::of(node, stand_in)).collect())
            }
            Node::StandIn { node, scopes } => Self::of(node, scopes),
        }
    }

    /// The attribute can say "all of" only, so one alternative has to speak for the others: the
    /// first that tells clients all they need, else the first that tells them anything.
    fn choose(mut alternatives: Vec<Self>) -> Self {
        let concrete = |advert: &Self| !advert.scopes.is_empty();
        let chosen = alternatives
            .iter()
            .position(|advert| concrete(advert) && advert.complete)
            .or_else(|| alternatives.iter().position(concrete));
        match chosen {
            Some(index) => alternatives.swap_remove(index),
            None => Self {
                scopes: Vec::new(),
                complete: alternatives.iter().any(|advert| advert.complete),
            },
        }
    }
}

fn has_pattern_for(node: &Node, scopes: &[Scope]) -> bool {
    match node {
        Node::Pattern(pattern) => scopes.iter().any(|scope| pattern.matches(scope.as_str())),
        Node::AllOf(nodes) | Node::AnyOf(nodes) => {
            nodes.iter().any(|node| has_pattern_for(node, scopes))
        }
        Node::Scope(_) | Node::Caller(_) | Node::Policy(_) | Node::StandIn { .. } => false,
    }
}

/// A requirement that cannot be advertised as it was told to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRequirement(Fault);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    Elements(Vec<InvalidScope>),
    NoPattern,
    NotEnough,
}

impl From<Fault> for InvalidRequirement {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl fmt::Display for InvalidRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Fault::Elements(faults) => {
                for (index, fault) in faults.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{fault}")?;
                }
                Ok(())
            }
            Fault::NoPattern => f.write_str("no pattern of the requirement matches any of these"),
            Fault::NotEnough => {
                f.write_str("a token with the advertised scopes would not meet the requirement")
            }
        }
    }
}

impl std::error::Error for InvalidRequirement {}
