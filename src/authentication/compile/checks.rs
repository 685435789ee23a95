//! What an issuer is called, whom its tokens are for, how they are signed and whose they are.

use crate::authentication::callers::FirstParty;
use crate::authentication::issuer::{Issuer, Keys};
use crate::authentication::preset::Preset;
use crate::authentication::trusted::Audience;
use crate::config_error::Setting;
use crate::fetch::AllowHttp;

impl Issuer {
    /// RFC 8414 §2: https, no query, no fragment. Only what is asked for keys has to be a URL.
    pub(super) fn check_name(&self, allow_http: AllowHttp) -> Result<(), &'static str> {
        if self.name.is_empty() {
            return Err("the issuer must not be empty");
        }
        if self.name.contains('*') {
            return Err("has a * in it, which only a pattern may have");
        }
        if !self.needs_keys() || !matches!(self.keys, Keys::Discovery | Keys::Below(_)) {
            // The endpoints are below it.
            let is_address = self.preset == Some(Preset::MobileFirst);
            return if is_address { allow_http.check(&self.name).map(drop) } else { Ok(()) };
        }
        let url = allow_http.check(&self.name)?;
        self.preset.map_or(Ok(()), |preset| preset.check_name(&self.name))?;
        if url.query().is_some() { Err("must not have a query") } else { Ok(()) }
    }

    pub(super) fn accepted_audience(
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
        if self.audience_claim.is_empty() {
            fault(Setting::Audience, "the claim that stands for aud needs a name");
        }
        let claim = self.audience_claim.as_str().into();
        Some(Audience::OneOf { claim, accepted: audiences.into() })
    }

    pub(super) fn check_algorithms(&self, fault: &mut impl FnMut(Setting, &str)) {
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

    pub(super) fn check_callers(&self, fault: &mut impl FnMut(Setting, &str)) {
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
}
