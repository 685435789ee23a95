//! When the next fetch may start. Pure bookkeeping over instants; the store holds the lock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::LoadError;

/// One fetch for unknown keys per this span, failures counted.
const UNKNOWN_KEY_COOLDOWN: Duration = Duration::from_secs(10);
/// While no key was ever had.
const FIRST_LOAD_COOLDOWN: Duration = Duration::from_secs(1);
/// Between attempts to refresh ahead of expiry, after one that failed.
const RETRY_COOLDOWN: Duration = Duration::from_secs(10);

/// What has been tried so far.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    attempts: u64,
    last_attempt: Option<Instant>,
    last_for_unknown_key: Option<Instant>,
    last_error: Option<Arc<LoadError>>,
}

impl Schedule {
    pub(super) fn last_failed(&self) -> bool {
        self.last_error.is_some()
    }

    pub(super) fn last_error(&self) -> Option<Arc<LoadError>> {
        self.last_error.clone()
    }

    pub(super) fn started(&mut self, now: Instant) {
        self.attempts += 1;
        self.last_attempt = Some(now);
    }

    /// The number of the attempt that started last.
    pub(super) fn attempt(&self) -> u64 {
        self.attempts
    }

    /// Whether that changes anything: one that was given up for a later one no longer counts.
    pub(super) fn finished(&mut self, attempt: u64, outcome: Result<(), Arc<LoadError>>) -> bool {
        let counts = attempt == self.attempts;
        if counts {
            self.last_error = outcome.err();
        }
        counts
    }

    /// Takes the budget for unknown keys, or says how long until there is one.
    pub(super) fn take_for_unknown_key(&mut self, now: Instant) -> Result<(), Duration> {
        wait(self.last_for_unknown_key, UNKNOWN_KEY_COOLDOWN, now)?;
        self.last_for_unknown_key = Some(now);
        Ok(())
    }

    /// How long until there is a budget for unknown keys.
    pub(super) fn unknown_key_wait(&self, now: Instant) -> Duration {
        wait(self.last_for_unknown_key, UNKNOWN_KEY_COOLDOWN, now).err().unwrap_or_default()
    }

    pub(super) fn may_load_first(&self, now: Instant) -> Result<(), Duration> {
        wait(self.last_attempt, FIRST_LOAD_COOLDOWN, now)
    }

    pub(super) fn may_refresh(&self, now: Instant) -> Result<(), Duration> {
        let cooldown = if self.last_failed() { RETRY_COOLDOWN } else { Duration::ZERO };
        wait(self.last_attempt, cooldown, now)
    }
}

fn wait(last: Option<Instant>, cooldown: Duration, now: Instant) -> Result<(), Duration> {
    let elapsed = last.map_or(cooldown, |last| now.duration_since(last));
    match cooldown.checked_sub(elapsed) {
        None | Some(Duration::ZERO) => Ok(()),
        Some(rest) => Err(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avail_04_one_fetch_for_unknown_keys_per_ten_seconds() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        assert_eq!(schedule.take_for_unknown_key(start), Ok(()));
        let early = start + Duration::from_secs(9);
        assert_eq!(schedule.take_for_unknown_key(early), Err(Duration::from_secs(1)));
        assert_eq!(schedule.take_for_unknown_key(start + UNKNOWN_KEY_COOLDOWN), Ok(()));
    }

    #[test]
    fn the_first_load_does_not_use_up_the_budget() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        assert_eq!(schedule.may_load_first(start), Ok(()));
        schedule.started(start);
        assert!(schedule.may_load_first(start).is_err());
        assert_eq!(schedule.may_load_first(start + FIRST_LOAD_COOLDOWN), Ok(()));
        assert_eq!(schedule.take_for_unknown_key(start), Ok(()));
    }
}
