//! The end of an attempt: what it brought is taken into use, or not, and told to the operator.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::history::{Change, change};
use super::shared::Shared;
use super::snapshot::KeySnapshot;
use super::sync::lock;
use super::{Instant, LoadError, Loaded, chance};

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
        let mut told = (None, None);
        let counts = shared.flights.land(self.attempt, |schedule| {
            told = write_down(shared, self.attempt, before.as_deref(), &result, now);
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
            let (last_error, trouble) = told;
            report(shared, before.as_deref(), &result, last_error.as_ref(), trouble.as_ref());
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

type Told = (Option<Arc<LoadError>>, Option<Arc<LoadError>>);

/// Returns what was wrong before.
fn write_down(
    shared: &Shared,
    attempt: u64,
    before: Option<&KeySnapshot>,
    result: &Result<Loaded, Arc<LoadError>>,
    now: Instant,
) -> Told {
    let mut history = lock(&shared.history);
    history.attempts += 1;
    history.last = attempt;
    match result {
        Ok(loaded) => {
            let is_known = before.is_some_and(|before| before.loaded.has_set_of(loaded));
            history.unchanged += u64::from(is_known);
            history.last_success = Some(now);
            let trouble = mem::replace(&mut history.trouble, loaded.trouble.clone());
            (history.last_error.take(), trouble)
        }
        Err(error) => {
            history.failed += 1;
            (history.last_error.replace(Arc::clone(error)), history.trouble.clone())
        }
    }
}

/// Says what has changed. A server that goes on failing is told of once.
fn report(
    shared: &Shared,
    before: Option<&KeySnapshot>,
    result: &Result<Loaded, Arc<LoadError>>,
    last_error: Option<&Arc<LoadError>>,
    trouble: Option<&Arc<LoadError>>,
) {
    let issuer = &shared.issuer;
    match (change(last_error, result.as_ref().err()), result) {
        // The panic has been reported.
        (_, Err(error)) if matches!(**error, LoadError::Aborted) => {}
        (Change::Worse, Err(error)) if before.is_some() => {
            tracing::warn!(%issuer, "keys cannot be refreshed, those that are there stay in use: {error}");
        }
        (Change::Worse, Err(error)) => {
            tracing::warn!(%issuer, "keys cannot be loaded, tokens get 503 until they can: {error}");
        }
        (_, Err(error)) => tracing::debug!(%issuer, "keys still cannot be loaded: {error}"),
        (Change::Over, Ok(_)) => tracing::info!(%issuer, "keys can be loaded again"),
        (_, Ok(_)) => {}
    }
    let Ok(loaded) = result else { return };
    match (change(trouble, loaded.trouble.as_ref()), &loaded.trouble) {
        (Change::Worse, Some(trouble)) => {
            tracing::warn!(%issuer, "metadata cannot be refreshed, its last good version is used: {trouble}");
        }
        (Change::Over, _) => tracing::info!(%issuer, "metadata can be loaded again"),
        _ => {}
    }
    report_keys(shared, before, loaded);
}

pub(super) fn report_keys(shared: &Shared, before: Option<&KeySnapshot>, loaded: &Loaded) {
    let (issuer, set) = (&shared.issuer, &loaded.set);
    let known = before.map(|before| before.set().skipped()).unwrap_or_default();
    for skipped in set.skipped().iter().filter(|skipped| !known.contains(skipped)) {
        tracing::warn!(%issuer, "ignored {skipped}");
    }
    match before {
        None => tracing::info!(%issuer, source = %shared.source, keys = set.len(), "keys loaded"),
        Some(before) if before.loaded.has_set_of(loaded) => {
            tracing::debug!(%issuer, keys = set.len(), "keys have not changed");
        }
        Some(before) => {
            let kids = |set: &crate::jose::JwkSet| set.kids().collect::<Vec<_>>().join(" ");
            let (now, before) = (kids(set), kids(before.set()));
            tracing::info!(%issuer, %now, %before, "keys have changed");
        }
    }
}
