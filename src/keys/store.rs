//! The snapshot that requests read, and the fetches that replace it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};
use tokio::time::Instant;

use super::flight::{Flight, Refresh};
use super::schedule::Schedule;
use super::source::Loaded;
use super::{KeySource, LoadError};
use crate::jose::{Algorithm, JwkSet};

/// The keys of one issuer.
#[derive(Debug)]
pub(crate) struct KeyStore {
    shared: Arc<Shared>,
    /// Apart from [`Shared`], so that the task does not keep itself alive.
    flight: Mutex<Option<Flight>>,
}

struct Shared {
    issuer: Arc<str>,
    source: KeySource,
    algorithms: Box<[Algorithm]>,
    max_stale: Duration,
    snapshot: ArcSwapOption<KeySnapshot>,
    schedule: Mutex<Schedule>,
    /// When somebody should next see whether a refresh is due; milliseconds after `epoch`.
    /// Keeps the lock off the way of requests that have nothing to do with it.
    look_again: AtomicU64,
    epoch: Instant,
}

/// A good key set and its age.
#[derive(Debug)]
pub(crate) struct KeySnapshot {
    pub(crate) set: JwkSet,
    loaded_at: Instant,
    lifetime: Duration,
}

/// No key to judge by: wait for a fetch, or give up for now.
#[derive(Debug)]
pub(crate) enum Missing {
    /// A fetch is under way.
    Wait(Refresh),
    /// The last attempt failed and the next is not due for this long.
    Unavailable { retry_after: Duration },
    /// The last attempt was good: the key does not exist.
    Unknown,
}

impl KeyStore {
    pub(crate) fn new(
        issuer: Arc<str>,
        source: KeySource,
        algorithms: &[Algorithm],
        max_stale: Duration,
    ) -> Self {
        let shared = Shared {
            issuer,
            source,
            algorithms: algorithms.into(),
            max_stale,
            snapshot: ArcSwapOption::empty(),
            schedule: Mutex::default(),
            look_again: AtomicU64::new(0),
            epoch: Instant::now(),
        };
        Self { shared: Arc::new(shared), flight: Mutex::default() }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Loads keys that need no network, so that a configuration with bad ones can be refused.
    pub(crate) fn load_local(&self) -> Result<(), LoadError> {
        match self.shared.source.load_local(&self.shared.algorithms) {
            Some(loaded) => loaded.map(|loaded| self.shared.replace(loaded)),
            None => Ok(()),
        }
    }

    /// The good keys, if any are young enough. Starts a refresh ahead of their expiry and does
    /// not wait for it.
    pub(crate) fn current(&self) -> Guard<Option<Arc<KeySnapshot>>> {
        let now = Instant::now();
        let snapshot = self.shared.snapshot.load();
        if let Some(keys) = snapshot.as_ref() {
            if keys.is_due(now) && self.shared.is_time_to_look(now) {
                self.refresh_ahead(now);
            }
            if keys.is_dead(now, self.shared.max_stale) {
                return Guard::from_inner(None);
            }
        }
        snapshot
    }

    /// What to do about a token whose key is not among `current()`.
    pub(crate) fn missing(&self, have_keys: bool) -> Missing {
        if self.shared.source.is_fixed() {
            return Missing::Unknown;
        }
        let now = Instant::now();
        let mut flight = lock(&self.flight);
        if let Some(flight) = flight.as_ref().filter(|flight| !flight.is_over()) {
            return Missing::Wait(flight.refresh());
        }
        let mut schedule = lock(&self.shared.schedule);
        let permission = if have_keys {
            schedule.take_for_unknown_key(now)
        } else {
            schedule.may_load_first(now)
        };
        match permission {
            Ok(()) => {
                schedule.started(now);
                drop(schedule);
                self.take_off(&mut flight)
            }
            Err(_) if have_keys && !schedule.last_failed() => Missing::Unknown,
            Err(retry_after) => Missing::Unavailable { retry_after },
        }
    }

    /// After waiting in vain: was it the authorization server's fault?
    pub(crate) fn still_missing(&self, have_keys: bool) -> Missing {
        let failed = lock(&self.shared.schedule).last_failed();
        let waiting = lock(&self.flight).as_ref().is_some_and(|flight| !flight.is_over());
        if have_keys && !failed && !waiting {
            Missing::Unknown
        } else {
            Missing::Unavailable { retry_after: Duration::from_secs(1) }
        }
    }

    /// Loads keys now and reports how it went, budgets aside. Joins a fetch under way.
    pub(crate) async fn load(&self) -> Result<(), Arc<LoadError>> {
        let refresh = {
            let mut flight = lock(&self.flight);
            match flight.as_ref().filter(|flight| !flight.is_over()) {
                Some(flight) => flight.refresh(),
                None => {
                    lock(&self.shared.schedule).started(Instant::now());
                    match self.take_off(&mut flight) {
                        Missing::Wait(refresh) => refresh,
                        _ => return Err(Arc::new(LoadError::Aborted)),
                    }
                }
            }
        };
        refresh.wait_for_end().await;
        match lock(&self.shared.schedule).last_error() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn refresh_ahead(&self, now: Instant) {
        let mut flight = lock(&self.flight);
        if flight.as_ref().is_some_and(|flight| !flight.is_over()) {
            return;
        }
        let mut schedule = lock(&self.shared.schedule);
        if schedule.may_refresh(now).is_ok() {
            schedule.started(now);
            drop(schedule);
            self.take_off(&mut flight);
        }
    }

    fn take_off(&self, flight: &mut Option<Flight>) -> Missing {
        let shared = Arc::clone(&self.shared);
        *flight = Flight::start(async move { shared.fetch().await });
        match flight {
            Some(flight) => Missing::Wait(flight.refresh()),
            None => {
                tracing::error!("keys cannot be fetched outside a tokio runtime");
                Missing::Unavailable { retry_after: Duration::from_secs(1) }
            }
        }
    }
}

impl Shared {
    async fn fetch(&self) {
        let result = self.source.load(&self.algorithms).await;
        // The keys first: whoever sees the flight over must find them.
        let outcome = match result {
            Ok(loaded) => {
                self.replace(loaded);
                Ok(())
            }
            Err(error) => Err(Arc::new(error)),
        };
        let had_failed = {
            let mut schedule = lock(&self.schedule);
            let had_failed = schedule.last_failed();
            schedule.finished(outcome.clone());
            had_failed
        };
        self.report(had_failed, outcome.err());
    }

    fn replace(&self, Loaded { set, lifetime }: Loaded) {
        for skipped in set.skipped() {
            tracing::warn!(issuer = %self.issuer, "ignored {skipped}");
        }
        tracing::debug!(issuer = %self.issuer, keys = set.len(), "keys loaded");
        let snapshot = KeySnapshot { set, loaded_at: Instant::now(), lifetime };
        self.snapshot.store(Some(Arc::new(snapshot)));
        self.look_again.store(0, Ordering::Relaxed);
    }

    /// Once per change of state, not once per attempt.
    fn report(&self, had_failed: bool, error: Option<Arc<LoadError>>) {
        match (had_failed, error) {
            (false, Some(error)) => {
                tracing::warn!(issuer = %self.issuer, "keys cannot be loaded: {error}");
            }
            (true, Some(error)) => {
                tracing::debug!(issuer = %self.issuer, "keys still cannot be loaded: {error}");
            }
            (true, None) => tracing::info!(issuer = %self.issuer, "keys can be loaded again"),
            (false, None) => {}
        }
    }

    fn is_time_to_look(&self, now: Instant) -> bool {
        const PAUSE_MS: u64 = 1000;
        let now = u64::try_from(now.duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX);
        let due = self.look_again.load(Ordering::Relaxed);
        now >= due
            && self
                .look_again
                .compare_exchange(
                    due,
                    now.saturating_add(PAUSE_MS),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
    }
}

impl KeySnapshot {
    /// At four fifths of the lifetime, so that the next set is there before this one expires.
    fn is_due(&self, now: Instant) -> bool {
        now.duration_since(self.loaded_at) >= self.lifetime / 5 * 4
    }

    fn is_dead(&self, now: Instant, max_stale: Duration) -> bool {
        now.duration_since(self.loaded_at) > self.lifetime.saturating_add(max_stale)
    }
}

/// A poisoned lock still guards consistent data here: nothing panics half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("issuer", &self.issuer)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avail_04_a_fixed_set_is_not_loaded_again_for_an_unknown_key() {
        let set = format!(r#"{{"keys":[{{"kty":"oct","alg":"HS256","k":"{}"}}]}}"#, "A".repeat(43));
        let source = KeySource::Value(set.into());
        let store = KeyStore::new("i".into(), source, &[Algorithm::HS256], Duration::MAX);
        store.load_local().unwrap();
        // No runtime is needed either.
        for _ in 0..2 {
            assert!(matches!(store.missing(true), Missing::Unknown));
        }
    }
}
