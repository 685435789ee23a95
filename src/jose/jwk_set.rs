//! A JWK set (RFC 7517 §5), read entry by entry: one bad key never costs the others.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{self, Object};
use super::jwk::{self, Unusable};
use super::{Algorithm, CompactJws, JoseHeader, VerificationKey};

/// Larger documents are refused whole. Bytes.
pub(crate) const MAX_BYTES: usize = 512 * 1024;
/// Entries beyond this are not read.
const MAX_KEYS: usize = 100;
/// How many keys are tried for one token.
const MAX_TRIALS: usize = 4;

/// Where a set comes from decides whether it may hold secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyOrigin {
    /// From the network: public keys only.
    Fetched,
    /// From the operator: a set of secrets, and nothing else, is possible.
    Static,
}

/// The usable keys of a set, and what was passed over.
#[derive(Debug, Default)]
pub(crate) struct JwkSet {
    keys: Vec<VerificationKey>,
    skipped: Vec<SkippedKey>,
}

/// Why no key of a set verifies a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotVerified {
    /// Keys that fit the header were tried, and none of them made the signature.
    BadSignature,
    /// No key fits the header. One of its `kid` may be there, for another algorithm.
    NoKey { kid_is_known: bool },
}

/// An entry that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SkippedKey {
    /// Position in the document, from zero.
    pub(crate) index: usize,
    pub(crate) reason: Unusable,
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}: {}", self.index + 1, self.reason)
    }
}

/// The document is no key set, or none of its keys can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JwkSetError {
    TooLarge,
    NotASet(&'static str),
    NoUsableKey(Vec<SkippedKey>),
}

impl fmt::Display for JwkSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the key set is larger than {MAX_BYTES} bytes"),
            Self::NotASet(problem) => {
                write!(f, "not a JWK set, which is a JSON object with an array \"keys\": {problem}")
            }
            Self::NoUsableKey(skipped) if skipped.is_empty() => f.write_str("the key set is empty"),
            Self::NoUsableKey(skipped) => {
                f.write_str("no key in the set can be used")?;
                let (last, others) = match skipped.split_last() {
                    Some((last, others)) if last.reason == Unusable::TooMany => {
                        (Some(last), others)
                    }
                    _ => (None, skipped.as_slice()),
                };
                let told = others.iter().take(3).chain(last);
                told.into_iter().try_for_each(|skipped| write!(f, "; {skipped}"))
            }
        }
    }
}

impl std::error::Error for JwkSetError {}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl JwkSet {
    /// Reads the keys that serve one of the `allowed` algorithms.
    pub(crate) fn parse(
        document: &[u8],
        allowed: &[Algorithm],
        origin: KeyOrigin,
    ) -> Result<Self, JwkSetError> {
        if document.len() > MAX_BYTES {
            return Err(JwkSetError::TooLarge);
        }
        let document: Document<'_> = json::document(document).map_err(JwkSetError::NotASet)?;
        let entries: Vec<Option<Object>> = document
            .keys
            .iter()
            .take(MAX_KEYS)
            .map(|entry| json::object(entry.get().as_bytes()).ok())
            .collect();
        let origin =
            if holds_only_distinct_secrets(&entries) { origin } else { KeyOrigin::Fetched };
        let mut set = Self::default();
        for (index, entry) in entries.iter().enumerate() {
            let keys = match entry {
                Some(entry) => jwk::keys(entry, allowed, origin),
                None => Err(Unusable::NotStrictJson),
            };
            match keys {
                Ok(keys) => set.keys.extend(keys),
                Err(reason) => set.skipped.push(SkippedKey { index, reason }),
            }
        }
        if document.keys.len() > MAX_KEYS {
            set.skipped.push(SkippedKey { index: MAX_KEYS, reason: Unusable::TooMany });
        }
        if set.keys.is_empty() { Err(JwkSetError::NoUsableKey(set.skipped)) } else { Ok(set) }
    }

    /// Whether one of the keys signed the token.
    pub(crate) fn verify(
        &self,
        header: &JoseHeader<'_>,
        jws: &CompactJws<'_>,
    ) -> Result<(), NotVerified> {
        let kid = header.kid.as_deref();
        let mut tried = false;
        for key in self.candidates(kid, header.algorithm) {
            tried = true;
            if key.verifies(jws.signing_input, jws.signature()) {
                return Ok(());
            }
        }
        if tried {
            return Err(NotVerified::BadSignature);
        }
        let has_kid = |kid| self.keys.iter().any(|key| key.kid() == Some(kid));
        Err(NotVerified::NoKey { kid_is_known: kid.is_some_and(has_kid) })
    }

    /// The keys that may have signed a token with this header, most of the time one.
    ///
    /// With `kid` only keys of that name are tried, without it all that fit (RFC 7515 App. D).
    pub(crate) fn candidates(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &VerificationKey> {
        self.keys
            .iter()
            .filter(move |key| key.algorithm() == algorithm)
            .filter(move |key| kid.is_none() || key.kid() == kid)
            .take(MAX_TRIALS)
    }

    /// Every key, once for each algorithm that it serves.
    #[cfg(feature = "sidecar")]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &VerificationKey> {
        self.keys.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The names of the keys that have one, in the order of the set.
    pub(crate) fn kids(&self) -> impl Iterator<Item = &str> {
        let mut seen = HashSet::new();
        self.keys.iter().filter_map(VerificationKey::kid).filter(move |kid| seen.insert(*kid))
    }

    pub(crate) fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }
}

/// Secrets and public keys in one set, or two secrets of one name, are how keys get confused
/// (RFC 8725 §2.1): the secrets of such a set are not used.
fn holds_only_distinct_secrets(entries: &[Option<Object>]) -> bool {
    let mut kids = Vec::new();
    entries.iter().flatten().all(|entry| {
        let kid = entry.get("kid");
        let distinct = !kids.contains(&kid);
        kids.push(kid);
        distinct && entry.get("kty").is_some_and(|kty| kty == "oct")
    })
}
