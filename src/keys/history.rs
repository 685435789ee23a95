//! How the attempts went, and what the operator was told of it.

use std::sync::Arc;
use std::time::Duration;

use super::{Instant, LoadError};
use crate::jose::JwkSet;
use crate::jose::jwk_set::SkippedKey;

/// What is told of past attempts.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) attempts: u64,
    /// The number of the last attempt that is written down here.
    pub(super) last: u64,
    pub(super) failures: u64,
    pub(super) unchanged: u64,
    /// Of the last attempt.
    pub(super) last_error: Option<Arc<LoadError>>,
    /// Why the metadata is that of an earlier time.
    pub(super) metadata_error: Option<Arc<LoadError>>,
    pub(super) told_of_keys: Told,
    pub(super) told_of_metadata: Told,
    told_skips: Vec<SkippedKey>,
}

/// How bad things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Level {
    #[default]
    Good,
    /// An attempt failed, and what was there before is used.
    Worse,
    /// And there is nothing to use.
    Down,
}

/// What the log said last.
#[derive(Debug, Default)]
pub(super) struct Told {
    level: Level,
    text: String,
    at: Option<Instant>,
}

impl Told {
    /// Whether the operator should be told. Another text at the same level is no news for a while:
    /// a server may fail in another way each time.
    pub(super) fn is_news(&mut self, level: Level, text: &str, now: Instant) -> bool {
        const PAUSE: Duration = Duration::from_secs(300);
        let is_old = self.at.is_none_or(|at| now.duration_since(at) >= PAUSE);
        let is_news = level != self.level || (text != self.text && is_old);
        if is_news {
            *self = Self { level, text: text.to_owned(), at: Some(now) };
        }
        is_news
    }
}

impl History {
    pub(super) fn failed(&mut self, attempt: u64, error: Arc<LoadError>) {
        self.attempts += 1;
        self.last = attempt;
        self.failures += 1;
        self.last_error = Some(error);
    }

    /// `is_known` where it brought what was there already.
    pub(super) fn succeeded(&mut self, attempt: u64, is_known: bool) {
        self.attempts += 1;
        self.last = attempt;
        self.unchanged += u64::from(is_known);
        self.last_error = None;
    }

    /// The entries of a set that cannot be used and were not told of before; none once there were
    /// too many of them to remember.
    pub(super) fn new_skips(&mut self, set: &JwkSet) -> Vec<SkippedKey> {
        const MOST: usize = 500;
        let is_new = |skipped: &&SkippedKey| !self.told_skips.contains(skipped);
        let room = MOST.saturating_sub(self.told_skips.len());
        let new: Vec<_> = set.skipped().iter().filter(is_new).take(room).cloned().collect();
        self.told_skips.extend(new.iter().cloned());
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_told_at_once_and_how_it_is_said_once_in_five_minutes() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut told = Told::default();
        assert!(!told.is_news(Level::Good, "", start));
        assert!(told.is_news(Level::Worse, "a", start));
        assert!(!told.is_news(Level::Worse, "a", start + 1000 * second));
        assert!(told.is_news(Level::Worse, "b", start + 1000 * second));
        assert!(!told.is_news(Level::Worse, "c", start + 1299 * second));
        assert!(told.is_news(Level::Worse, "c", start + 1300 * second));
        assert!(told.is_news(Level::Down, "c", start + 1300 * second));
        assert!(told.is_news(Level::Good, "", start + 1300 * second));
        assert!(!told.is_news(Level::Good, "", start + 1300 * second));
    }
}
