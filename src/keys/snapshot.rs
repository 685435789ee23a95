//! A good key set and its age.

use std::time::Duration;

use super::{Instant, Loaded};
use crate::jose::JwkSet;

/// A good key set and its age.
#[derive(Debug)]
pub(crate) struct KeySnapshot {
    pub(super) loaded: Loaded,
    /// When this process got it, and how old it was then.
    at: Instant,
    age_then: Duration,
}

impl KeySnapshot {
    pub(super) fn new(loaded: Loaded, at: Instant, age_then: Duration) -> Self {
        Self { loaded, at, age_then }
    }

    pub(crate) fn set(&self) -> &JwkSet {
        &self.loaded.set
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.duration_since(self.at).saturating_add(self.age_then)
    }

    /// `None` is never, here and below.
    pub(super) fn expires(&self) -> Option<Instant> {
        self.when_aged(self.loaded.lifetime)
    }

    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        self.expires().is_none_or(|expires| now < expires)
    }

    pub(super) fn dies(&self, max_stale: Duration) -> Option<Instant> {
        self.when_aged(self.loaded.lifetime.saturating_add(max_stale))
    }

    /// At four fifths of the lifetime, so that the next set is there before this one expires; up
    /// to a twentieth of it sooner or later, so that many servers do not ask at the same time.
    /// `chance` is within 0 to 1.
    pub(super) fn due(&self, chance: f64) -> Option<Instant> {
        let share = 0.75 + chance / 10.0;
        let age = self.loaded.lifetime.as_secs_f64() * share;
        Duration::try_from_secs_f64(age).ok().and_then(|age| self.when_aged(age))
    }

    fn when_aged(&self, age: Duration) -> Option<Instant> {
        self.at.checked_add(age.saturating_sub(self.age_then))
    }
}
