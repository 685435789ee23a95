//! One fetch at a time, and nobody overlooks its end.
//!
//! Attempts are numbered. Who needs keys asks for an attempt and either starts one, joins the one
//! under way, or is told to come back later. An attempt ends once: what it brought is published
//! first, under the lock, and then those who wait for its number are woken. So whoever finds no
//! attempt under way has either seen the news or is told that there is some.

use super::Instant;
use super::schedule::{Cause, Schedule};
use super::sync::{Mutex, lock, watch};

/// The attempts to load one issuer's keys.
#[derive(Debug)]
pub(super) struct Flights {
    schedule: Mutex<Schedule>,
    /// The number of the last attempt that is over.
    landed: watch::Sender<u64>,
}

/// What becomes of the wish for newer keys.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Boarding<E> {
    /// The caller has to carry out this attempt.
    Start(u64),
    /// This attempt is under way.
    Join(u64),
    /// What is there now has not been seen by the caller.
    News,
    /// Not now, and why.
    NotNow(E),
}

impl Flights {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self { schedule: Mutex::new(schedule), landed: watch::Sender::new(0) }
    }

    /// Asks for an attempt. `is_news` tells whether there are keys that the caller has not seen.
    pub(super) fn board<E>(
        &self,
        cause: Cause,
        now: Instant,
        is_news: impl FnOnce() -> bool,
        not_now: impl FnOnce(&Schedule) -> E,
    ) -> Boarding<E> {
        let mut schedule = lock(&self.schedule);
        if let Some(attempt) = schedule.under_way(now) {
            return Boarding::Join(attempt);
        }
        if is_news() {
            return Boarding::News;
        }
        match schedule.start(cause, now) {
            Some(attempt) => Boarding::Start(attempt),
            None => Boarding::NotNow(not_now(&schedule)),
        }
    }

    /// The end of an attempt: `publish` makes public what it brought and writes down how it went.
    /// Whether that counted: one that was given up for a later one changes nothing.
    pub(super) fn land(&self, attempt: u64, publish: impl FnOnce(&mut Schedule)) -> bool {
        let mut schedule = lock(&self.schedule);
        if !schedule.is_current(attempt) {
            return false;
        }
        publish(&mut schedule);
        schedule.over(attempt);
        drop(schedule);
        // In the meantime a later attempt may have ended, whose number must not be overwritten.
        self.landed.send_if_modified(|landed| {
            let is_later = *landed < attempt;
            *landed = attempt.max(*landed);
            is_later
        });
        true
    }

    pub(super) fn look<T>(&self, at: impl FnOnce(&Schedule) -> T) -> T {
        at(&lock(&self.schedule))
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Schedule)) {
        change(&mut lock(&self.schedule));
    }

    /// For waiting until the number of an attempt shows up.
    pub(super) fn arrivals(&self) -> watch::Receiver<u64> {
        self.landed.subscribe()
    }
}
