//! The counts of all threads at one moment.

use super::histogram::Durations;
use super::outcome::{Class, Outcome, table};
use super::shard::Shard;

/// How many requests have ended how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sidecar) struct Counts(pub(super) [u64; Outcome::COUNT]);

impl Default for Counts {
    fn default() -> Self {
        Self(table())
    }
}

impl Counts {
    pub(in crate::sidecar) fn of(&self, outcome: Outcome) -> u64 {
        self.0.get(outcome.index()).copied().unwrap_or_default()
    }

    pub(in crate::sidecar) fn of_class(&self, class: Class) -> u64 {
        Outcome::all().filter(|one| one.class() == class).map(|one| self.of(one)).sum()
    }

    /// What these are more than `before`.
    pub(super) fn without(&self, before: &Self) -> Self {
        let mut more = self.clone();
        for (count, before) in more.0.iter_mut().zip(before.0) {
            *count = count.saturating_sub(before);
        }
        more
    }
}

/// The counts of all threads together, since the start.
#[derive(Debug, Default)]
pub(in crate::sidecar) struct Reading {
    pub(in crate::sidecar) requests: Counts,
    pub(super) durations: [Durations; Class::ALL.len()],
    /// Requests that are being answered.
    pub(in crate::sidecar) in_flight: usize,
}

impl Reading {
    pub(super) fn durations(&self, class: Class) -> Durations {
        self.durations.get(class as usize).copied().unwrap_or_default()
    }
}

impl<'a> FromIterator<&'a Shard> for Reading {
    fn from_iter<I: IntoIterator<Item = &'a Shard>>(shards: I) -> Self {
        let mut sum = Self::default();
        for shard in shards {
            shard.add_requests_to(&mut sum.requests.0);
            shard.add_durations_to(&mut sum.durations);
            sum.in_flight += shard.open();
        }
        sum
    }
}
