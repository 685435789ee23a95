//! What a rule asks of a token.

use std::time::Duration;

use serde_json::Value;

use super::path_pattern::PathPattern;
use super::ruling::{ClaimPart, never};
use super::template::Template;
use crate::access_token::AccessToken;
use crate::authorization::{Requirement, all_of, any_of, clients, max_age, policy, users};
use crate::scope::{Scope, ScopePattern};

/// What a token has to bring besides what the server requires of every request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// All of these.
    pub(super) scopes: Vec<ScopeTemplate>,
    /// One of these, if there are any.
    pub(super) any_scopes: Vec<ScopeTemplate>,
    /// Names and values, all of them.
    pub(super) claims: Vec<(String, Template)>,
    pub(super) callers: Callers,
    /// Ways to log in, one of these, if there are any; in order of preference.
    pub(super) acr: Vec<String>,
    /// How long ago the login may be.
    pub(super) max_age: Option<Duration>,
    /// What challenges name in place of patterns, if there is any.
    pub(super) challenge_scope: Vec<Template>,
}

/// A scope or a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ScopeTemplate {
    template: Template,
    is_pattern: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Callers {
    #[default]
    Any,
    Users,
    Clients,
}

impl Needs {
    /// Whether it is the same for every path.
    pub(super) fn are_fixed(&self) -> bool {
        let scopes = self.scopes.iter().chain(&self.any_scopes).map(|scope| &scope.template);
        let claims = self.claims.iter().map(|(_, value)| value);
        scopes.chain(claims).chain(&self.challenge_scope).all(Template::is_fixed)
    }

    /// The requirement for a path with these values of its parameters.
    pub(super) fn requirement(&self, values: &[&str]) -> Requirement {
        self.possible(values).unwrap_or_else(never)
    }

    /// `None` if no token can meet it.
    fn possible(&self, values: &[&str]) -> Option<Requirement> {
        let scope = self.scope(values)?;
        // It was good for other values, so it is for these; if not, the challenge says less.
        let scope = if self.challenge_scope.is_empty() {
            scope
        } else {
            scope.clone().try_challenge_scope(&self.stand_in(values)?).unwrap_or(scope)
        };
        let claims = all_of(self.claims(values).into_iter().map(|claim| claim.requirement));
        let callers = self.callers().map_or_else(Requirement::none, |(_, callers)| callers);
        let login = all_of(self.login().into_iter().map(|(_, login)| login));
        Some(scope.and(login).and(claims).and(callers))
    }

    /// What it asks of the person's login, each in words too.
    pub(super) fn login(&self) -> Vec<(String, Requirement)> {
        let acr = (!self.acr.is_empty()).then(|| {
            // The values were good when they were read.
            let acr = Requirement::try_acr(&self.acr.join(" ")).unwrap_or_else(|_| never());
            (format!("a login by {}", self.acr.join(" or ")), acr)
        });
        let max_age = self
            .max_age
            .map(|age| (format!("a login at most {} s ago", age.as_secs()), max_age(age)));
        acr.into_iter().chain(max_age).collect()
    }

    /// What it asks for in claims, each in words too.
    pub(super) fn claims(&self, values: &[&str]) -> Vec<ClaimPart> {
        let claim = |(name, value): &(String, Template)| {
            let (text, requirement) = match value.fill(values) {
                Some(value) => (format!("{name} = {value:?}"), claim(name.clone(), value)),
                None => (format!("{name}, which nothing can be"), never()),
            };
            ClaimPart { name: name.clone(), text, requirement }
        };
        self.claims.iter().map(claim).collect()
    }

    /// Who has to call, if that matters, in words too.
    pub(super) fn callers(&self) -> Option<(&'static str, Requirement)> {
        match self.callers {
            Callers::Any => None,
            Callers::Users => Some(("users", users())),
            Callers::Clients => Some(("clients", clients())),
        }
    }

    /// What it asks for in scope alone, `None` if no token can have it.
    pub(super) fn scope(&self, values: &[&str]) -> Option<Requirement> {
        let each = |scope: &ScopeTemplate| scope.requirement(values);
        let all = all_of(self.scopes.iter().map(each).collect::<Option<Vec<_>>>()?);
        if self.any_scopes.is_empty() {
            return Some(all);
        }
        let any: Vec<_> = self.any_scopes.iter().filter_map(each).collect();
        (!any.is_empty()).then(|| all.and(any_of(any)))
    }

    /// What challenges name in place of patterns, `None` where a parameter in it is empty.
    fn stand_in(&self, values: &[&str]) -> Option<String> {
        let filled = self.challenge_scope.iter().map(|element| element.fill(values));
        filled.collect::<Option<Vec<_>>>().map(|elements| elements.join(" "))
    }

    /// Whether what challenges name in place of patterns is of any use.
    ///
    /// # Errors
    /// What is wrong, for the author of the rule.
    pub(super) fn check_challenge_scope(&self, path: &PathPattern) -> Result<(), String> {
        if self.challenge_scope.is_empty() {
            return Ok(());
        }
        let values: Vec<_> = path.names().iter().map(|name| format!("any-{name}")).collect();
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        let Some((scope, stand_in)) = self.scope(&values).zip(self.stand_in(&values)) else {
            return Ok(());
        };
        scope.try_challenge_scope(&stand_in).map(drop).map_err(|fault| fault.to_string())
    }
}

impl ScopeTemplate {
    /// `literal` takes `*` as a character.
    ///
    /// # Errors
    /// What is wrong, for the author of the scope.
    pub(super) fn parse(text: &str, path: &PathPattern, literal: bool) -> Result<Self, String> {
        // Braces and names are within the alphabet of scopes.
        ScopePattern::new(text).map_err(|fault| fault.to_string())?;
        let template = Template::parse(text, path)?;
        if template.places().any(|place| Some(place) == path.rest()) {
            return Err("has the rest of the path in it, which is no part of a scope".to_owned());
        }
        let is_pattern = !literal && template.text().contains('*');
        Ok(Self { template, is_pattern })
    }

    pub(super) fn is_pattern(&self) -> bool {
        self.is_pattern
    }

    /// `None` if no token can have it.
    fn requirement(&self, values: &[&str]) -> Option<Requirement> {
        let text = self.template.fill(values)?;
        if !self.is_pattern {
            return Scope::new(&text).ok().map(Requirement::from);
        }
        // A star that the client sent must never become a pattern.
        let mut sent = self.template.places().filter_map(|place| values.get(place));
        if sent.any(|value| value.contains('*')) {
            return None;
        }
        ScopePattern::new(&text).ok().map(Requirement::from)
    }
}

fn claim(name: String, value: String) -> Requirement {
    policy(move |token: &AccessToken| {
        token.claim(&name).is_ok_and(|claim| claim.is_some_and(|claim: Value| has(&claim, &value)))
    })
}

fn has(claim: &Value, value: &str) -> bool {
    match claim {
        Value::String(text) => text == value,
        Value::Array(items) => items.iter().any(|item| item.as_str() == Some(value)),
        Value::Number(_) | Value::Bool(_) => {
            serde_json::to_string(claim).is_ok_and(|json| json == value)
        }
        Value::Null | Value::Object(_) => false,
    }
}
