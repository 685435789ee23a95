//! Tells the operator when questions begin to fail, and when they are answered again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::fault::Fault;

/// Other words for a trouble that lasts are not worth more lines than this.
const QUIET: Duration = Duration::from_secs(5 * 60);
/// Nor is a trouble that comes and goes, as it may depend on the token.
const SOON: Duration = Duration::from_secs(60);

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Alarm(Mutex<Option<Told>>);

#[derive(Debug)]
struct Told {
    lasts: bool,
    text: String,
    at: Instant,
}

impl Alarm {
    pub(super) fn well(&self, issuer: &str) {
        if self.is_over() {
            tracing::info!(issuer, "tokens are introspected again");
        }
    }

    pub(super) fn failed(&self, issuer: &str, fault: &Fault) {
        let text = fault.to_string();
        if !self.is_news(&text, Instant::now()) {
            return;
        }
        if fault.needs_somebody() {
            tracing::error!(issuer, "tokens cannot be introspected: {text}");
        } else {
            tracing::warn!(issuer, "tokens cannot be introspected: {text}");
        }
    }

    fn is_over(&self) -> bool {
        let mut told = self.lock();
        told.as_mut().is_some_and(|told| std::mem::take(&mut told.lasts))
    }

    fn is_news(&self, text: &str, now: Instant) -> bool {
        let mut told = self.lock();
        let is_news = told.as_ref().is_none_or(|told| {
            let (is_same, age) = (told.text == text, now.duration_since(told.at));
            if told.lasts { !is_same && age >= QUIET } else { !is_same || age >= SOON }
        });
        if is_news {
            *told = Some(Told { lasts: true, text: text.to_owned(), at: now });
        }
        is_news
    }

    fn lock(&self) -> MutexGuard<'_, Option<Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f41_what_begins_is_told_at_once_and_what_lasts_once() {
        let (alarm, now) = (Alarm::default(), Instant::now());
        assert!(!alarm.is_over());
        assert!(alarm.is_news("a", now));
        assert!(!alarm.is_news("a", now + QUIET));
        assert!(!alarm.is_news("b", now + QUIET / 2));
        assert!(alarm.is_news("b", now + QUIET));
        assert!(alarm.is_over());
        assert!(!alarm.is_over());
        // It comes and goes.
        assert!(!alarm.is_news("b", now + QUIET));
        assert!(!alarm.is_over(), "what was not told is not told to be over");
        assert!(alarm.is_news("c", now + QUIET));
        assert!(alarm.is_over());
        assert!(alarm.is_news("c", now + QUIET + SOON));
    }
}
