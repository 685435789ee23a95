//! What one thread counts.

use std::array;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::{Durations, Histogram, add};
use super::outcome::{Class, Outcome, table};

/// The counts of one thread, in memory of its own.
#[repr(align(128))]
pub(super) struct Shard {
    requests: [AtomicU64; Outcome::COUNT],
    durations: [Histogram; Class::ALL.len()],
    /// Its owners, but for this one, are the requests in flight: a guard may be dropped on another
    /// thread, and an owner is counted in one step there too.
    open: Arc<OwnLine>,
}

/// The count of owners before it shares no cache line with anything else.
#[derive(Default)]
#[repr(align(128))]
struct OwnLine;

/// A request that is being answered. It is over when this is dropped.
#[must_use]
pub(in crate::sidecar) struct InFlight(#[expect(dead_code, reason = "it is counted")] Arc<OwnLine>);

impl Default for Shard {
    fn default() -> Self {
        Self {
            requests: table(),
            durations: array::from_fn(|_| Histogram::default()),
            open: Arc::default(),
        }
    }
}

impl Shard {
    pub(super) fn in_flight(&self) -> InFlight {
        InFlight(Arc::clone(&self.open))
    }

    pub(super) fn record(&self, outcome: Outcome, took: Duration) {
        if let Some(count) = self.requests.get(outcome.index()) {
            add(count, 1);
        }
        if let Some(durations) = self.durations.get(outcome.class() as usize) {
            durations.observe(took);
        }
    }

    pub(super) fn open(&self) -> usize {
        Arc::strong_count(&self.open).saturating_sub(1)
    }

    pub(super) fn add_requests_to(&self, sum: &mut [u64; Outcome::COUNT]) {
        for (sum, count) in sum.iter_mut().zip(&self.requests) {
            *sum += count.load(Ordering::Relaxed);
        }
    }

    pub(super) fn add_durations_to(&self, sum: &mut [Durations; Class::ALL.len()]) {
        for (sum, histogram) in sum.iter_mut().zip(&self.durations) {
            histogram.add_to(sum);
        }
    }
}
