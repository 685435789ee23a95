//! A good key set, its age, and until when it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Instant, Loaded};
use crate::jose::JwkSet;

/// A good key set, its age, and until when it is used.
#[derive(Debug)]
pub(crate) struct KeySnapshot {
    pub(super) loaded: Loaded,
    /// When this process got it, and how old it was then.
    at: Instant,
    age_then: Duration,
    /// Requests are judged by these keys for that many milliseconds after `at`. Read without a
    /// lock, and part of the snapshot, so that nobody takes the term of one set for another's.
    term: AtomicU64,
}

impl KeySnapshot {
    /// Used until it expires, or something else is known.
    pub(super) fn new(loaded: Loaded, at: Instant, age_then: Duration) -> Self {
        let snapshot = Self { loaded, at, age_then, term: AtomicU64::new(0) };
        snapshot.serve_until(snapshot.expires());
        snapshot
    }

    /// The same one, as a pointer, as long as what is published has not changed.
    pub(crate) fn set(&self) -> &Arc<JwkSet> {
        &self.loaded.set
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.duration_since(self.at).saturating_add(self.age_then)
    }

    /// `None` is never, here and below.
    fn expires(&self) -> Option<Instant> {
        self.when_aged(self.loaded.lifetime)
    }

    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        self.expires().is_none_or(|expires| now < expires)
    }

    pub(super) fn dies(&self, max_stale: Duration) -> Option<Instant> {
        self.when_aged(self.loaded.lifetime.saturating_add(max_stale))
    }

    pub(super) fn is_dead(&self, now: Instant, max_stale: Duration) -> bool {
        self.dies(max_stale).is_some_and(|dies| now >= dies)
    }

    /// At four fifths of the lifetime, so that the next set is there before this one expires; up
    /// to a twentieth of it sooner or later, so that many servers do not ask at the same time.
    /// `chance` is within 0 to 1.
    pub(super) fn due(&self, chance: f64) -> Option<Instant> {
        let share = 0.75 + chance / 10.0;
        let age = self.loaded.lifetime.as_secs_f64() * share;
        Duration::try_from_secs_f64(age).ok().and_then(|age| self.when_aged(age))
    }

    /// Whether requests are judged by these keys.
    pub(super) fn serves(&self, now: Instant) -> bool {
        self.millis(now) < self.term.load(Ordering::Relaxed)
    }

    /// `None` is for ever.
    pub(super) fn serve_until(&self, at: Option<Instant>) {
        let term = at.map_or(u64::MAX, |at| self.millis(at));
        self.term.store(term, Ordering::Relaxed);
    }

    pub(super) fn serve_at_least_until(&self, at: Instant) {
        self.term.fetch_max(self.millis(at), Ordering::Relaxed);
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.at).as_millis()).unwrap_or(u64::MAX)
    }

    fn when_aged(&self, age: Duration) -> Option<Instant> {
        self.at.checked_add(age.saturating_sub(self.age_then))
    }
}
