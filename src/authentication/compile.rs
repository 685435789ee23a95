//! From an issuer as it was configured to one that is trusted: every check, every fault.

use std::sync::Arc;
use std::time::Duration;

use super::callers::FirstParty;
use super::issuer::{Issuer, Keys, WildcardMatch};
use super::trusted::{Audience, TrustedIssuer};
use crate::clock::Clock;
use crate::config_error::{Faults, Setting};
use crate::fetch::{AllowHttp, HttpClient};
use crate::keys::{Discovery, KeySettings, KeySource, KeyStore, LastGoodFile};
use crate::scope::{self, Ceiling, GrantRules, Hierarchy, Scope, Wildcards};

/// RFC 7519 §4.1.4: "no more than a few minutes".
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// What the issuers of one resource server have in common.
pub(crate) struct Shared<'a> {
    pub(crate) default_audience: Option<&'a str>,
    pub(crate) allow_http: AllowHttp,
    pub(crate) max_stale: Duration,
    /// `None` where there is no client because its own configuration was at fault.
    pub(crate) client: Option<HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
    /// `None` where none is configured or no issuer is asked for keys.
    pub(crate) last_good: Option<Arc<LastGoodFile>>,
}

impl Issuer {
    /// The name as configured, for finding duplicates.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What faults of an issuer are labelled with.
    pub(crate) fn label(name: &str) -> String {
        format!("issuer \"{name}\"")
    }

    pub(crate) fn needs_http(&self) -> bool {
        matches!(self.keys, Keys::Discovery | Keys::Uri(_))
    }

    /// Checks everything and adds what is wrong to `faults`. `None` only with faults.
    pub(crate) fn compile(self, shared: &Shared<'_>, faults: &mut Faults) -> Option<TrustedIssuer> {
        let label = Self::label(&self.name);
        let mut fault =
            |about: Setting, problem: &str| faults.add_about(about, label.clone(), problem);

        self.check_name(shared.allow_http)
            .unwrap_or_else(|problem| fault(Setting::Issuer, problem));
        let audience = self.accepted_audience(shared.default_audience, &mut fault);
        self.check_algorithms(&mut fault);
        if self.leeway > MAX_LEEWAY {
            fault(Setting::Leeway, "the leeway must be within 0 to 300 seconds");
        }
        if self.scope_claims.is_empty() || self.scope_claims.iter().any(String::is_empty) {
            fault(Setting::ScopeClaims, "scope claims must be one or more names");
        }
        if self.required_claims.iter().any(|(name, value)| name.is_empty() || value.is_empty()) {
            fault(Setting::RequiredClaims, "a required claim needs a name and a value");
        }
        self.check_callers(&mut fault);
        let grant_rules = self.grant_rules(&mut fault);
        let source = self.key_source(shared, &mut fault)?;

        let name: Arc<str> = self.name.into();
        let keys = KeyStore::new(KeySettings {
            issuer: Arc::clone(&name),
            source,
            algorithms: &self.algorithms,
            max_stale: shared.max_stale,
            clock: Arc::clone(&shared.clock),
            last_good: shared.last_good.clone(),
        });
        if let Err(error) = keys.load_local() {
            fault(Setting::Jwks, &error.to_string());
        }
        Some(TrustedIssuer {
            name,
            keys,
            audience: audience?,
            algorithms: self.algorithms.into(),
            profile: self.profile,
            leeway: self.leeway,
            scope_claims: self.scope_claims.into_iter().map(Into::into).collect(),
            required_claims: self
                .required_claims
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            grant_rules: Arc::new(grant_rules?),
            client_claims: self.client_claims.into_iter().map(Into::into).collect(),
            callers: self.callers,
            first_party: self.first_party,
        })
    }

    /// RFC 8414 §2: https, no query, no fragment. Only what is asked for keys has to be a URL.
    fn check_name(&self, allow_http: AllowHttp) -> Result<(), &'static str> {
        if self.name.is_empty() {
            return Err("the issuer must not be empty");
        }
        if !matches!(self.keys, Keys::Discovery) {
            return Ok(());
        }
        let url = allow_http.check(&self.name)?;
        if url.query().is_some() { Err("must not have a query") } else { Ok(()) }
    }

    fn accepted_audience(
        &self,
        default: Option<&str>,
        fault: &mut impl FnMut(Setting, &str),
    ) -> Option<Audience> {
        if self.skip_audience {
            if self.required_claims.is_empty() {
                fault(
                    Setting::RequiredClaims,
                    "skipping the audience needs at least one required claim in its place",
                );
            }
            return Some(Audience::Skipped);
        }
        let mut audiences: Vec<Box<str>> =
            self.audiences.iter().map(|audience| audience.as_str().into()).collect();
        if audiences.is_empty() {
            audiences.extend(default.map(Into::into));
        }
        if audiences.is_empty() {
            fault(
                Setting::Audience,
                "needs an audience (or the resource server a resource identifier)",
            );
            return None;
        }
        if audiences.iter().any(|audience| audience.is_empty() || &**audience == "*") {
            fault(
                Setting::Audience,
                "an audience must be an exact string; \"*\" and the empty string are not",
            );
            return None;
        }
        Some(Audience::OneOf(audiences.into()))
    }

    fn check_algorithms(&self, fault: &mut impl FnMut(Setting, &str)) {
        let symmetric = self.algorithms.iter().filter(|algorithm| algorithm.is_symmetric()).count();
        if self.algorithms.is_empty() {
            fault(Setting::Algorithms, "needs at least one algorithm");
        } else if symmetric > 0 && self.needs_http() {
            fault(
                Setting::Algorithms,
                "HS256, HS384 and HS512 need a static key set: published keys are no secrets",
            );
        } else if symmetric > 0 && symmetric < self.algorithms.len() {
            fault(
                Setting::Algorithms,
                "HS256, HS384 and HS512 cannot be mixed with public key algorithms",
            );
        }
    }

    fn check_callers(&self, fault: &mut impl FnMut(Setting, &str)) {
        if self.client_claims.is_empty() || self.client_claims.iter().any(String::is_empty) {
            fault(Setting::Callers, "claims that name the client must be one or more names");
        }
        if !self.callers.is_complete() {
            fault(Setting::Callers, "a sign in the caller table lacks a claim or a value");
        }
        let sound = match &self.first_party {
            FirstParty::NotTold => true,
            FirstParty::Clients(clients) => {
                !clients.is_empty() && !clients.iter().any(String::is_empty)
            }
            FirstParty::Claim(name, value) => !name.is_empty() && !value.is_empty(),
        };
        if !sound {
            let problem = "first-party clients must be one or more names, or a claim and its value";
            fault(Setting::FirstParty, problem);
        }
    }

    fn grant_rules(&self, fault: &mut impl FnMut(Setting, &str)) -> Option<GrantRules> {
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

    fn key_source(
        &self,
        shared: &Shared<'_>,
        fault: &mut impl FnMut(Setting, &str),
    ) -> Option<KeySource> {
        let client = || shared.client.clone();
        match &self.keys {
            Keys::Discovery => Some(KeySource::Discovery(Discovery {
                client: client()?,
                issuer: self.name.clone(),
                allow_http: shared.allow_http,
            })),
            Keys::Uri(address) => match shared.allow_http.check(address) {
                Ok(address) => Some(KeySource::Uri { client: client()?, address }),
                Err(problem) => {
                    fault(Setting::JwksUri, &format!("the JWKS URI {problem}"));
                    None
                }
            },
            Keys::Value(document) => Some(KeySource::Value(document.0.clone().into())),
            Keys::File(path) => Some(KeySource::File(path.clone())),
        }
    }
}
