//! A good key set and its age.

use std::time::Duration;

use tokio::time::Instant;

use crate::jose::JwkSet;

/// A good key set and its age.
#[derive(Debug)]
pub(crate) struct KeySnapshot {
    pub(crate) set: JwkSet,
    pub(super) loaded_at: Instant,
    pub(super) lifetime: Duration,
}

impl KeySnapshot {
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now.duration_since(self.loaded_at) < self.lifetime
    }

    /// At four fifths of the lifetime, so that the next set is there before this one expires.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now.duration_since(self.loaded_at) >= self.lifetime / 5 * 4
    }

    pub(super) fn is_dead(&self, now: Instant, max_stale: Duration) -> bool {
        now.duration_since(self.loaded_at) > self.lifetime.saturating_add(max_stale)
    }
}
