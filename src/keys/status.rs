//! What an operator sees of an issuer's keys.

use std::time::Duration;

use super::shared::Shared;
use super::sync::lock;
use super::{Instant, KeyStore};
use crate::fetch::shown;

/// The keys of one issuer at one moment, for readiness checks and status pages. Nothing in it is
/// secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The issuer as it is configured, without a query.
    pub issuer: String,
    /// Where its keys come from.
    pub source: String,
    /// The address of the key set in use, without its query, which discovery may have found; `None` for local keys.
    pub address: Option<String>,
    /// Whether tokens of this issuer can be judged.
    pub state: KeyState,
    /// How many keys tokens can be judged by.
    pub keys: usize,
    /// The names (`kid`) of those that have one, in the order of the set.
    pub kids: Vec<String>,
    /// Entries of the set that cannot be used, and why not.
    pub ignored: Vec<String>,
    /// Time since the keys were last known to be what the issuer publishes.
    pub age: Option<Duration>,
    /// Time until the next attempt to refresh them; zero when it is under way or overdue, `None`
    /// where none is planned: before the first use, and for keys that never change.
    pub next_refresh: Option<Duration>,
    /// Why the last attempt failed; `None` when it was good.
    pub last_error: Option<String>,
    /// Why the issuer's metadata is that of an earlier attempt.
    pub metadata_error: Option<String>,
    /// Attempts so far.
    pub fetches: KeyFetches,
}

/// Whether there are keys to judge tokens by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyState {
    /// There are, and they are within their lifetime.
    Fresh,
    /// There are, past their lifetime: used while the authorization server cannot be reached, up to
    /// [`jwks_max_stale`](crate::ResourceServerBuilder::jwks_max_stale).
    Stale,
    /// There are none. Tokens are answered with 503.
    Missing,
    /// The status is that of all issuers that a [pattern](crate::Issuer::matching) stands for: keys
    /// of each are fetched when its tokens come.
    OnDemand,
    /// There are none, and none are needed: the issuer is asked about every token.
    Unneeded,
}

/// Counts of attempts to load the keys of one issuer, since the start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KeyFetches {
    /// All that are over, good or not. One that is dropped with its runtime is none.
    pub attempts: u64,
    /// Those that brought nothing usable.
    pub failed: u64,
    /// Those that brought what was there already.
    pub unchanged: u64,
}

impl KeyFetches {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            attempts: self.attempts + other.attempts,
            failed: self.failed + other.failed,
            unchanged: self.unchanged + other.unchanged,
        }
    }
}

impl KeyStatus {
    /// Several issuers as one; `past` are the attempts of those that are no more.
    pub(crate) fn of_many(name: &str, source: String, each: &[Self], past: KeyFetches) -> Self {
        let error = each.iter().find_map(|status| {
            let error = status.last_error.as_ref()?;
            Some(format!("{}: {error}", status.issuer))
        });
        Self {
            issuer: shown(name).into_owned(),
            source,
            address: None,
            state: KeyState::OnDemand,
            keys: each.iter().map(|status| status.keys).sum(),
            kids: Vec::new(),
            ignored: Vec::new(),
            age: each.iter().filter_map(|status| status.age).max(),
            next_refresh: each.iter().filter_map(|status| status.next_refresh).min(),
            last_error: error,
            metadata_error: None,
            fetches: each.iter().fold(past, |all, status| all.and(status.fetches)),
        }
    }
}

impl KeyStore {
    /// How things are now.
    pub(crate) fn status(&self) -> KeyStatus {
        let shared: &Shared = &self.shared;
        let now = Instant::now();
        let snapshot = shared.snapshot.load_full();
        let state = match &snapshot {
            _ if shared.source.is_unneeded() => KeyState::Unneeded,
            Some(keys) if keys.is_fresh(now) => KeyState::Fresh,
            Some(keys) if !keys.is_dead(now, shared.max_stale) => KeyState::Stale,
            _ => KeyState::Missing,
        };
        let next = shared
            .flights
            .look(|schedule| schedule.under_way(now).map(|_| now).or_else(|| schedule.next()));
        let history = lock(&shared.history);
        let has_keys = matches!(state, KeyState::Fresh | KeyState::Stale);
        let usable = snapshot.as_ref().filter(|_| has_keys);
        let set = usable.map(|keys| keys.set());
        KeyStatus {
            issuer: shown(&shared.issuer).into_owned(),
            source: shared.source.to_string(),
            address: usable
                .and_then(|keys| keys.loaded.address.as_ref())
                .map(|at| shown(at.as_str()).into_owned()),
            state,
            keys: set.map_or(0, |set| set.len()),
            kids: set.map(|set| set.kids().map(str::to_owned).collect()).unwrap_or_default(),
            ignored: set
                .map(|set| set.skipped().iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            age: snapshot
                .as_ref()
                .filter(|_| state != KeyState::Unneeded)
                .map(|keys| keys.age(now)),
            next_refresh: next.map(|next| next.duration_since(now)),
            last_error: history.last_error.as_ref().map(ToString::to_string),
            metadata_error: history.metadata_error.as_ref().map(ToString::to_string),
            fetches: KeyFetches {
                attempts: history.attempts,
                failed: history.failures,
                unchanged: history.unchanged,
            },
        }
    }
}
