//! The end of an attempt: what it brought is taken into use, or not, and told to the operator.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::history::Troubles;
use super::shared::Shared;
use super::snapshot::KeySnapshot;
use super::sync::lock;
use super::{Instant, LoadError, Loaded, chance, report};

/// After an attempt that was given up, before a request starts another ahead of expiry.
const PAUSE: Duration = Duration::from_secs(1);

/// Writes down how an attempt ended, whichever way it did.
pub(super) struct Landing<'a> {
    shared: &'a Shared,
    attempt: u64,
    #[cfg(feature = "metrics")]
    departed: Instant,
    result: Result<Loaded, LoadError>,
}

impl<'a> Landing<'a> {
    /// An attempt that does not come to its end by a panic has failed. One that is dropped with its
    /// runtime says nothing about the authorization server, and is as if it had not been.
    pub(super) fn of(shared: &'a Shared, attempt: u64) -> Self {
        Self {
            shared,
            attempt,
            #[cfg(feature = "metrics")]
            departed: Instant::now(),
            result: Err(LoadError::Aborted),
        }
    }

    pub(super) fn with(mut self, result: Result<Loaded, LoadError>) {
        self.result = result;
    }
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let shared = self.shared;
        let now = Instant::now();
        if matches!(self.result, Err(LoadError::Aborted)) && !std::thread::panicking() {
            shared.flights.land(self.attempt, |_| shared.horizon.set_due(Some(now + PAUSE)));
            return;
        }
        let result = mem::replace(&mut self.result, Err(LoadError::Aborted)).map_err(Arc::new);
        let before = shared.snapshot.load_full();
        let mut troubles = Troubles::default();
        let counts = shared.flights.land(self.attempt, |schedule| {
            troubles = write_down(shared, self.attempt, before.as_deref(), &result);
            match &result {
                Ok(loaded) => {
                    let snapshot = KeySnapshot::new(loaded.clone(), now, Duration::ZERO);
                    let due = snapshot.due(chance());
                    schedule.succeeded(due);
                    shared.install(snapshot, due);
                }
                Err(_) => shared.hold_on(schedule.failed(chance(), now)),
            }
            shared.set_failing(result.is_err());
        });
        if counts {
            report::attempt(shared, before.as_deref(), &troubles, &result);
            #[cfg(feature = "metrics")]
            self.count(before.as_deref(), &result, now);
        }
    }
}

#[cfg(feature = "metrics")]
impl Landing<'_> {
    fn count(
        &self,
        before: Option<&KeySnapshot>,
        result: &Result<Loaded, Arc<LoadError>>,
        now: Instant,
    ) {
        use super::metrics::{Outcome, attempt};

        let outcome = match result {
            Ok(loaded) if before.is_some_and(|before| before.loaded.has_set_of(loaded)) => {
                Outcome::Unchanged { keys: loaded.set.len() }
            }
            Ok(loaded) => Outcome::Changed { keys: loaded.set.len() },
            Err(_) => Outcome::Failed,
        };
        let took = now.duration_since(self.departed);
        attempt(&self.shared.issuer, outcome, took, self.shared.clock.now());
    }
}

/// Writes the end of an attempt into the history. Returns what was wrong before.
fn write_down(
    shared: &Shared,
    attempt: u64,
    before: Option<&KeySnapshot>,
    result: &Result<Loaded, Arc<LoadError>>,
) -> Troubles {
    let mut history = lock(&shared.history);
    let known = history.troubles.clone();
    history.attempts += 1;
    history.last = attempt;
    match result {
        Ok(loaded) => {
            let is_known = before.is_some_and(|before| before.loaded.has_set_of(loaded));
            history.unchanged += u64::from(is_known);
            history.troubles =
                Troubles { last_error: None, metadata: loaded.trouble.as_ref().map(Arc::clone) };
        }
        Err(error) => {
            history.failed += 1;
            history.troubles.last_error = Some(Arc::clone(error));
        }
    }
    known
}
