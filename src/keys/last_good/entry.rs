//! One issuer's entry in the file, with a digest of its own: a fault costs one entry.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::LastGood;
use crate::jose::base64url;

/// Begins what is digested, so that it is the digest of nothing else.
const DIGESTED: &str = "portcullis_jwks_snapshot 1";
/// No key set is fresh for longer. Seconds.
const LONGEST_LIFETIME: u64 = 24 * 60 * 60;
/// The year 10000, in seconds after 1970: no clock is that wrong.
const END_OF_TIME: u64 = 253_402_300_800;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    issuer: String,
    jwks_uri: String,
    /// Seconds after 1970.
    fetched_at: u64,
    /// Seconds.
    lifetime: u64,
    /// The document's text as it came.
    jwks: String,
    /// Over all of the above.
    sha256: String,
}

/// Why an entry is passed over. `Display` is for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryFault {
    NotAnEntry,
    Digest,
    /// The member that has it.
    Nonsense(&'static str),
    Repeated,
}

impl fmt::Display for EntryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnEntry => f.write_str("it does not have the members of an entry"),
            Self::Digest => f.write_str("its digest does not fit: it was damaged or edited"),
            Self::Nonsense(member) => write!(f, "its {member} cannot be right"),
            Self::Repeated => f.write_str("its issuer has an entry before it"),
        }
    }
}

impl Entry {
    pub(super) fn new(issuer: &str, entry: &LastGood) -> Self {
        let since_1970 = entry.fetched_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut entry = Self {
            issuer: issuer.to_owned(),
            jwks_uri: entry.address.as_str().to_owned(),
            fetched_at: since_1970.as_secs(),
            lifetime: entry.lifetime.as_secs(),
            // What is not UTF-8 is not JSON, and so was never a good set.
            jwks: String::from_utf8_lossy(&entry.document).into_owned(),
            sha256: String::new(),
        };
        entry.sha256 = entry.digest();
        entry
    }

    pub(super) fn from_json(entry: Value) -> Result<Self, EntryFault> {
        // serde would fill a struct from an array too.
        if !entry.is_object() {
            return Err(EntryFault::NotAnEntry);
        }
        serde_json::from_value(entry).map_err(|_| EntryFault::NotAnEntry)
    }

    /// The issuer and its last good set, if they can be what was once written.
    pub(super) fn check(self) -> Result<(String, LastGood), EntryFault> {
        if self.sha256 != self.digest() {
            return Err(EntryFault::Digest);
        }
        if self.issuer.is_empty() {
            return Err(EntryFault::Nonsense("issuer"));
        }
        let address = Url::parse(&self.jwks_uri).map_err(|_| EntryFault::Nonsense("jwks_uri"))?;
        let fetched_at = moment(self.fetched_at).ok_or(EntryFault::Nonsense("fetched_at"))?;
        if self.lifetime > LONGEST_LIFETIME {
            return Err(EntryFault::Nonsense("lifetime"));
        }
        let lifetime = Duration::from_secs(self.lifetime);
        let document = self.jwks.into();
        Ok((self.issuer, LastGood { address, document, fetched_at, lifetime }))
    }

    /// SHA-256 over all other members in base64url. Each stands behind its length, so that nothing
    /// can move from one into the next.
    pub(super) fn digest(&self) -> String {
        let (fetched_at, lifetime) = (self.fetched_at.to_string(), self.lifetime.to_string());
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [DIGESTED, &self.issuer, &self.jwks_uri, &fetched_at, &lifetime, &self.jwks] {
            context.update(format!("{}:", part.len()).as_bytes());
            context.update(part.as_bytes());
        }
        base64url::encode(context.finish())
    }
}

fn moment(since_1970: u64) -> Option<SystemTime> {
    if since_1970 >= END_OF_TIME {
        return None;
    }
    UNIX_EPOCH.checked_add(Duration::from_secs(since_1970))
}
