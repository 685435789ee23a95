//! What is known about tokens that were asked about, and the questions under way.
//!
//! What is kept here is not judged here: whoever looks something up says how long it may be kept.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::flights::{Boarding, Flights, Seat};
use crate::token_cache::{Fingerprint, Fingerprints};

/// What an entry may weigh on average. Bytes.
const AVERAGE_BYTES: u32 = 2048;

/// Nothing is kept for longer.
const LONGEST: Duration = Duration::from_secs(60);

/// Questions under way, most of which wait for their turn.
const MOST_FLIGHTS: usize = 1024;

/// What was found out about a token, and for how long that may be kept.
pub(crate) struct Finding<V> {
    pub(crate) value: V,
    pub(crate) keep: Duration,
    /// What it takes in memory, roughly.
    pub(crate) bytes: usize,
}

/// A bounded memory of findings, by token.
pub(crate) struct Lookups<V> {
    fingerprints: Fingerprints,
    /// `None` where nothing is to be kept.
    known: Option<Cache<Fingerprint, Known<V>>>,
    flights: Arc<Flights<Fingerprint, Arc<V>>>,
}

struct Known<V> {
    value: Arc<V>,
    until: Instant,
    bytes: u32,
}

impl<V> Clone for Known<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), until: self.until, bytes: self.bytes }
    }
}

/// What there is about a token.
pub(crate) enum LookUp<V> {
    Known(Arc<V>),
    Wait(Seat<Arc<V>>),
    /// Nothing, and nobody can be asked.
    NotNow,
}

impl<V: Send + Sync + 'static> Lookups<V> {
    /// With room for so many tokens, 2 KiB each on average; 0 keeps none. `None` where the system
    /// gives no random numbers.
    pub(crate) fn new(entries: usize) -> Option<Self> {
        let bytes = u64::try_from(entries).unwrap_or(u64::MAX).saturating_mul(AVERAGE_BYTES.into());
        let cache = || {
            Cache::builder()
                .max_capacity(bytes)
                .weigher(|_, known: &Known<V>| known.bytes.max(AVERAGE_BYTES))
                .time_to_live(LONGEST)
                // Tokens that are made up must not keep good ones out, which a policy that counts
                // would let them do.
                .eviction_policy(EvictionPolicy::lru())
                .build()
        };
        Some(Self {
            fingerprints: Fingerprints::new()?,
            known: (entries > 0).then(cache),
            flights: Arc::new(Flights::new(MOST_FLIGHTS)),
        })
    }

    /// What is known about a token.
    pub(crate) fn known(&self, token: &[u8]) -> Option<Arc<V>> {
        get(self.known.as_ref()?, self.fingerprints.of(token)?)
    }

    /// What is known about a token; if it is nothing, `ask` finds it out.
    pub(crate) fn look_up<F>(&self, token: &[u8], ask: impl FnOnce() -> F) -> LookUp<V>
    where
        F: Future<Output = Finding<V>> + Send + 'static,
    {
        let Some(fingerprint) = self.fingerprints.of(token) else { return LookUp::NotNow };
        let known = || get(self.known.as_ref()?, fingerprint);
        if let Some(value) = known() {
            return LookUp::Known(value);
        }
        let Ok(runtime) = Handle::try_current() else { return LookUp::NotNow };
        let boarding = self.flights.board(&runtime, fingerprint, known, || {
            let (memory, question) = (self.known.clone(), ask());
            async move {
                let Finding { value, keep, bytes } = question.await;
                let value = Arc::new(value);
                if let Some(memory) = memory.filter(|_| !keep.is_zero()) {
                    let until = Instant::now() + keep.min(LONGEST);
                    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                    memory.insert(fingerprint, Known { value: Arc::clone(&value), until, bytes });
                }
                value
            }
        });
        match boarding {
            Boarding::Wait(seat) => LookUp::Wait(seat),
            Boarding::There(value) => LookUp::Known(value),
            Boarding::Full => LookUp::NotNow,
        }
    }
}

fn get<V: Send + Sync + 'static>(
    known: &Cache<Fingerprint, Known<V>>,
    fingerprint: Fingerprint,
) -> Option<Arc<V>> {
    let known = known.get(&fingerprint)?;
    (Instant::now() < known.until).then_some(known.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(value: u8, seconds: u64) -> Finding<u8> {
        Finding { value, keep: Duration::from_secs(seconds), bytes: 1 }
    }

    async fn ask(lookups: &Lookups<u8>, token: &str, finding: Finding<u8>) -> u8 {
        match lookups.look_up(token.as_bytes(), || async { finding }) {
            LookUp::Known(value) => *value,
            LookUp::Wait(seat) => *seat.landed().await.unwrap(),
            LookUp::NotNow => panic!("nobody can be asked"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn intro_10_findings_are_kept_as_long_as_they_may_be_and_a_minute_at_most() {
        let lookups = Lookups::new(10).unwrap();
        for (token, seconds, kept) in [("a", 3, 3), ("b", 60, 60), ("c", 3600, 60)] {
            assert_eq!(ask(&lookups, token, finding(1, seconds)).await, 1);
            tokio::time::advance(Duration::from_millis(kept * 1000 - 1)).await;
            assert_eq!(ask(&lookups, token, finding(2, 60)).await, 1, "{token}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert_eq!(ask(&lookups, token, finding(2, 60)).await, 2, "{token}");
        }
    }

    #[tokio::test]
    async fn what_may_not_be_kept_reaches_those_who_wait_for_it_all_the_same() {
        for entries in [0, 10] {
            let lookups = Lookups::new(entries).unwrap();
            for value in 0..3 {
                assert_eq!(ask(&lookups, "a", finding(value, 0)).await, value);
            }
            assert_eq!(ask(&lookups, "b", finding(7, 60)).await, 7);
            assert_eq!(lookups.known(b"b").is_some(), entries > 0);
        }
    }

    #[tokio::test]
    async fn intro_10_any_number_of_tokens_takes_bounded_memory() {
        let lookups = Lookups::new(10).unwrap();
        for number in 0..200 {
            ask(&lookups, &number.to_string(), finding(1, 60)).await;
        }
        let known = lookups.known.as_ref().unwrap();
        known.run_pending_tasks();
        assert!(known.weighted_size() <= 10 * u64::from(AVERAGE_BYTES));
        assert!(lookups.known(b"199").is_some(), "the last ones stay");
    }

    #[test]
    fn without_a_runtime_nobody_is_asked() {
        let lookups = Lookups::new(10).unwrap();
        let asked = lookups.look_up(b"a", || async { finding(1, 1) });
        assert!(matches!(asked, LookUp::NotNow));
    }
}
