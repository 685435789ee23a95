//! Where the keys of an issuer come from.

use super::Shared;
use crate::authentication::issuer::{Issuer, Keys};
use crate::config_error::Setting;
use crate::keys::{Discovery, KeySource};

impl Issuer {
    pub(super) fn key_source(
        &self,
        shared: &Shared,
        fault: &mut impl FnMut(Setting, &str),
    ) -> Option<KeySource> {
        let client = || shared.client.clone();
        #[cfg(feature = "introspection")]
        if !self.needs_keys() {
            return Some(KeySource::Unneeded);
        }
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
            Keys::Below(path) => {
                let address = format!("{}{path}", self.name.trim_end_matches('/'));
                match shared.allow_http.check(&address).ok().filter(|_| path.starts_with('/')) {
                    Some(address) => Some(KeySource::Uri { client: client()?, address }),
                    None => {
                        fault(Setting::JwksUri, "the path of the key set must begin with a slash");
                        None
                    }
                }
            }
            Keys::Value(document) => Some(KeySource::Value(document.0.clone().into())),
            Keys::File(path) => Some(KeySource::File(path.clone())),
        }
    }
}
