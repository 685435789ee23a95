//! How often something was found, counted without a line in memory that threads share.

use std::sync::atomic::{AtomicU64, Ordering};

/// What remembering tokens does at one moment, for status pages and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TokenCacheStatus {
    /// Tokens that were known from before, since the server was built. One that has expired in
    /// the meantime is among them.
    pub hits: u64,
    /// Tokens that had to be verified: seen for the first time or pushed out since, verified with
    /// keys that have changed, or no good at all.
    pub misses: u64,
    /// Tokens that are remembered now.
    pub entries: usize,
}

/// The counts of one thread, which alone writes to them.
#[derive(Default)]
pub(super) struct Tally {
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Tally {
    pub(super) fn count(&self, is_hit: bool) {
        let count = if is_hit { &self.hits } else { &self.misses };
        // Nothing can come between the two, as there is one writer; adding in one step would lock
        // the line.
        count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// The last miss was none yet.
    pub(super) fn take_back(&self) {
        self.misses.store(self.misses.load(Ordering::Relaxed).wrapping_sub(1), Ordering::Relaxed);
    }

    pub(super) fn add_to(&self, status: &mut TokenCacheStatus) {
        status.hits = status.hits.wrapping_add(self.hits.load(Ordering::Relaxed));
        status.misses = status.misses.wrapping_add(self.misses.load(Ordering::Relaxed));
    }
}
