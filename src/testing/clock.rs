//! A clock that tests set.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::Clock;

/// A clock that stands still until it is told otherwise. Clones show the same time.
///
/// ```
/// use std::time::Duration;
/// use portcullis::{Clock, testing::ManualClock};
///
/// let clock = ManualClock::new();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), start + Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Reading>>);

#[derive(Debug, Clone, Copy)]
enum Reading {
    Still(SystemTime),
    /// The system's clock and how far this one is ahead of it.
    Ahead(Duration),
}

impl ManualClock {
    /// A clock that stands still at the present second, so that `iat` and `exp`, which count whole
    /// seconds, are exact.
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::at(UNIX_EPOCH + Duration::from_secs(since.as_secs()))
    }

    /// A clock that stands still at `time`.
    pub fn at(time: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(Reading::Still(time))))
    }

    /// A clock that runs with the system's. For servers that live longer than a test.
    pub fn running() -> Self {
        Self(Arc::new(Mutex::new(Reading::Ahead(Duration::ZERO))))
    }

    /// Puts the clock forward; a running one runs on from there. Past the platform's last instant
    /// nothing happens.
    pub fn advance(&self, by: Duration) {
        let mut reading = self.lock();
        let advanced = match *reading {
            Reading::Still(time) => time.checked_add(by).map(Reading::Still),
            Reading::Ahead(ahead) => ahead.checked_add(by).map(Reading::Ahead),
        };
        if let Some(advanced) = advanced {
            *reading = advanced;
        }
    }

    /// Sets the clock, forward or back, and stops it there.
    pub fn set(&self, time: SystemTime) {
        *self.lock() = Reading::Still(time);
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        match *self.lock() {
            Reading::Still(time) => time,
            Reading::Ahead(ahead) => {
                let now = SystemTime::now();
                now.checked_add(ahead).unwrap_or(now)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn clones_show_the_same_time() {
        let clock = ManualClock::at(UNIX_EPOCH);
        let other = clock.clone();
        clock.advance(HOUR);
        assert_eq!(other.now(), UNIX_EPOCH + HOUR);
        other.set(UNIX_EPOCH);
        assert_eq!(clock.now(), UNIX_EPOCH);
    }

    #[test]
    fn it_stands_still_at_a_whole_second() {
        let clock = ManualClock::new();
        let now = clock.now();
        assert_eq!(now.duration_since(UNIX_EPOCH).unwrap().subsec_nanos(), 0);
        assert!(now <= SystemTime::now());
        assert_eq!(clock.now(), now);
    }

    #[test]
    fn a_running_clock_keeps_its_lead() {
        let clock = ManualClock::running();
        clock.advance(HOUR);
        let lead = clock.now().duration_since(SystemTime::now()).unwrap();
        assert!(lead > HOUR - Duration::from_secs(60) && lead <= HOUR);
    }

    #[test]
    fn the_end_of_time_is_not_passed() {
        for clock in [ManualClock::new(), ManualClock::running()] {
            clock.advance(Duration::MAX);
            clock.advance(HOUR);
            clock.now();
        }
    }
}
