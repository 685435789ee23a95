//! From an issuer as it was configured to one that is trusted: every check, every fault.

mod checks;
mod grants;
mod keys;

use std::sync::Arc;
use std::time::Duration;

use super::family::IssuerFamily;
#[cfg(feature = "introspection")]
use super::introspected::Asked;
use super::issuer::{Issuer, Keys};
use super::issuer_pattern::IssuerPattern;
use super::trusted::TrustedIssuer;
use crate::clock::Clock;
use crate::config_error::{Faults, Setting};
use crate::fetch::{AllowHttp, HttpClient};
use crate::keys::{KeySettings, KeyStore, LastGoodFile};

/// RFC 7519 §4.1.4: "no more than a few minutes".
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// What the issuers of one resource server have in common.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) default_audience: Option<Box<str>>,
    pub(crate) allow_http: AllowHttp,
    pub(crate) max_stale: Duration,
    /// `None` where there is no client because its own configuration was at fault.
    pub(crate) client: Option<HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
    /// `None` where none is configured or no issuer is asked for keys.
    pub(crate) last_good: Option<Arc<LastGoodFile>>,
}

/// An issuer that is trusted, or a pattern of them.
pub(crate) enum Compiled {
    One(Box<TrustedIssuer>),
    Many(Box<IssuerFamily>),
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

    /// For keys.
    pub(crate) fn needs_http(&self) -> bool {
        self.needs_keys() && matches!(self.keys, Keys::Discovery | Keys::Uri(_) | Keys::Below(_))
    }

    /// For whatever it is.
    pub(crate) fn needs_client(&self) -> bool {
        #[cfg(feature = "introspection")]
        if self.introspection.is_some() {
            return true;
        }
        self.needs_http()
    }

    fn needs_keys(&self) -> bool {
        #[cfg(feature = "introspection")]
        if let Some(introspection) = &self.introspection {
            return !introspection.is_for_every_token() || introspection.has_signed_answers();
        }
        true
    }

    #[cfg(feature = "introspection")]
    pub(crate) fn is_introspected(&self) -> bool {
        self.introspection.is_some()
    }

    pub(crate) fn is_pattern(&self) -> bool {
        self.is_pattern
    }

    /// Where clients can ask it for tokens (RFC 8414 §2). `None` for patterns, and for names that are
    /// no address.
    pub(crate) fn address(&self) -> Option<&str> {
        let is_one = !self.is_pattern && AllowHttp::Dangerously.check(&self.name).is_ok();
        is_one.then_some(&self.name)
    }

    /// One of the issuers that a pattern stands for.
    pub(super) fn named(&self, name: &str) -> Self {
        Self { name: name.to_owned(), is_pattern: false, max_live: None, ..self.clone() }
    }

    /// Checks everything and adds what is wrong to `faults`. `None` only with faults.
    pub(crate) fn trust(self, shared: &Shared, faults: &mut Faults) -> Option<Compiled> {
        if !self.is_pattern {
            if self.max_live.is_some() {
                let problem = "is one issuer; max_live is for patterns";
                faults.add_about(Setting::MaxIssuers, Self::label(&self.name), problem);
            }
            return self.compile(shared, faults).map(Box::new).map(Compiled::One);
        }
        let label = Self::label(&self.name);
        // No file could hold the keys of issuers that nobody has named.
        let shared = Shared { last_good: None, ..shared.clone() };
        let pattern = IssuerPattern::parse(&self.name, shared.allow_http)
            .map_err(|problem| faults.add_about(Setting::Issuer, label.clone(), problem))
            .ok();
        let places = self.places().map_err(|problem| {
            faults.add_about(Setting::MaxIssuers, label.clone(), problem);
        });
        if matches!(self.keys, Keys::Uri(_) | Keys::Value(_) | Keys::File(_)) {
            let problem = "stands for many issuers, which cannot have one place for their keys";
            faults.add_about(Setting::JwksUri, label.clone(), problem);
        }
        #[cfg(feature = "introspection")]
        if self.is_introspected() {
            let problem = "stands for many issuers, of which none in particular can be asked";
            faults.add_about(Setting::IntrospectionUri, label.clone(), problem);
        }
        let mut found = Faults::default();
        self.named(&self.name.replace('*', "any")).compile(&shared, &mut found);
        found.into_vec().into_iter().for_each(|fault| faults.take(fault.labelled(&label)));
        let family = IssuerFamily::new(pattern?, self, shared, places.ok()?);
        Some(Compiled::Many(Box::new(family)))
    }

    fn places(&self) -> Result<usize, &'static str> {
        const MOST: usize = 10_000;
        match self.max_live {
            None => {
                Err("is a pattern, and needs a number of issuers that it may stand for at a time")
            }
            Some(0) => Err("stands for nobody, as no issuer may be live"),
            Some(places) if places > MOST => {
                Err("more than 10000 issuers cannot be live at a time")
            }
            Some(places) => Ok(places),
        }
    }

    /// Checks everything and adds what is wrong to `faults`. `None` only with faults.
    pub(super) fn compile(self, shared: &Shared, faults: &mut Faults) -> Option<TrustedIssuer> {
        let label = Self::label(&self.name);
        let mut fault =
            |about: Setting, problem: &str| faults.add_about(about, label.clone(), problem);

        self.check_name(shared.allow_http)
            .unwrap_or_else(|problem| fault(Setting::Issuer, problem));
        let audience = self.accepted_audience(shared.default_audience.as_deref(), &mut fault);
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
        let source = self.key_source(shared, &mut fault);
        #[cfg(feature = "introspection")]
        let asked = self.introspection.clone().map(|introspection| {
            Asked::compile(&self.name, introspection, audience.as_ref(), shared, &mut fault)
        });
        let source = source?;

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
            #[cfg(feature = "introspection")]
            asked: match asked {
                Some(asked) => Some(asked?),
                None => None,
            },
            client_claims: self.client_claims.into_iter().map(Into::into).collect(),
            callers: self.callers,
            first_party: self.first_party,
            place: None,
        })
    }
}
