//! How long requests took, of one thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a bucket holds at most. The last one has no such bound and is not listed.
pub(super) const BOUNDS: [Duration; 18] = [
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

pub(super) const BUCKETS: usize = BOUNDS.len() + 1;

/// Counts of one thread, which alone writes to them.
#[derive(Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    /// Enough for 584 years of requests.
    nanoseconds: AtomicU64,
}

/// The histograms of all threads together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::sidecar) struct Durations {
    /// Not cumulative.
    pub(super) buckets: [u64; BUCKETS],
    pub(super) total: Duration,
}

impl Histogram {
    pub(super) fn observe(&self, took: Duration) {
        let bucket = BOUNDS.iter().position(|bound| took <= *bound).unwrap_or(BOUNDS.len());
        if let Some(bucket) = self.buckets.get(bucket) {
            add(bucket, 1);
        }
        add(&self.nanoseconds, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(super) fn add_to(&self, sum: &mut Durations) {
        for (sum, bucket) in sum.buckets.iter_mut().zip(&self.buckets) {
            *sum += bucket.load(Ordering::Relaxed);
        }
        sum.total += Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed));
    }
}

/// Adds to a count of the own thread. Nothing can come between the two steps, as there is one
/// writer; a single step would lock the line.
pub(super) fn add(count: &AtomicU64, number: u64) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(number), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(durations: &[Duration]) -> Durations {
        let histogram = Histogram::default();
        durations.iter().for_each(|took| histogram.observe(*took));
        let mut sum = Durations::default();
        histogram.add_to(&mut sum);
        sum
    }

    #[test]
    fn bounds_rise_from_100_microseconds_to_a_minute() {
        assert!(BOUNDS.is_sorted_by(|one, other| one < other));
        assert_eq!(BOUNDS[0], Duration::from_micros(100));
        assert_eq!(BOUNDS[BOUNDS.len() - 1], Duration::from_secs(60));
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let step = Duration::from_nanos(1);
        for (at, bound) in BOUNDS.into_iter().enumerate() {
            let sum = observed(&[bound, bound + step]);
            assert_eq!((sum.buckets[at], sum.buckets[at + 1]), (1, 1), "{bound:?}");
            assert_eq!(sum.buckets.iter().sum::<u64>(), 2);
            assert_eq!(sum.total, bound + bound + step);
        }
        assert_eq!(observed(&[Duration::ZERO]).buckets[0], 1);
        assert_eq!(observed(&[Duration::MAX]).buckets[BOUNDS.len()], 1);
    }
}
