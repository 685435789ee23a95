//! The snapshot that requests read, and the fetches that replace it.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};
use tokio::time::Instant;

use super::flight::{Flight, Refresh};
use super::schedule::Schedule;
use super::source::Loaded;
use super::{KeySource, LoadError, Patience};
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

    /// The good keys, if there are any to judge by. Starts a refresh ahead of their expiry and does
    /// not wait for it.
    pub(crate) fn current(&self, patience: Patience) -> Guard<Option<Arc<KeySnapshot>>> {
        let now = Instant::now();
        let snapshot = self.shared.snapshot.load();
        if let Some(keys) = snapshot.as_ref() {
            if keys.is_due(now) && self.shared.is_time_to_look(now) {
                self.refresh_ahead(now);
            }
            if !self.shared.serves(keys, now, patience) {
                return Guard::from_inner(None);
            }
        }
        snapshot
    }

    /// What to do about a token whose key is not among those that were `seen`.
    pub(crate) fn missing(&self, seen: Option<&Arc<KeySnapshot>>, patience: Patience) -> Missing {
        if self.shared.source.is_fixed() {
            return Missing::Unknown;
        }
        let now = Instant::now();
        let mut flight = lock(&self.flight);
        let under_way = flight.as_ref().filter(|flight| !flight.is_over());
        if patience == Patience::Exhausted {
            let schedule = lock(&self.shared.schedule);
            return match schedule.unknown_key_wait(now) {
                _ if seen.is_some() && !schedule.last_failed() && under_way.is_none() => {
                    Missing::Unknown
                }
                wait if seen.is_some() => Missing::Unavailable { retry_after: wait },
                _ => Missing::Unavailable { retry_after: Duration::ZERO },
            };
        }
        if let Some(flight) = under_way {
            return Missing::Wait(flight.refresh());
        }
        // A fetch that ended between the look at the keys and now has something new to look at.
        if let Some(flight) = flight.as_ref()
            && self.shared.has_other_keys(seen, now)
        {
            return Missing::Wait(flight.refresh());
        }
        let mut schedule = lock(&self.shared.schedule);
        let permission = match seen {
            Some(_) => schedule.take_for_unknown_key(now),
            None => schedule.may_load_first(now),
        };
        match permission {
            Ok(()) => {
                schedule.started(now);
                drop(schedule);
                self.take_off(&mut flight)
            }
            Err(_) if seen.is_some() && !schedule.last_failed() => Missing::Unknown,
            Err(retry_after) => Missing::Unavailable { retry_after },
        }
    }

    /// Loads keys now, budgets aside, or joins a fetch under way; the future reports how it went.
    pub(crate) fn load(&self) -> impl Future<Output = Result<(), Arc<LoadError>>> {
        let refresh = {
            let mut flight = lock(&self.flight);
            match flight.as_ref().filter(|flight| !flight.is_over()) {
                Some(flight) => Missing::Wait(flight.refresh()),
                None => {
                    lock(&self.shared.schedule).started(Instant::now());
                    self.take_off(&mut flight)
                }
            }
        };
        async move {
            let Missing::Wait(refresh) = refresh else { return Err(Arc::new(LoadError::Aborted)) };
            refresh.wait_for_end().await;
            match lock(&self.shared.schedule).last_error() {
                Some(error) => Err(error),
                None => Ok(()),
            }
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
        *flight = Flight::start(async move {
            // A fetch that ends by a panic has failed.
            let mut outcome =
                Outcome { shared: &shared, result: Err(Arc::new(LoadError::Aborted)) };
            outcome.result = shared.fetch().await;
        });
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
    async fn fetch(&self) -> Result<(), Arc<LoadError>> {
        let loaded = self.source.load(&self.algorithms).await.map_err(Arc::new)?;
        self.replace(loaded);
        Ok(())
    }

    fn replace(&self, Loaded { set, lifetime }: Loaded) {
        let before = self.snapshot.load();
        let known = before.as_ref().map(|keys| keys.set.skipped()).unwrap_or_default();
        for skipped in set.skipped().iter().filter(|skipped| !known.contains(skipped)) {
            tracing::warn!(issuer = %self.issuer, "ignored {skipped}");
        }
        tracing::debug!(issuer = %self.issuer, keys = set.len(), "keys loaded");
        let snapshot = KeySnapshot { set, loaded_at: Instant::now(), lifetime };
        self.snapshot.store(Some(Arc::new(snapshot)));
        self.look_again.store(0, Ordering::Relaxed);
    }

    /// Whether a request may be judged by these keys.
    fn serves(&self, keys: &KeySnapshot, now: Instant, patience: Patience) -> bool {
        if keys.is_fresh(now) {
            return true;
        }
        !keys.is_dead(now, self.max_stale)
            && (patience == Patience::Exhausted || lock(&self.schedule).last_failed())
    }

    fn has_other_keys(&self, seen: Option<&Arc<KeySnapshot>>, now: Instant) -> bool {
        let snapshot = self.snapshot.load();
        let usable = snapshot.as_ref().filter(|keys| self.serves(keys, now, Patience::MayWait));
        usable.is_some_and(|usable| seen.is_none_or(|seen| !Arc::ptr_eq(usable, seen)))
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

/// Writes down how a fetch ended, whichever way it did.
struct Outcome<'a> {
    shared: &'a Shared,
    result: Result<(), Arc<LoadError>>,
}

impl Drop for Outcome<'_> {
    fn drop(&mut self) {
        let issuer = &self.shared.issuer;
        let had_failed = {
            let mut schedule = lock(&self.shared.schedule);
            let had_failed = schedule.last_failed();
            schedule.finished(self.result.clone());
            had_failed
        };
        // Warned once per change of state, not once per attempt.
        match (had_failed, &self.result) {
            (false, Err(error)) => tracing::warn!(%issuer, "keys cannot be loaded: {error}"),
            (true, Err(error)) => tracing::debug!(%issuer, "keys still cannot be loaded: {error}"),
            (true, Ok(())) => tracing::info!(%issuer, "keys can be loaded again"),
            (false, Ok(())) => {}
        }
    }
}

impl KeySnapshot {
    fn is_fresh(&self, now: Instant) -> bool {
        now.duration_since(self.loaded_at) < self.lifetime
    }

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
    use super::Patience::{Exhausted, MayWait};
    use super::*;

    #[test]
    fn avail_04_a_fixed_set_is_not_loaded_again_for_an_unknown_key() {
        let store = store(KeySource::Value(SET.into()));
        store.load_local().unwrap();
        // No runtime is needed either.
        for _ in 0..2 {
            assert!(matches!(
                store.missing(store.current(MayWait).as_ref(), MayWait),
                Missing::Unknown
            ));
        }
    }

    /// A symmetric key of 32 zero bytes.
    const SET: &str = concat!(
        r#"{"keys":[{"kty":"oct","alg":"HS256","k":""#,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        r#""}]}"#
    );

    fn store(source: KeySource) -> KeyStore {
        KeyStore::new("i".into(), source, &[Algorithm::HS256], Duration::MAX)
    }

    fn keys() -> Loaded {
        let source = KeySource::Value(SET.into());
        source.load_local(&[Algorithm::HS256]).unwrap().unwrap()
    }

    fn nowhere() -> KeyStore {
        store(KeySource::File("/nonexistent/jwks.json".into()))
    }

    #[tokio::test]
    async fn a_fetch_that_lands_between_look_and_question_is_noticed() {
        let store = nowhere();
        let Missing::Wait(refresh) = store.missing(None, MayWait) else { panic!("a fetch starts") };
        refresh.wait_for_end().await;
        // It failed, and the next is due in a second.
        assert!(matches!(store.missing(None, MayWait), Missing::Unavailable { .. }));
        // Keys come while somebody still holds that there are none.
        store.shared.replace(keys());
        assert!(matches!(store.missing(None, MayWait), Missing::Wait(_)));

        let before = store.current(MayWait);
        store.shared.replace(keys());
        assert!(matches!(store.missing(before.as_ref(), MayWait), Missing::Wait(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn avail_03_good_keys_outlive_their_lifetime_by_max_stale_while_fetches_fail() {
        let (lifetime, max_stale) = (Duration::from_secs(600), Duration::from_secs(3600));
        let source = KeySource::File("/nonexistent/jwks.json".into());
        let store = KeyStore::new("i".into(), source, &[Algorithm::HS256], max_stale);
        store.shared.replace(Loaded { lifetime, ..keys() });
        assert!(store.current(MayWait).is_some());

        // Nobody has asked for keys since: who may wait does, who cannot takes the old ones.
        tokio::time::advance(lifetime).await;
        assert!(store.current(Exhausted).is_some());
        assert!(store.current(MayWait).is_none());
        let Missing::Wait(refresh) = store.missing(None, MayWait) else { panic!("a fetch starts") };
        refresh.wait_for_end().await;
        // The fetch has failed.
        assert!(store.current(MayWait).is_some());
        tokio::time::advance(max_stale - Duration::from_secs(1)).await;
        assert!(store.current(MayWait).is_some());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(store.current(MayWait).is_none());
        assert!(store.current(Exhausted).is_none());
        // And then it is as if there had never been any: a fetch is tried.
        assert!(matches!(store.missing(None, MayWait), Missing::Wait(_)));
    }

    #[tokio::test]
    async fn a_fetch_that_panics_has_failed() {
        let store = nowhere();
        store.shared.replace(keys());
        let shared = Arc::clone(&store.shared);
        let flight = Flight::start(async move {
            let _outcome = Outcome { shared: &shared, result: Err(Arc::new(LoadError::Aborted)) };
            panic!("a mistake in an HTTP client");
        });
        flight.as_ref().expect("a runtime").refresh().wait_for_end().await;
        assert!(lock(&store.shared.schedule).last_failed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_nobody_drives_is_given_up() {
        let store = nowhere();
        *lock(&store.flight) = Flight::start(std::future::pending());
        assert!(!lock(&store.flight).as_ref().unwrap().is_over());
        tokio::time::advance(Duration::from_secs(31)).await;
        let Missing::Wait(refresh) = store.missing(None, MayWait) else { panic!("a fetch starts") };
        refresh.wait_for_end().await;
        assert!(lock(&store.shared.schedule).last_failed());
    }

    #[test]
    fn outside_a_runtime_nobody_waits_and_nothing_panics() {
        let store = nowhere();
        let missing = store.missing(None, MayWait);
        assert!(matches!(missing, Missing::Unavailable { .. }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refresh_starts_ahead_of_expiry_and_nobody_waits_for_it() {
        let store = nowhere();
        store.shared.replace(Loaded { lifetime: Duration::from_secs(600), ..keys() });
        tokio::time::advance(Duration::from_secs(479)).await;
        assert!(store.current(MayWait).is_some());
        assert!(lock(&store.flight).is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(store.current(MayWait).is_some());
        let refresh = lock(&store.flight).as_ref().map(Flight::refresh);
        refresh.expect("a fetch has started").wait_for_end().await;
        // It failed: the good keys stay.
        assert!(store.current(MayWait).is_some());
    }
}
