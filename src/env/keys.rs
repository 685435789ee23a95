//! Where the variables say that the keys are.

use std::path::PathBuf;

use super::names::{ISSUER, JWKS, JWKS_URI};
use super::source::{Origin, Read, Source};
use super::values;
use crate::authentication::Issuer;

/// One place for all issuers; more than one issuer can only be discovered.
pub(super) enum Keys {
    Discovery,
    Uri(String),
    Value(String),
    File(PathBuf),
}

impl Keys {
    pub(super) fn read(source: &mut Source, issuers: usize) -> Self {
        let uri = source.read(JWKS_URI, values::word);
        let set = key_set(source);
        if !uri.is_unset() && !set.is_unset() {
            source.fault(JWKS_URI, format!("cannot be set together with {JWKS}"));
        }
        for (variable, unset) in [(JWKS_URI, uri.is_unset()), (JWKS, set.is_unset())] {
            if issuers > 1 && !unset {
                source.fault(variable, format!("is for one issuer, and {ISSUER} has {issuers}"));
            }
        }
        match (set, uri) {
            (Read::Value(keys), _) => keys,
            // What follows from these is known to follow from an unusable variable.
            (Read::Unusable, _) => Self::Value(String::new()),
            (Read::Unset, Read::Value(uri)) => Self::Uri(uri),
            (Read::Unset, Read::Unusable) => Self::Uri(String::new()),
            (Read::Unset, Read::Unset) => Self::Discovery,
        }
    }

    pub(super) fn issuer(&self, name: &str) -> Issuer {
        match self {
            _ if name.contains('*') => Issuer::matching(name),
            Self::Discovery => Issuer::discover(name),
            Self::Uri(uri) => Issuer::with_jwks_uri(name, uri),
            Self::Value(set) => Issuer::with_jwks(name, set),
            Self::File(path) => Issuer::with_jwks_file(name, path),
        }
    }
}

/// `PORTCULLIS_JWKS_FILE` is handed on as a path, so that the engine can read it again.
fn key_set(source: &mut Source) -> Read<Keys> {
    match source.origin(JWKS) {
        Read::Value(Origin::File(path)) => Read::Value(Keys::File(path)),
        Read::Value(Origin::Value(_)) => {
            source.read(JWKS, |text| values::text(text).map(Keys::Value))
        }
        Read::Unset => Read::Unset,
        Read::Unusable => Read::Unusable,
    }
}
