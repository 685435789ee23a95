//! What is allowed, and most likely not what was meant.

use http::Method;

use super::Rule;
use super::methods::Methods;

pub(super) fn warnings(rules: &[Rule]) -> Vec<String> {
    let methods = methods(rules);
    let mut warnings = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let (before, _) = rules.split_at(index);
        let problem = never_reached(rule, before, &methods)
            .or_else(|| misses_its_own_root(rule, rules, &methods));
        if let Some(problem) = problem {
            warnings.push(format!("line {}: rule {}: {problem}", rule.line, index + 1));
        }
    }
    warnings
}

/// Every method that makes a difference: those that are named, and one that is not.
fn methods(rules: &[Rule]) -> Vec<Method> {
    let named = rules.iter().filter_map(|rule| match &rule.methods {
        Methods::All => None,
        Methods::These(methods) => Some(methods),
    });
    let mut methods: Vec<Method> = named.flatten().cloned().collect();
    methods.extend(Method::from_bytes(b"any-other"));
    methods.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    methods.dedup();
    methods
}

/// Whether the rules before it take all that it is for. Each is looked at on its own for a method,
/// so that two which do it together go unnoticed.
fn never_reached(rule: &Rule, before: &[Rule], methods: &[Method]) -> Option<String> {
    let mut by = Vec::new();
    for method in methods.iter().filter(|method| rule.methods.cover(method)) {
        let takes = |other: &Rule| other.methods.cover(method) && other.path.covers(&rule.path);
        let number = before.iter().position(takes)? + 1;
        if !by.contains(&number) {
            by.push(number);
        }
    }
    let by: Vec<_> = by.iter().map(|number| format!("rule {number}")).collect();
    Some(format!("is never reached, because of {}", by.join(" and ")))
}

/// `/admin/{*rest}` is not for `/admin`, which many servers answer as they answer `/admin/`.
fn misses_its_own_root(rule: &Rule, rules: &[Rule], methods: &[Method]) -> Option<String> {
    rule.path.rest()?;
    let root = rule.path.example();
    if root.is_empty() {
        return None;
    }
    for method in methods.iter().filter(|method| rule.methods.cover(method)) {
        let first = rules
            .iter()
            .enumerate()
            .find(|(_, other)| other.methods.cover(method) && other.path.matches(&root));
        match first {
            None => {
                return Some(format!("does not cover {root:?}, which no rule covers"));
            }
            // A rule that names it, or asks for the same, was written on purpose.
            Some((_, other)) if other.path.is_root_of(&rule.path) || other.needs == rule.needs => {}
            Some((index, _)) => {
                return Some(format!("does not cover {root:?}, which falls to rule {}", index + 1));
            }
        }
    }
    None
}
