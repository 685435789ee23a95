//! What the scope of an issuer's tokens counts for.

use crate::authentication::issuer::{Issuer, WildcardMatch};
use crate::config_error::Setting;
use crate::scope::{self, Ceiling, GrantRules, Hierarchy, Scope, Wildcards};

impl Issuer {
    pub(super) fn grant_rules(&self, fault: &mut impl FnMut(Setting, &str)) -> Option<GrantRules> {
        let mut sound = true;
        let mut scope_fault = |about: Setting, label: &str, error: &dyn std::fmt::Display| {
            sound = false;
            fault(about, &format!("{label}: {error}"));
        };
        let ceiling = self.allowed_scopes.as_deref().and_then(|text| {
            Ceiling::from_config(text)
                .map_err(|errors| {
                    errors.iter().for_each(|error| {
                        scope_fault(Setting::AllowedScopes, "allowed scopes", error);
                    });
                })
                .ok()
        });
        let mut implied = Vec::new();
        for (scope, implies) in &self.implied {
            let parsed = Scope::new(scope).and_then(|scope| {
                let implies: Result<Vec<_>, _> =
                    scope::split_config_list(implies).map(Scope::new).collect();
                Ok((scope, implies?))
            });
            match parsed {
                Ok(pair) => implied.push(pair),
                Err(error) => scope_fault(Setting::ImpliedScopes, "implied scopes", &error),
            }
        }
        let wildcards = match self.wildcards {
            None => Wildcards::Off,
            Some(WildcardMatch::Overlap) => Wildcards::Overlap,
            Some(WildcardMatch::Cover) => Wildcards::Cover,
        };
        sound.then(|| GrantRules { wildcards, ceiling, hierarchy: Hierarchy::new(implied) })
    }
}
