//! Key identifiers that were asked for and are not there.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use moka::sync::Cache;

use super::Instant;

/// Long enough that one client with an old token does not use up the budget of all others; short
/// enough for a server that signs with a key before it publishes it.
const REMEMBERED: Duration = Duration::from_secs(30);
const CAPACITY: u64 = 10_000;

/// Identifiers of keys that an attempt was made for. A token that names one of them again does not
/// cause another, and does not wait.
#[derive(Debug)]
pub(super) struct AbsentKeys {
    /// By a hash that nobody outside can predict: identifiers may be as long as a token.
    asked: Cache<u64, Asked, RandomState>,
    hasher: RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    /// The first attempt that began after the question, and so speaks for it.
    answered_by: u64,
    until: Instant,
}

impl AbsentKeys {
    pub(super) fn new() -> Self {
        let hasher = RandomState::new();
        let asked = Cache::builder().max_capacity(CAPACITY).build_with_hasher(hasher.clone());
        Self { asked, hasher }
    }

    /// This key is not among those that are there, and the attempt of that number will tell
    /// whether there is one.
    pub(super) fn note(&self, kid: &str, answered_by: u64, now: Instant) {
        let hash = self.hasher.hash_one(kid);
        if self.asked.get(&hash).is_none_or(|asked| asked.until <= now) {
            self.asked.insert(hash, Asked { answered_by, until: now + REMEMBERED });
        }
    }

    /// Whether an attempt that speaks for this key was good, the last good one having the number
    /// `answered`: if so, a key that is not among those that are there does not exist.
    pub(super) fn is_answered(&self, kid: &str, answered: u64, now: Instant) -> bool {
        let asked = self.asked.get(&self.hasher.hash_one(kid));
        asked.is_some_and(|asked| answered >= asked.answered_by && now < asked.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_absent_once_an_attempt_that_began_after_the_question_is_over() {
        let now = Instant::now();
        let absent = AbsentKeys::new();
        assert!(!absent.is_answered("k", 7, now));
        absent.note("k", 8, now);
        assert!(!absent.is_answered("k", 7, now));
        assert!(absent.is_answered("k", 8, now));
        assert!(absent.is_answered("k", 9, now));
        assert!(!absent.is_answered("K", 9, now));
        // The first question counts, until it is forgotten.
        absent.note("k", 10, now + REMEMBERED / 2);
        assert!(absent.is_answered("k", 9, now + REMEMBERED / 2));
        assert!(!absent.is_answered("k", 9, now + REMEMBERED));
        absent.note("k", 10, now + REMEMBERED);
        assert!(!absent.is_answered("k", 9, now + REMEMBERED));
        assert!(absent.is_answered("k", 10, now + REMEMBERED));
    }

    #[test]
    fn any_number_of_keys_takes_bounded_memory() {
        let now = Instant::now();
        let absent = AbsentKeys::new();
        for number in 0..10 * CAPACITY {
            absent.note(&number.to_string(), 1, now);
        }
        absent.asked.run_pending_tasks();
        assert!(absent.asked.entry_count() <= CAPACITY);
    }
}
