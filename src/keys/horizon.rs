//! What every request reads about time, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Instant;

/// Two points in time; milliseconds after `epoch`.
#[derive(Debug)]
pub(super) struct Horizon {
    epoch: Instant,
    /// When somebody should see to a refresh.
    due: AtomicU64,
    /// Until when requests are judged by the keys that are there.
    serves_until: AtomicU64,
}

impl Horizon {
    pub(super) fn new(epoch: Instant) -> Self {
        Self { epoch, due: AtomicU64::new(u64::MAX), serves_until: AtomicU64::new(0) }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.millis(now) >= self.due.load(Ordering::Relaxed)
    }

    /// `None` is never.
    pub(super) fn set_due(&self, at: Option<Instant>) {
        let due = at.map_or(u64::MAX, |at| self.millis(at));
        self.due.store(due, Ordering::Relaxed);
    }

    pub(super) fn serves(&self, now: Instant) -> bool {
        self.millis(now) < self.serves_until.load(Ordering::Relaxed)
    }

    /// `None` is for ever.
    pub(super) fn serve_until(&self, at: Option<Instant>) {
        let until = at.map_or(u64::MAX, |at| self.millis(at));
        self.serves_until.store(until, Ordering::Relaxed);
    }

    pub(super) fn serve_at_least_until(&self, at: Instant) {
        self.serves_until.fetch_max(self.millis(at), Ordering::Relaxed);
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX)
    }
}
