//! A requirement in words, for the operator who wrote it.

use super::decision::authorize_scope;
use super::requirement::{Node, Requirement};
use crate::scope::GrantedScopes;

impl Requirement {
    /// What is required, one text for each part that has to hold.
    pub(crate) fn describe(&self) -> Vec<String> {
        parts(&self.0).iter().map(text).collect()
    }

    /// The parts that so much scope does not meet.
    pub(crate) fn lacking(&self, granted: &GrantedScopes) -> Vec<String> {
        let lacks = |node: &&Node| authorize_scope(&Self((*node).clone()), granted).is_err();
        parts(&self.0).iter().filter(lacks).map(text).collect()
    }
}

fn parts(node: &Node) -> &[Node] {
    match node {
        Node::AllOf(nodes) => nodes,
        other => std::slice::from_ref(other),
    }
}

fn text(node: &Node) -> String {
    match node {
        Node::Scope(scope) => scope.to_string(),
        Node::Pattern(pattern) => pattern.to_string(),
        Node::Fact(fact) => fact.to_string(),
        Node::Tenant(rule) => rule.to_string(),
        Node::Acr(values) => format!("a login by {}", values.join(" or ")),
        Node::MaxAge(seconds) => format!("a login at most {seconds} s ago"),
        Node::Policy(_) => "a policy".to_owned(),
        Node::AllOf(nodes) => join(nodes, " and "),
        Node::AnyOf(nodes) if nodes.is_empty() => "nothing, it can never be met".to_owned(),
        Node::AnyOf(nodes) => join(nodes, " or "),
        Node::StandIn { node, .. } => text(node),
    }
}

fn join(nodes: &[Node], word: &str) -> String {
    let inner = |node: &Node| match node {
        Node::AllOf(nodes) | Node::AnyOf(nodes) if nodes.len() > 1 => format!("({})", text(node)),
        node => text(node),
    };
    nodes.iter().map(inner).collect::<Vec<_>>().join(word)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{any_of, scope, scope_pattern, users};
    use super::*;

    #[test]
    fn every_part_is_told_as_it_was_written() {
        let either = any_of([scope("b"), scope("c").and(scope_pattern("d.*"))]);
        let requirement = scope("a").and(either).and(users());
        assert_eq!(requirement.describe(), ["a", "b or (c and d.*)", "a person as caller"]);
        assert_eq!(scope("a").describe(), ["a"]);
        assert!(Requirement::none().describe().is_empty());
    }

    #[test]
    fn what_is_lacking_are_the_parts_that_scope_does_not_meet() {
        let requirement = scope("a").and(scope_pattern("b.*")).and(scope("c").or(scope("d")));
        let lacking = |text: &str| {
            requirement.lacking(&GrantedScopes::from_text(text, &Arc::default()).unwrap())
        };
        assert_eq!(lacking("a d"), ["b.*"]);
        assert_eq!(lacking("b.x"), ["a", "c or d"]);
        assert!(lacking("a b.x c").is_empty());
        assert!(users().lacking(&GrantedScopes::default()).is_empty(), "scope alone is looked at");
    }
}
