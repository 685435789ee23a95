//! The end of an attempt: what it brought is taken into use, or not.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::discovery::Metadata;
use super::schedule::Left;
use super::shared::Shared;
use super::snapshot::KeySnapshot;
use super::sync::lock;
use super::{Instant, LoadError, Loaded, chance, report};

/// After an attempt that was given up, before a request starts another ahead of expiry.
const PAUSE: Duration = Duration::from_secs(1);

/// Writes down how an attempt ended, whichever way it did. Made when the attempt begins, so that it
/// has an end also where nobody ever drives it.
#[derive(Debug)]
pub(super) struct Landing {
    shared: Arc<Shared>,
    attempt: u64,
    #[cfg(feature = "metrics")]
    departed: Instant,
    result: Result<Loaded, LoadError>,
    metadata: Option<Result<Metadata, LoadError>>,
}

impl Landing {
    /// An attempt that does not come to its end by a panic has failed. One that is dropped with its
    /// runtime says nothing about the authorization server.
    pub(super) fn of(shared: Arc<Shared>, attempt: u64) -> Self {
        Self {
            shared,
            attempt,
            #[cfg(feature = "metrics")]
            departed: Instant::now(),
            result: Err(LoadError::Aborted),
            metadata: None,
        }
    }

    pub(super) fn with(
        mut self,
        result: Result<Loaded, LoadError>,
        metadata: Option<Result<Metadata, LoadError>>,
    ) {
        self.result = result;
        self.metadata = metadata;
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let now = Instant::now();
        match mem::replace(&mut self.result, Err(LoadError::Aborted)) {
            Err(LoadError::Aborted) if !std::thread::panicking() => self.give_up(now),
            Err(error) => self.fail(error, now),
            Ok(loaded) => self.succeed(loaded, now),
        }
    }
}

impl Landing {
    fn give_up(&self, now: Instant) {
        let shared = &self.shared;
        shared.flights.land(self.attempt, |schedule| {
            schedule.given_up();
            shared.due.set(Some(now + PAUSE));
            shared.demand_fresh_keys(now);
        });
    }

    fn fail(&mut self, error: LoadError, now: Instant) {
        let shared = Arc::clone(&self.shared);
        let metadata = self.metadata.take();
        let error = Arc::new(error);
        let counts = shared.flights.land(self.attempt, |schedule| {
            lock(&shared.history).failed(self.attempt, Arc::clone(&error));
            let next = schedule.failed(shared.hold_on(now), chance(), now);
            shared.due.set(Some(next));
            shared.set_failing(true);
        });
        if counts {
            report::failure(&shared, &error, now);
            if let Some(metadata) = metadata {
                shared.note_metadata(metadata, now);
            }
            #[cfg(feature = "metrics")]
            self.count(super::metrics::Outcome::Failed, now);
        }
    }

    fn succeed(&mut self, loaded: Loaded, now: Instant) {
        let shared = Arc::clone(&self.shared);
        let before = shared.snapshot.load_full();
        let is_known = before.as_ref().is_some_and(|before| before.loaded.has_set_of(&loaded));
        let metadata = self.metadata.take();
        let counts = shared.flights.land(self.attempt, |schedule| {
            lock(&shared.history).succeeded(self.attempt, is_known);
            let snapshot = KeySnapshot::new(loaded.clone(), now, Duration::ZERO);
            let due = snapshot.due(chance());
            schedule.succeeded(due);
            shared.due.set(due);
            shared.publish(snapshot);
            shared.set_answered(self.attempt);
            shared.set_failing(false);
        });
        if counts {
            report::success(&shared, before.as_deref(), &loaded, now);
            if let Some(metadata) = metadata {
                shared.note_metadata(metadata, now);
            }
            #[cfg(feature = "metrics")]
            self.count(
                if is_known {
                    super::metrics::Outcome::Unchanged
                } else {
                    super::metrics::Outcome::Changed
                },
                now,
            );
        }
    }

    #[cfg(feature = "metrics")]
    fn count(&self, outcome: super::metrics::Outcome, now: Instant) {
        let shared = &self.shared;
        let took = now.duration_since(self.departed);
        let keys = shared.keys_in_use(now);
        super::metrics::attempt(shared.label(), outcome, took, keys, shared.clock.now());
    }
}

impl Shared {
    /// What the metadata says, or why it cannot be had, where the address of the keys was known
    /// already. Whether that address is another one now.
    pub(super) fn note_metadata(
        &self,
        metadata: Result<Metadata, LoadError>,
        now: Instant,
    ) -> bool {
        let (error, has_moved) = match metadata {
            Ok(metadata) => {
                let snapshot = self.snapshot.load();
                let address = snapshot.as_ref().and_then(|keys| keys.loaded.address.as_ref());
                let has_moved = address.is_some_and(|address| *address != metadata.jwks_uri);
                self.metadata.store(Some(Arc::new(metadata)));
                (None, has_moved)
            }
            Err(error) => (Some(Arc::new(error)), false),
        };
        lock(&self.history).metadata_error.clone_from(&error);
        report::metadata(self, error.as_ref(), now);
        has_moved
    }

    /// Keeps the keys that are there, as there is no way to get others, until they are too old.
    fn hold_on(&self, now: Instant) -> Left {
        match self.snapshot.load().as_ref() {
            Some(keys) if !keys.is_dead(now, self.max_stale) => {
                let dies = keys.dies(self.max_stale);
                keys.serve_until(dies);
                dies.map_or(Left::KeysForEver, Left::KeysUntil)
            }
            _ => Left::Nothing,
        }
    }
}
