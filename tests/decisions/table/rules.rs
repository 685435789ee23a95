//! The rules of the table: as the file of the sidecar, and as requirements for fronts that are
//! built in code.

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis::{
    Requirement, Scope, ScopePattern, actor, all_of, any_of, client_ids, clients, max_age,
    no_actor, policy, tenant, users,
};
use serde::{Deserialize, Serialize};

/// One rule, with the members of the rules file. No two of the table cover the same path.
#[derive(Deserialize, Serialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// In the syntax of matchit and axum.
    pub path: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub public: bool,
    /// Whether it is hidden from those who do not meet it.
    #[serde(default)]
    pub hide: bool,
    /// How the host is read for `tenant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    any_scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_scope: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    claims: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callers: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    acr: Vec<String>,
    /// In minutes, as `5m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    client_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    actors: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tenant: BTreeMap<String, String>,
}

impl Rule {
    /// `None` where everybody may pass.
    pub fn requirement(&self) -> Option<Requirement> {
        if self.public {
            return None;
        }
        let mut requirement = all_of(self.scopes.iter().map(|text| scope(text)));
        if !self.any_scopes.is_empty() {
            requirement = requirement.and(any_of(self.any_scopes.iter().map(|text| scope(text))));
        }
        if let Some(scopes) = &self.challenge_scope {
            requirement = requirement.try_challenge_scope(scopes).unwrap();
        }
        if !self.acr.is_empty() {
            requirement = requirement.and(Requirement::try_acr(&self.acr.join(" ")).unwrap());
        }
        if let Some(text) = &self.max_age {
            let minutes: u64 = text.strip_suffix('m').unwrap().parse().unwrap();
            requirement = requirement.and(max_age(Duration::from_secs(60 * minutes)));
        }
        for (name, value) in self.claims.clone() {
            requirement = requirement.and(policy(move |token| {
                token.claim::<String>(&name).is_ok_and(|claim| claim.as_ref() == Some(&value))
            }));
        }
        if !self.client_ids.is_empty() {
            requirement = requirement.and(client_ids(&self.client_ids));
        }
        for (claim, value) in &self.tenant {
            requirement = requirement.and(match (&self.host, value.as_str()) {
                (Some(host), "{tenant}") => tenant(claim).try_in_host(host).unwrap(),
                _ => tenant(claim).is(value),
            });
        }
        if !self.actors.is_empty() {
            let actors = self.actors.iter().map(|subject| match subject.as_str() {
                "none" => no_actor(),
                subject => actor(subject),
            });
            requirement = requirement.and(any_of(actors));
        }
        Some(match self.callers.as_deref() {
            None => requirement,
            Some("users") => requirement.and(users()),
            Some("clients") => requirement.and(clients()),
            Some(other) => panic!("{other} are no callers"),
        })
    }

    /// As a `[[rule]]` of a rules file.
    pub(super) fn toml(&self) -> String {
        let members = serde_json::to_value(self).unwrap();
        let member = |(name, value): (&String, &serde_json::Value)| match value.as_object() {
            Some(table) => table
                .iter()
                .map(|(key, value)| format!("{name}.{key} = {value}\n"))
                .collect::<String>(),
            // Strings, booleans and arrays of strings are written alike in both languages.
            None => format!("{name} = {value}\n"),
        };
        let lines: String = members.as_object().unwrap().iter().map(member).collect();
        format!("[[rule]]\n{lines}")
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn scope(text: &str) -> Requirement {
    match text.contains('*') {
        true => ScopePattern::new(text).unwrap().into(),
        false => Scope::new(text).unwrap().into(),
    }
}
