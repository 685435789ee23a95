//! What there was some minutes ago, to be told apart from what came since.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::reading::Counts;

/// Between two samples.
pub(super) const EVERY: Duration = Duration::from_secs(15);
/// As far back as one can look.
pub(super) const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Counts of the last minutes, the oldest first.
#[derive(Default)]
pub(super) struct Recent {
    samples: VecDeque<(Instant, Counts)>,
}

impl Recent {
    pub(super) fn sample(&mut self, now: Instant, counts: Counts) {
        // One that is old enough is enough.
        while self.samples.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= LONGEST) {
            self.samples.pop_front();
        }
        self.samples.push_back((now, counts));
    }

    /// What was counted so long ago: in the youngest sample that is as old as that. None where
    /// counting began later.
    pub(super) fn before(&self, ago: Duration, now: Instant) -> Option<&Counts> {
        let ago = ago.min(LONGEST);
        let is_old = |(at, _): &&(Instant, Counts)| now.duration_since(*at) >= ago;
        self.samples.iter().rev().find(is_old).map(|(_, counts)| counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(number: u64) -> Counts {
        let mut counts = Counts::default();
        counts.0[0] = number;
        counts
    }

    /// One sample each 15 seconds, which says how many there were before.
    #[test]
    fn the_youngest_sample_that_is_old_enough() {
        let (start, minute) = (Instant::now(), Duration::from_secs(60));
        let mut recent = Recent::default();
        assert_eq!(recent.before(minute, start), None);
        for number in 0..=400 {
            recent.sample(start + EVERY * number, counts(number.into()));
        }
        let now = start + EVERY * 400;
        assert_eq!(recent.before(Duration::ZERO, now), Some(&counts(400)));
        assert_eq!(recent.before(minute, now), Some(&counts(396)));
        assert_eq!(
            recent.before(minute, now + EVERY - Duration::from_nanos(1)),
            Some(&counts(396))
        );
        assert_eq!(recent.before(minute, now + EVERY), Some(&counts(397)));
        assert_eq!(recent.before(minute * 15, now), Some(&counts(340)));
        assert_eq!(recent.before(minute * 1000, now), Some(&counts(340)));
        assert_eq!(recent.samples.len(), 61);
    }

    #[test]
    fn before_the_first_sample_there_was_nothing() {
        let start = Instant::now();
        let mut recent = Recent::default();
        recent.sample(start, counts(0));
        assert_eq!(recent.before(EVERY, start + EVERY / 2), None);
        assert_eq!(recent.before(EVERY, start + EVERY), Some(&counts(0)));
    }

    /// After a pause in which nobody took samples.
    #[test]
    fn an_old_sample_serves_until_there_is_a_younger_one() {
        let start = Instant::now();
        let mut recent = Recent::default();
        recent.sample(start, counts(1));
        recent.sample(start + EVERY, counts(2));
        let later = start + LONGEST * 3;
        recent.sample(later, counts(3));
        assert_eq!(recent.before(LONGEST, later), Some(&counts(2)));
        assert_eq!(recent.before(Duration::ZERO, later), Some(&counts(3)));
    }
}
