//! What requests and the task that fetches have in common.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::absent::AbsentKeys;
use super::flights::Flights;
use super::history::History;
use super::horizon::Horizon;
use super::schedule::{LOST_AFTER, Pace, Schedule};
use super::snapshot::KeySnapshot;
use super::{Instant, KeySettings, KeySource, LastGoodFile, Patience};
use crate::clock::Clock;
use crate::jose::Algorithm;

/// What requests read and attempts replace.
pub(super) struct Shared {
    pub(super) issuer: Arc<str>,
    pub(super) source: KeySource,
    pub(super) algorithms: Box<[Algorithm]>,
    pub(super) max_stale: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) last_good: Option<Arc<LastGoodFile>>,
    pub(super) snapshot: ArcSwapOption<KeySnapshot>,
    pub(super) horizon: Horizon,
    /// Whether the last attempt failed.
    failing: AtomicBool,
    pub(super) flights: Flights,
    pub(super) absent: AbsentKeys,
    pub(super) history: Mutex<History>,
}

impl Shared {
    pub(super) fn new(settings: KeySettings<'_>) -> Self {
        let KeySettings { issuer, source, algorithms, max_stale, clock, last_good } = settings;
        let pace = if source.is_file() { Pace::FILE } else { Pace::NETWORK };
        Self {
            issuer,
            source,
            algorithms: algorithms.into(),
            max_stale,
            clock,
            last_good,
            snapshot: ArcSwapOption::empty(),
            horizon: Horizon::new(Instant::now()),
            failing: AtomicBool::new(false),
            flights: Flights::new(Schedule::new(pace)),
            absent: AbsentKeys::new(),
            history: Mutex::default(),
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    pub(super) fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::Release);
    }

    /// Whether a request may be judged by these keys.
    pub(super) fn serves(&self, keys: &KeySnapshot, now: Instant, patience: Patience) -> bool {
        self.horizon.serves(now)
            || (patience == Patience::Exhausted
                && keys.dies(self.max_stale).is_none_or(|dies| now < dies))
    }

    pub(super) fn has_other_keys(&self, seen: Option<&Arc<KeySnapshot>>, now: Instant) -> bool {
        let snapshot = self.snapshot.load();
        let usable = snapshot.as_ref().filter(|keys| self.serves(keys, now, Patience::MayWait));
        usable.is_some_and(|usable| seen.is_none_or(|seen| !usable.loaded.has_set_of(&seen.loaded)))
    }

    /// An attempt sets out: until it is over, nobody needs to see to a refresh, and nobody has to
    /// wait because the keys that were good when it began expire meanwhile.
    pub(super) fn depart(&self, now: Instant) {
        let lost = now + LOST_AFTER;
        self.horizon.set_due(Some(lost));
        if let Some(keys) = self.snapshot.load().as_ref()
            && keys.is_fresh(now)
        {
            let dies = keys.dies(self.max_stale);
            self.horizon.serve_at_least_until(dies.map_or(lost, |dies| dies.min(lost)));
        }
    }

    /// Takes these keys into use, until they expire or something better is known.
    pub(super) fn install(&self, snapshot: KeySnapshot, due: Option<Instant>) {
        self.horizon.serve_until(snapshot.expires());
        self.horizon.set_due(due);
        self.snapshot.store(Some(Arc::new(snapshot)));
    }

    /// Keeps the keys that are there, dead ones excepted, as there is no way to get others.
    pub(super) fn hold_on(&self, due: Instant) {
        if let Some(keys) = self.snapshot.load().as_ref() {
            self.horizon.serve_until(keys.dies(self.max_stale));
        }
        self.horizon.set_due(Some(due));
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("issuer", &self.issuer)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
