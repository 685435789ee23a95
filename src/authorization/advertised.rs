//! What a challenge advertises for a requirement.

use std::fmt;

use super::requirement::{Node, Requirement, must};
use crate::scope::{GrantedScopes, InvalidScope, Scope, parse_all, split_config_list};

impl Requirement {
    /// The `scope` of a challenge (RFC 6750 §3): the whole required set in configured order,
    /// without duplicates. `None` where nothing concrete is required.
    pub(crate) fn advertised(&self) -> Option<String> {
        let mut scopes: Vec<&str> = Vec::new();
        for scope in to_ask_for(&self.0, &[]) {
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
        let scopes = to_ask_for(&self.0, &[]);
        let has = |scope: &&Scope| granted.grants(scope);
        scopes.is_empty()
            || !are_enough(&scopes, &self.0)
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
        if !are_enough(&to_ask_for(&self.0, &scopes), &self.0) {
            return Err(Fault::NotEnough.into());
        }
        Ok(Self(Node::StandIn { node: Box::new(self.0), scopes }))
    }
}

/// The scopes that a client should ask for to meet `node`. `stand_in` takes the place of the
/// patterns that one of its scopes matches.
fn to_ask_for<'a>(node: &'a Node, stand_in: &'a [Scope]) -> Vec<&'a Scope> {
    match node {
        Node::Scope(scope) => vec![scope],
        Node::Pattern(pattern) => {
            let stands_in = stand_in.iter().any(|scope| pattern.matches(scope.as_str()));
            if stands_in { stand_in.iter().collect() } else { Vec::new() }
        }
        Node::Fact(_) | Node::Tenant(_) | Node::Acr(_) | Node::MaxAge(_) | Node::Policy(_) => {
            Vec::new()
        }
        Node::AllOf(nodes) => nodes.iter().flat_map(|node| to_ask_for(node, stand_in)).collect(),
        Node::AnyOf(nodes) => {
            chosen(nodes, stand_in).map_or_else(Vec::new, |node| to_ask_for(node, stand_in))
        }
        Node::StandIn { node, scopes } => to_ask_for(node, scopes),
    }
}

/// The attribute can say "all of" only, so one alternative has to speak for the others: the
/// first that tells clients all they need, else the first that tells them anything.
pub(super) fn chosen<'a>(alternatives: &'a [Node], stand_in: &'a [Scope]) -> Option<&'a Node> {
    let telling: Vec<_> = alternatives
        .iter()
        .map(|node| (node, to_ask_for(node, stand_in)))
        .filter(|(_, scopes)| !scopes.is_empty())
        .collect();
    let best = telling.iter().find(|(node, scopes)| are_enough(scopes, node));
    best.or(telling.first()).map(|(node, _)| *node)
}

/// Whether a token with just these scopes has all the scope that `node` requires.
fn are_enough(scopes: &[&Scope], node: &Node) -> bool {
    match node {
        Node::Scope(scope) => scopes.contains(&scope),
        Node::Pattern(pattern) => scopes.iter().any(|scope| pattern.matches(scope.as_str())),
        Node::Fact(_) | Node::Tenant(_) | Node::Acr(_) | Node::MaxAge(_) | Node::Policy(_) => true,
        Node::AllOf(nodes) => nodes.iter().all(|node| are_enough(scopes, node)),
        Node::AnyOf(nodes) => nodes.iter().any(|node| are_enough(scopes, node)),
        Node::StandIn { node, .. } => are_enough(scopes, node),
    }
}

fn has_pattern_for(node: &Node, scopes: &[Scope]) -> bool {
    match node {
        Node::Pattern(pattern) => scopes.iter().any(|scope| pattern.matches(scope.as_str())),
        Node::AllOf(nodes) | Node::AnyOf(nodes) => {
            nodes.iter().any(|node| has_pattern_for(node, scopes))
        }
        Node::Scope(_)
        | Node::Fact(_)
        | Node::Tenant(_)
        | Node::Acr(_)
        | Node::MaxAge(_)
        | Node::Policy(_)
        | Node::StandIn { .. } => false,
    }
}

/// A requirement that cannot be advertised as it was told to be, or that names a tenant where none can
/// be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRequirement(Fault);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    Elements(Vec<InvalidScope>),
    NoPattern,
    NotEnough,
    /// What is wrong with where a tenant is named.
    Tenant(String),
}

impl From<Fault> for InvalidRequirement {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl InvalidRequirement {
    pub(super) fn tenant(problem: impl Into<String>) -> Self {
        Self(Fault::Tenant(problem.into()))
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
            Fault::Tenant(problem) => f.write_str(problem),
            Fault::NoPattern => f.write_str("no pattern of the requirement matches any of these"),
            Fault::NotEnough => {
                f.write_str("a token with the advertised scopes would not meet the requirement")
            }
        }
    }
}

impl std::error::Error for InvalidRequirement {}
