//! What a rule asks of a token.

use std::time::Duration;

use serde_json::Value;

use super::parameters::Parameters;
use super::ruling::{ClaimPart, never};
use super::template::Template;
use super::who::Who;
use crate::access_token::AccessToken;
use crate::authorization::{HostPattern, Requirement, all_of, any_of, max_age, policy, tenant};
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
    pub(super) who: Who,
    /// Claims and the tenant that they have to name, all of them.
    pub(super) tenant: Vec<(String, Template)>,
    /// Where the host has parameters.
    pub(super) host: Option<HostPattern>,
    /// Ways to log in, one of these, if there are any; in order of preference.
    pub(super) acr: Vec<String>,
    /// How long ago the login may be.
    pub(super) max_age: Option<Duration>,
    /// What challenges name in place of patterns, if there is any.
    pub(super) challenge_scope: Vec<Template>,
    /// Whether the route is hidden from those who do not bring it.
    pub(super) hide: bool,
}

/// A scope or a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ScopeTemplate {
    template: Template,
    is_pattern: bool,
}

impl Needs {
    /// Whether any good token will do.
    pub(super) fn ask_for_nothing(&self) -> bool {
        *self == Self { hide: self.hide, ..Self::default() }
    }

    /// Whether it is the same for every request.
    pub(super) fn are_fixed(&self) -> bool {
        self.templates().all(Template::is_fixed)
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let scopes = self.scopes.iter().chain(&self.any_scopes).map(|scope| &scope.template);
        let claims = self.claims.iter().chain(&self.tenant).map(|(_, value)| value);
        scopes.chain(claims).chain(&self.challenge_scope)
    }

    /// A parameter of the host that no template has: a host that asks for nothing protects nothing.
    pub(super) fn unused_of_host<'a>(&self, parameters: &'a Parameters) -> Option<&'a str> {
        let used: Vec<usize> = self.templates().flat_map(Template::places).collect();
        let hosts = self.host.iter().flat_map(HostPattern::names).count();
        let first = parameters.names().len().checked_sub(hosts)?;
        let unused = parameters.names().iter().enumerate().skip(first);
        unused.filter(|(place, _)| !used.contains(place)).map(|(_, name)| name.as_str()).next()
    }

    /// The requirement for a path with these values of its parameters.
    pub(super) fn requirement(&self, values: &[&str]) -> Requirement {
        let nobody = self.is_elsewhere(values).then(never_a_tenant);
        let tenants = self.tenants(values).into_iter().map(|tenant| tenant.requirement);
        all_of(tenants.chain(nobody)).and(self.possible(values).unwrap_or_else(never))
    }

    /// The values of the parameters of the host, empty where it is not what the rule says.
    pub(super) fn host_values(&self, host: &str) -> Vec<String> {
        let Some(pattern) = &self.host else { return Vec::new() };
        let nothing = || vec![String::new(); pattern.names().count()];
        pattern.values(host).unwrap_or_else(nothing)
    }

    /// The tenants that it asks for, each in words too.
    pub(super) fn tenants(&self, values: &[&str]) -> Vec<ClaimPart> {
        let one = |(name, value): &(String, Template)| {
            let requirement = tenant(name).known(value.fill(values));
            ClaimPart { name: name.clone(), text: requirement.describe().join(", "), requirement }
        };
        self.tenant.iter().map(one).collect()
    }

    /// Whether the host is another than the rule is for, and so that of no tenant.
    pub(super) fn is_elsewhere(&self, values: &[&str]) -> bool {
        let of_host = self.host.iter().flat_map(HostPattern::names).count();
        values.iter().rev().take(of_host).any(|value| value.is_empty())
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
        let callers = all_of(self.who.requirements().into_iter().map(|(_, callers)| callers));
        let login = all_of(self.login().into_iter().map(|login| login.requirement));
        Some(scope.and(login).and(claims).and(callers))
    }

    /// What it asks of the person's login, each in words too.
    pub(super) fn login(&self) -> Vec<ClaimPart> {
        let part =
            |name: &str, text, requirement| ClaimPart { name: name.to_owned(), text, requirement };
        let acr = (!self.acr.is_empty()).then(|| {
            // The values were good when they were read.
            let acr = Requirement::try_acr(&self.acr.join(" ")).unwrap_or_else(|_| never());
            part("acr", format!("a login by {}", self.acr.join(" or ")), acr)
        });
        let max_age = self.max_age.map(|age| {
            let text = format!("a login at most {} s ago", age.as_secs());
            part("auth_time", text, max_age(age))
        });
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
    pub(super) fn check_challenge_scope(&self, parameters: &Parameters) -> Result<(), String> {
        if self.challenge_scope.is_empty() {
            return Ok(());
        }
        let values: Vec<_> = parameters.names().iter().map(|name| format!("any-{name}")).collect();
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
    pub(super) fn parse(text: &str, names: &Parameters, literal: bool) -> Result<Self, String> {
        // Braces and names are within the alphabet of scopes.
        ScopePattern::new(text).map_err(|fault| fault.to_string())?;
        let template = Template::parse(text, names)?;
        if template.places().any(|place| Some(place) == names.rest()) {
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

/// What a token of another tenant gets, whatever the tenant of the token.
fn never_a_tenant() -> Requirement {
    tenant("").known(None)
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
