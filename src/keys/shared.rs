//! What requests and the task that fetches have in common.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
#[cfg(feature = "metrics")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::absent::AbsentKeys;
use super::discovery::Metadata;
use super::due::Due;
use super::flights::Flights;
use super::history::History;
use super::schedule::{LOST_AFTER, Pace, Schedule};
use super::snapshot::KeySnapshot;
use super::{Instant, KeySettings, KeySource, LastGoodFile, Patience};
use crate::clock::Clock;
use crate::jose::Algorithm;

/// What requests read and attempts replace.
pub(super) struct Shared {
    pub(super) issuer: Arc<str>,
    /// By which it is counted.
    #[cfg(feature = "metrics")]
    pub(super) label: OnceLock<Arc<str>>,
    /// Set once, when nobody wants its keys any more.
    is_retired: AtomicBool,
    pub(super) source: KeySource,
    pub(super) algorithms: Box<[Algorithm]>,
    pub(super) max_stale: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) last_good: Option<Arc<LastGoodFile>>,
    pub(super) snapshot: ArcSwapOption<KeySnapshot>,
    /// What the issuer's metadata said last.
    pub(super) metadata: ArcSwapOption<Metadata>,
    /// When somebody should see to a refresh.
    pub(super) due: Due,
    /// Whether the last attempt failed.
    failing: AtomicBool,
    answered: AtomicU64,
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
            #[cfg(feature = "metrics")]
            label: OnceLock::new(),
            is_retired: AtomicBool::new(false),
            source,
            algorithms: algorithms.into(),
            max_stale,
            clock,
            last_good,
            snapshot: ArcSwapOption::empty(),
            metadata: ArcSwapOption::empty(),
            due: Due::new(Instant::now()),
            answered: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            flights: Flights::new(Schedule::new(pace)),
            absent: AbsentKeys::new(),
            history: Mutex::default(),
        }
    }

    /// Its keys are used no more, not even for tokens that were verified with them.
    pub(super) fn retire(&self) {
        self.is_retired.store(true, Ordering::SeqCst);
        self.snapshot.store(None);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.is_retired.load(Ordering::SeqCst)
    }

    /// Takes keys into use, unless there is no use for them.
    pub(super) fn publish(&self, keys: KeySnapshot) {
        self.snapshot.store(Some(Arc::new(keys)));
        if self.is_retired() {
            self.snapshot.store(None);
        }
    }

    #[cfg(feature = "metrics")]
    pub(super) fn label(&self) -> &Arc<str> {
        self.label.get().unwrap_or(&self.issuer)
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    pub(super) fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::Release);
    }

    /// The number of the last attempt that was good.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Acquire)
    }

    pub(super) fn set_answered(&self, attempt: u64) {
        self.answered.store(attempt, Ordering::Release);
    }

    /// Whether a request may be judged by these keys.
    pub(super) fn serves(&self, keys: &KeySnapshot, now: Instant, patience: Patience) -> bool {
        keys.serves(now) || (patience == Patience::Exhausted && !keys.is_dead(now, self.max_stale))
    }

    pub(super) fn has_other_keys(&self, seen: Option<&Arc<KeySnapshot>>, now: Instant) -> bool {
        let snapshot = self.snapshot.load();
        let usable = snapshot.as_ref().filter(|keys| keys.serves(now));
        usable.is_some_and(|usable| seen.is_none_or(|seen| !usable.loaded.has_set_of(&seen.loaded)))
    }

    /// How many keys tokens can be judged by.
    #[cfg(feature = "metrics")]
    pub(super) fn keys_in_use(&self, now: Instant) -> usize {
        let snapshot = self.snapshot.load();
        let usable = snapshot.as_ref().filter(|keys| !keys.is_dead(now, self.max_stale));
        usable.map_or(0, |keys| keys.set().len())
    }

    /// An attempt sets out: until it is over, nobody needs to see to a refresh, and nobody has to
    /// wait because the keys that were good when it began expire meanwhile.
    pub(super) fn depart(&self, now: Instant) {
        let lost = now + LOST_AFTER;
        self.due.set(Some(lost));
        if self.flights.look(|schedule| schedule.replaces_lost()) {
            self.demand_fresh_keys(now);
        }
        if let Some(keys) = self.snapshot.load().as_ref().filter(|keys| keys.is_fresh(now)) {
            let dies = keys.dies(self.max_stale);
            keys.serve_at_least_until(dies.map_or(lost, |dies| dies.min(lost)));
        }
    }

    /// An attempt came to nothing because nobody drove it, which says nothing about the
    /// authorization server: where keys are past their lifetime, the next request waits for others,
    /// and thereby drives the next attempt.
    pub(super) fn demand_fresh_keys(&self, now: Instant) {
        if let Some(keys) = self.snapshot.load().as_ref().filter(|keys| !keys.is_fresh(now)) {
            keys.serve_until(Some(now));
        }
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
