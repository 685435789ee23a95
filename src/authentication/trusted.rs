//! An issuer whose configuration has been checked: what requests are judged by.

use std::sync::Arc;
use std::time::Duration;

use super::Profile;
use super::callers::{CallerTable, FirstParty};
use super::family::Place;
#[cfg(feature = "introspection")]
use super::introspected::Asked;
use crate::jose::{Algorithm, JoseHeader};
use crate::keys::KeyStore;
use crate::rejection_kind::RejectionKind;
use crate::scope::GrantRules;

/// An issuer with its keys and rules.
pub(crate) struct TrustedIssuer {
    pub(super) name: Arc<str>,
    pub(super) keys: KeyStore,
    pub(super) audience: Audience,
    pub(super) algorithms: Box<[Algorithm]>,
    pub(super) profile: Profile,
    pub(super) leeway: Duration,
    pub(super) scope_claims: Box<[Box<str>]>,
    /// Names and the values that they must have.
    pub(super) required_claims: Box<[(Box<str>, Box<str>)]>,
    pub(super) grant_rules: Arc<GrantRules>,
    /// How it is asked about tokens.
    #[cfg(feature = "introspection")]
    pub(super) asked: Option<Asked>,
    /// Those that name the client; the first one present counts.
    pub(super) client_claims: Box<[Box<str>]>,
    pub(super) callers: CallerTable,
    pub(super) first_party: FirstParty,
    /// `None` for issuers that are listed.
    pub(super) place: Option<Place>,
}

/// Whom tokens must be meant for.
pub(super) enum Audience {
    /// Of these, one is in this claim.
    OneOf {
        claim: Box<str>,
        accepted: Box<[Box<str>]>,
    },
    Skipped,
}

impl TrustedIssuer {
    pub(crate) fn keys(&self) -> &KeyStore {
        &self.keys
    }

    pub(super) fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// This issuer's own algorithms and profile.
    pub(super) fn check_header(&self, header: &JoseHeader<'_>) -> Result<(), RejectionKind> {
        if !self.allows(header.algorithm) {
            return Err(RejectionKind::AlgorithmNotAllowed);
        }
        self.profile.check(header.typ.as_deref())
    }
}
