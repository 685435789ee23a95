//! How an issuer is asked, checked.

use super::super::compile::Shared;
use super::super::trusted::Audience;
use crate::config_error::Setting;
use crate::introspection::{self, Introspection, Introspector};

/// An issuer's introspection endpoint, and what is asked there.
pub(crate) struct Asked {
    pub(super) introspector: Introspector,
    pub(super) every_token: bool,
    /// Whether an answer without `aud` is about a token for us.
    pub(super) implies_audience: bool,
}

impl Asked {
    #[cfg(feature = "sidecar")]
    pub(in super::super) fn introspector(&self) -> &Introspector {
        &self.introspector
    }

    pub(in super::super) fn compile(
        issuer: &str,
        introspection: Introspection,
        audience: Option<&Audience>,
        shared: &Shared,
        fault: &mut impl FnMut(Setting, &str),
    ) -> Option<Self> {
        let audiences: Vec<&str> = match audience {
            Some(Audience::OneOf { accepted, .. }) => accepted.iter().map(AsRef::as_ref).collect(),
            Some(Audience::Skipped) | None => Vec::new(),
        };
        let every_token = introspection.is_for_every_token();
        let implies_audience = introspection.implies_audience();
        let introspector = introspection.compile(
            &introspection::Shared {
                issuer,
                audiences: &audiences,
                allow_http: shared.allow_http,
                client: shared.client.clone(),
                clock: &shared.clock,
            },
            fault,
        )?;
        Some(Self { introspector, every_token, implies_audience })
    }
}
