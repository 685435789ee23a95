//! When the next attempt may start, and when it should. Pure bookkeeping over instants.

use std::time::Duration;

use super::Instant;

/// One attempt for unknown keys per this span, failures of any attempt counted.
const UNKNOWN_KEY_COOLDOWN: Duration = Duration::from_secs(10);
/// While there are no keys to judge by and requests ask for them.
const NO_KEYS_COOLDOWN: Duration = Duration::from_secs(1);
/// Longer than the deadlines of all steps of an attempt together. One that is not over then is not
/// driven by anybody: its runtime stands still, or a file does not answer.
pub(super) const LOST_AFTER: Duration = Duration::from_secs(30);

/// Why keys are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A request, and no keys to judge it by.
    NoKeys,
    /// A token whose key is not among those that are there.
    UnknownKey,
    /// It is time.
    Due,
    /// The program asked for it.
    Asked,
}

/// How long to pause after failures, without anybody asking: from `first`, twice as long each
/// time, to `longest`, and then up to a quarter more, so that many servers do not ask as one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) first: Duration,
    pub(super) longest: Duration,
}

impl Pace {
    /// Five minutes at the most.
    pub(super) const NETWORK: Self =
        Self { first: Duration::from_secs(10), longest: Duration::from_secs(240) };
    /// While nothing can be judged: service is there within two seconds of the server's return.
    const WITHOUT_KEYS: Self =
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(1) };
    pub(super) const FILE: Self =
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(4) };

    /// `chance` is within 0 to 1.
    fn after(self, failures: u32, chance: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(doubled).min(self.longest).mul_f64(1.0 + chance / 4.0)
    }
}

/// What there is to go on with after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Requests get 503 until an attempt is good.
    Nothing,
    KeysUntil(Instant),
    KeysForEver,
}

/// What has been tried so far.
#[derive(Debug)]
pub(super) struct Schedule {
    pace: Pace,
    begun: u64,
    over: u64,
    last_start: Option<Instant>,
    last_for_unknown_key: Option<Instant>,
    failures: u32,
    next: Option<Instant>,
    was_given_up: bool,
    /// Whether the attempt under way took the place of one that nobody drove.
    replaces_lost: bool,
}

impl Schedule {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            begun: 0,
            over: 0,
            last_start: None,
            last_for_unknown_key: None,
            failures: 0,
            next: None,
            was_given_up: false,
            replaces_lost: false,
        }
    }

    /// The attempt that is going on.
    pub(super) fn under_way(&self, now: Instant) -> Option<u64> {
        let is_lost = self.last_start.is_some_and(|start| now.duration_since(start) > LOST_AFTER);
        (self.begun > self.over && !is_lost).then_some(self.begun)
    }

    /// The number of a new attempt, if this is a reason for one at this time.
    pub(super) fn start(&mut self, cause: Cause, now: Instant) -> Option<u64> {
        if self.wait_for(cause, now) > Duration::ZERO {
            return None;
        }
        if cause == Cause::UnknownKey {
            self.last_for_unknown_key = Some(now);
        }
        self.last_start = Some(now);
        self.replaces_lost = self.begun > self.over;
        self.begun += 1;
        Some(self.begun)
    }

    /// How long until an attempt may start.
    pub(super) fn wait_for(&self, cause: Cause, now: Instant) -> Duration {
        let since = |last: Option<Instant>, span: Duration| {
            last.map_or(Duration::ZERO, |last| span.saturating_sub(now.duration_since(last)))
        };
        match cause {
            Cause::Asked => Duration::ZERO,
            Cause::NoKeys => since(self.last_start, NO_KEYS_COOLDOWN),
            Cause::UnknownKey => since(self.last_for_unknown_key, UNKNOWN_KEY_COOLDOWN),
            Cause::Due => self.next.map_or(Duration::ZERO, |next| next.duration_since(now)),
        }
    }

    /// Whether this attempt is neither over nor given up for a later one.
    pub(super) fn is_current(&self, attempt: u64) -> bool {
        attempt == self.begun && attempt > self.over
    }

    /// The attempt under way was good; the next is due then.
    pub(super) fn succeeded(&mut self, next: Option<Instant>) {
        self.failures = 0;
        self.was_given_up = false;
        self.next = next;
    }

    /// The attempt under way was not; when the next is due. Unknown keys wait for their turn too,
    /// so that a server in trouble is not asked more often than one that is well.
    pub(super) fn failed(&mut self, left: Left, chance: f64, now: Instant) -> Instant {
        self.failures = self.failures.saturating_add(1);
        self.last_for_unknown_key = self.last_for_unknown_key.max(self.last_start);
        let pace = if left == Left::Nothing { Pace::WITHOUT_KEYS } else { self.pace };
        let next = now + pace.after(self.failures, chance);
        let next = match left {
            // When they are gone, somebody has to notice.
            Left::KeysUntil(gone) => next.min(gone),
            Left::KeysForEver | Left::Nothing => next,
        };
        self.next = Some(next);
        next
    }

    /// Something is known that makes another attempt worthwhile, soon.
    pub(super) fn try_soon(&mut self, now: Instant) {
        let soon = now + self.pace.first;
        self.next = Some(self.next.map_or(soon, |next| next.min(soon)));
    }

    pub(super) fn over(&mut self, attempt: u64) {
        self.over = attempt;
    }

    /// Whether the last attempt was good, so that what it did not bring does not exist.
    pub(super) fn has_answer(&self) -> bool {
        self.failures == 0 && !self.was_given_up
    }

    /// The attempt under way came to nothing, and says nothing about the server.
    pub(super) fn given_up(&mut self) {
        self.was_given_up = true;
    }

    pub(super) fn replaces_lost(&self) -> bool {
        self.replaces_lost
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn schedule() -> (Schedule, Instant) {
        (Schedule::new(Pace::NETWORK), Instant::now())
    }

    /// An attempt that fails at once.
    fn fail(schedule: &mut Schedule, cause: Cause, now: Instant) -> bool {
        let Some(attempt) = schedule.start(cause, now) else { return false };
        schedule.failed(Left::KeysForEver, 0.0, now);
        schedule.over(attempt);
        true
    }

    #[test]
    fn avail_04_one_attempt_for_unknown_keys_per_ten_seconds() {
        let (mut schedule, start) = schedule();
        assert_eq!(schedule.start(Cause::UnknownKey, start), Some(1));
        assert_eq!(schedule.start(Cause::UnknownKey, start + 9 * SECOND), None);
        assert_eq!(schedule.wait_for(Cause::UnknownKey, start + 9 * SECOND), SECOND);
        assert_eq!(schedule.start(Cause::UnknownKey, start + 10 * SECOND), Some(2));
    }

    #[test]
    fn avail_04_failures_of_any_attempt_count() {
        let (mut schedule, start) = schedule();
        assert!(fail(&mut schedule, Cause::Asked, start));
        assert!(!fail(&mut schedule, Cause::UnknownKey, start + 9 * SECOND));
        assert!(fail(&mut schedule, Cause::UnknownKey, start + 10 * SECOND));
    }

    #[test]
    fn the_first_load_does_not_use_up_the_budget() {
        let (mut schedule, start) = schedule();
        assert_eq!(schedule.start(Cause::NoKeys, start), Some(1));
        assert_eq!(schedule.start(Cause::NoKeys, start), None);
        schedule.succeeded(None);
        schedule.over(1);
        assert_eq!(schedule.start(Cause::UnknownKey, start), Some(2));
        assert_eq!(schedule.start(Cause::NoKeys, start + SECOND), Some(3));
    }

    #[test]
    fn pauses_after_failures_grow_to_five_minutes_and_end_with_the_first_success() {
        let (mut schedule, start) = schedule();
        let mut now = start;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            assert!(fail(&mut schedule, Cause::Due, now));
            let pause = schedule.wait_for(Cause::Due, now);
            assert!(!fail(&mut schedule, Cause::Due, now + pause - SECOND));
            pauses.push(pause.as_secs());
            now += pause;
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 240, 240]);
        assert_eq!(schedule.failed(Left::KeysForEver, 1.0, now), now + 300 * SECOND);
        assert!(!schedule.has_answer());
        schedule.succeeded(Some(now + SECOND));
        assert!(schedule.has_answer());
        assert_eq!(schedule.wait_for(Cause::Due, now), SECOND);
        assert!(fail(&mut schedule, Cause::Asked, now));
        assert_eq!(schedule.wait_for(Cause::Due, now), 10 * SECOND);
    }

    #[test]
    fn avail_01_without_keys_pauses_do_not_grow() {
        let (mut schedule, now) = schedule();
        for _ in 0..10 {
            assert_eq!(schedule.failed(Left::Nothing, 0.0, now), now + SECOND);
        }
        assert_eq!(schedule.failed(Left::Nothing, 1.0, now), now + SECOND * 5 / 4);
    }

    #[test]
    fn the_end_of_the_keys_that_are_left_is_not_slept_through() {
        let (mut schedule, now) = schedule();
        let soon = now + 3 * SECOND;
        assert_eq!(schedule.failed(Left::KeysUntil(soon), 0.0, now), soon);
        let late = now + 3000 * SECOND;
        assert_eq!(schedule.failed(Left::KeysUntil(late), 0.0, now), now + 20 * SECOND);
    }

    #[test]
    fn an_attempt_that_is_worthwhile_comes_soon_and_never_later_than_it_was_due() {
        let (mut schedule, now) = schedule();
        schedule.succeeded(Some(now + 480 * SECOND));
        schedule.try_soon(now);
        assert_eq!(schedule.next(), Some(now + 10 * SECOND));
        schedule.try_soon(now + SECOND);
        assert_eq!(schedule.next(), Some(now + 10 * SECOND));
    }

    #[test]
    fn any_number_of_failures_is_possible() {
        assert_eq!(Pace::NETWORK.after(u32::MAX, 1.0), 300 * SECOND);
        assert_eq!(Pace::FILE.after(u32::MAX, 1.0), 5 * SECOND);
    }

    #[test]
    fn an_attempt_that_nobody_drives_is_given_up() {
        let (mut schedule, start) = schedule();
        schedule.start(Cause::Asked, start);
        assert_eq!(schedule.under_way(start + LOST_AFTER), Some(1));
        let late = start + LOST_AFTER + SECOND;
        assert_eq!(schedule.under_way(late), None);
        assert!(!schedule.replaces_lost());
        schedule.start(Cause::Asked, late);
        assert!(schedule.replaces_lost());
        assert!(!schedule.is_current(1));
        assert!(schedule.is_current(2));
    }
}
