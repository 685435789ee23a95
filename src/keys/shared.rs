//! What requests and fetches have in common: the snapshot that the ones read and the others replace.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

use super::schedule::Schedule;
use super::snapshot::KeySnapshot;
use super::source::Loaded;
use super::{KeySource, LoadError, Patience};
use crate::jose::Algorithm;

/// What requests read and fetches replace.
pub(super) struct Shared {
    pub(super) issuer: Arc<str>,
    pub(super) source: KeySource,
    pub(super) algorithms: Box<[Algorithm]>,
    pub(super) max_stale: Duration,
    pub(super) snapshot: ArcSwapOption<KeySnapshot>,
    pub(super) schedule: Mutex<Schedule>,
    /// When somebody should next see whether a refresh is due; milliseconds after `epoch`.
    /// Keeps the lock off the way of requests that have nothing to do with it.
    look_again: AtomicU64,
    epoch: Instant,
}

impl Shared {
    pub(super) fn new(
        issuer: Arc<str>,
        source: KeySource,
        algorithms: &[Algorithm],
        max_stale: Duration,
    ) -> Self {
        Self {
            issuer,
            source,
            algorithms: algorithms.into(),
            max_stale,
            snapshot: ArcSwapOption::empty(),
            schedule: Mutex::default(),
            look_again: AtomicU64::new(0),
            epoch: Instant::now(),
        }
    }

    pub(super) async fn fetch(&self) -> Result<(), Arc<LoadError>> {
        let loaded = self.source.load(&self.algorithms).await.map_err(Arc::new)?;
        self.replace(loaded);
        Ok(())
    }

    pub(super) fn replace(&self, Loaded { set, lifetime }: Loaded) {
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
    pub(super) fn serves(&self, keys: &KeySnapshot, now: Instant, patience: Patience) -> bool {
        if keys.is_fresh(now) {
            return true;
        }
        !keys.is_dead(now, self.max_stale)
            && (patience == Patience::Exhausted || lock(&self.schedule).last_failed())
    }

    pub(super) fn has_other_keys(&self, seen: Option<&Arc<KeySnapshot>>, now: Instant) -> bool {
        let snapshot = self.snapshot.load();
        let usable = snapshot.as_ref().filter(|keys| self.serves(keys, now, Patience::MayWait));
        usable.is_some_and(|usable| seen.is_none_or(|seen| !Arc::ptr_eq(usable, seen)))
    }

    pub(super) fn is_time_to_look(&self, now: Instant) -> bool {
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
pub(super) struct Outcome<'a> {
    shared: &'a Shared,
    attempt: u64,
    pub(super) result: Result<(), Arc<LoadError>>,
}

impl<'a> Outcome<'a> {
    /// A fetch that does not come to its end, by a panic or because it is given up, has failed.
    pub(super) fn of(shared: &'a Shared, attempt: u64) -> Self {
        Self { shared, attempt, result: Err(Arc::new(LoadError::Aborted)) }
    }
}

impl Drop for Outcome<'_> {
    fn drop(&mut self) {
        let issuer = &self.shared.issuer;
        let had_failed = {
            let mut schedule = lock(&self.shared.schedule);
            let had_failed = schedule.last_failed();
            if !schedule.finished(self.attempt, self.result.clone()) {
                return;
            }
            had_failed
        };
        // Warned once per change of state, not once per attempt.
        match (had_failed, &self.result) {
            // The server is being dropped, or the panic has been reported.
            (_, Err(error)) if matches!(**error, LoadError::Aborted) => {}
            (false, Err(error)) => tracing::warn!(%issuer, "keys cannot be loaded: {error}"),
            (true, Err(error)) => tracing::debug!(%issuer, "keys still cannot be loaded: {error}"),
            (true, Ok(())) => tracing::info!(%issuer, "keys can be loaded again"),
            (false, Ok(())) => {}
        }
    }
}

/// A poisoned lock still guards consistent data here: nothing panics half-way through a change.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
