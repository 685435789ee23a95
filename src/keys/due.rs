//! When somebody should see to a refresh: every request reads it, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Instant;

/// A point in time, in milliseconds after `epoch`.
#[derive(Debug)]
pub(super) struct Due {
    epoch: Instant,
    at: AtomicU64,
}

impl Due {
    /// Never, until it is set.
    pub(super) fn new(epoch: Instant) -> Self {
        Self { epoch, at: AtomicU64::new(u64::MAX) }
    }

    pub(super) fn is_past(&self, now: Instant) -> bool {
        self.millis(now) >= self.at.load(Ordering::Relaxed)
    }

    /// `None` is never.
    pub(super) fn set(&self, at: Option<Instant>) {
        let millis = at.map_or(u64::MAX, |at| self.millis(at));
        self.at.store(millis, Ordering::Relaxed);
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX)
    }
}
