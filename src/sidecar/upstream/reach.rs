//! Lines for the operator about a service that cannot be reached.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The next line comes after this time at the earliest: each request would have the same to tell.
const EVERY: Duration = Duration::from_secs(300);

/// One for all workers.
pub(super) static REACH: Reach = Reach::new();

/// Whether connections can be made. Told when it changes; nothing is told for each request.
pub(super) struct Reach {
    is_lost: AtomicBool,
    told: Mutex<Option<Instant>>,
}

impl Reach {
    const fn new() -> Self {
        Self { is_lost: AtomicBool::new(false), told: Mutex::new(None) }
    }

    /// No connection could be made.
    pub(super) fn lost(&self, why: &dyn fmt::Display) {
        if self.is_due(Instant::now()) {
            tracing::warn!(
                "the upstream cannot be reached, requests are answered with 502 or 504: {why}"
            );
            self.is_lost.store(true, Ordering::Relaxed);
        }
    }

    /// One was made.
    pub(super) fn found(&self) {
        if self.is_lost.load(Ordering::Relaxed) && self.is_lost.swap(false, Ordering::Relaxed) {
            tracing::info!("the upstream can be reached again");
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.is_none_or(|last| now.saturating_duration_since(last) >= EVERY);
        if is_due {
            *told = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_in_a_while() {
        let (reach, start) = (Reach::new(), Instant::now());
        assert!(reach.is_due(start));
        assert!(!reach.is_due(start + EVERY / 2));
        assert!(reach.is_due(start + EVERY));
        assert!(!reach.is_due(start + EVERY));
    }
}
