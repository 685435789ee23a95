//! The keys of one issuer, and who may ask for newer ones when.

use std::future::Future;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use arc_swap::Guard;
use tokio::runtime::Handle;

use super::flights::Boarding;
use super::keeper::Keeper;
use super::schedule::{Cause, LOST_AFTER, Schedule};
use super::shared::Shared;
use super::snapshot::KeySnapshot;
use super::sync::lock;
use super::{Instant, KeySettings, LoadError, Loaded, Patience, Refresh, chance, report};

/// The keys of one issuer.
#[derive(Debug)]
pub(crate) struct KeyStore {
    pub(super) shared: Arc<Shared>,
    /// Apart from [`Shared`], so that the task does not keep itself alive.
    keeper: Mutex<Option<Keeper>>,
    has_warned: Once,
}

/// What is told where nothing can be fetched, in place of the time until it can.
const NO_RUNTIME: Duration = Duration::from_secs(1);

/// No key to judge by: wait for an attempt, or give up for now.
#[derive(Debug)]
pub(crate) enum Missing {
    /// An attempt is under way.
    Wait(Refresh),
    /// The last attempt failed and the next is not due for this long.
    Unavailable { retry_after: Duration },
    /// The last attempt was good: the key does not exist.
    Unknown,
}

impl KeyStore {
    /// Reads the file of last good keys where there is one; no other I/O.
    pub(crate) fn new(settings: KeySettings<'_>) -> Self {
        let shared = Arc::new(Shared::new(settings));
        shared.restore();
        Self { shared, keeper: Mutex::default(), has_warned: Once::new() }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Loads keys that need no network, so that a configuration with bad ones can be refused.
    pub(crate) fn load_local(&self) -> Result<(), LoadError> {
        match self.shared.source.load_local(&self.shared.algorithms) {
            Some(loaded) => loaded.map(|loaded| self.install(loaded)),
            None => Ok(()),
        }
    }

    pub(super) fn install(&self, loaded: Loaded) {
        report::keys(&self.shared, None, &loaded);
        let snapshot = KeySnapshot::new(loaded, Instant::now(), Duration::ZERO);
        let due = if self.shared.source.is_fixed() { None } else { snapshot.due(chance()) };
        self.shared.flights.change(|schedule| schedule.succeeded(due));
        self.shared.due.set(due);
        self.shared.snapshot.store(Some(Arc::new(snapshot)));
    }

    /// Ends it: nothing is fetched any more, and what was fetched is gone.
    pub(crate) fn retire(&self) {
        self.shared.retire();
        *lock(&self.keeper) = None;
    }

    /// Has it counted under another name than its own.
    #[cfg_attr(not(feature = "metrics"), allow(unused_variables, clippy::unused_self))]
    pub(crate) fn count_as(&self, label: &Arc<str>) {
        #[cfg(feature = "metrics")]
        let _ = self.shared.label.set(Arc::clone(label));
    }

    /// The good keys, if there are any to judge by. Sees to a refresh ahead of their expiry and
    /// does not wait for it.
    pub(crate) fn current(&self, patience: Patience) -> Guard<Option<Arc<KeySnapshot>>> {
        let now = Instant::now();
        let snapshot = self.shared.snapshot.load();
        if let Some(keys) = snapshot.as_ref() {
            if self.shared.due.is_past(now) {
                self.refresh(now);
            }
            if !self.shared.serves(keys, now, patience) {
                return Guard::from_inner(None);
            }
        }
        snapshot
    }

    /// What to do about a token whose key, named `kid`, is not among those that were `seen`.
    pub(crate) fn missing(
        &self,
        seen: Option<&Arc<KeySnapshot>>,
        kid: Option<&str>,
        patience: Patience,
    ) -> Missing {
        let missing = self.seek(seen, kid, patience);
        #[cfg(feature = "metrics")]
        if seen.is_some() && !matches!(missing, Missing::Wait(_)) {
            super::metrics::unknown_key(self.shared.label());
        }
        missing
    }

    fn seek(
        &self,
        seen: Option<&Arc<KeySnapshot>>,
        kid: Option<&str>,
        patience: Patience,
    ) -> Missing {
        let shared = &self.shared;
        if shared.source.is_fixed() {
            return Missing::Unknown;
        }
        let now = Instant::now();
        if patience == Patience::Exhausted {
            return self.give_up(seen, now);
        }
        // Before the keys are looked at once more: whoever sees an answer sees what it brought.
        let answered = shared.answered();
        if shared.has_other_keys(seen, now) {
            return Missing::Wait(self.seat(0));
        }
        let kid = kid.filter(|_| seen.is_some());
        if let Some(kid) = kid
            && !shared.is_failing()
            && shared.absent.is_answered(kid, answered, now)
        {
            return Missing::Unknown;
        }
        let runtime = self.runtime().filter(|_| !shared.is_retired());
        let Some(runtime) = runtime else {
            return Missing::Unavailable { retry_after: NO_RUNTIME };
        };
        let cause = if seen.is_some() { Cause::UnknownKey } else { Cause::NoKeys };
        let is_news = || shared.has_other_keys(seen, now);
        match shared.flights.board(cause, now, is_news, |schedule| {
            let is_there = seen.is_some() && schedule.has_answer();
            (!is_there).then(|| schedule.wait_for(cause, now))
        }) {
            Boarding::Start(attempt) => {
                kid.inspect(|kid| shared.absent.note(kid, attempt, now));
                self.take_off(&runtime, attempt, cause, now);
                Missing::Wait(self.seat(attempt))
            }
            Boarding::Join(attempt) => {
                // That one began before the question, so it may have missed the key.
                kid.inspect(|kid| shared.absent.note(kid, attempt + 1, now));
                Missing::Wait(self.seat(attempt))
            }
            Boarding::News => Missing::Wait(self.seat(0)),
            Boarding::NotNow(Some(retry_after)) => Missing::Unavailable { retry_after },
            Boarding::NotNow(None) => Missing::Unknown,
        }
    }

    /// Loads keys now, budgets aside, or joins an attempt under way; the future reports how it
    /// went. An attempt that nobody drives is replaced by one of its own.
    pub(crate) fn load(&self) -> impl Future<Output = Result<(), Arc<LoadError>>> {
        let first = self.ask();
        async move {
            let Some((mut attempt, seat)) = first else { return Err(Arc::new(LoadError::Aborted)) };
            let patience = LOST_AFTER + Duration::from_secs(1);
            if tokio::time::timeout(patience, seat.wait_for_end()).await.is_err() {
                let Some((next, seat)) = self.ask() else {
                    return Err(Arc::new(LoadError::Aborted));
                };
                attempt = next;
                seat.wait_until(Instant::now() + patience).await;
            }
            let history = lock(&self.shared.history);
            match &history.last_error {
                Some(error) => Err(Arc::clone(error)),
                None if history.last >= attempt => Ok(()),
                None => Err(Arc::new(LoadError::Aborted)),
            }
        }
    }

    fn ask(&self) -> Option<(u64, Refresh)> {
        let runtime = self.runtime()?;
        let now = Instant::now();
        let attempt = match self.shared.flights.board(Cause::Asked, now, || false, |_| ()) {
            Boarding::Start(attempt) => {
                self.take_off(&runtime, attempt, Cause::Asked, now);
                attempt
            }
            Boarding::Join(attempt) => attempt,
            Boarding::News | Boarding::NotNow(()) => return None,
        };
        Some((attempt, self.seat(attempt)))
    }

    fn refresh(&self, now: Instant) {
        let Some(runtime) = self.runtime() else {
            self.shared.due.set(Some(now + NO_RUNTIME));
            return;
        };
        match self.shared.flights.board(Cause::Due, now, || false, Schedule::next) {
            Boarding::Start(attempt) => self.take_off(&runtime, attempt, Cause::Due, now),
            Boarding::NotNow(next) => self.shared.due.set(next),
            Boarding::Join(_) | Boarding::News => {}
        }
    }

    fn give_up(&self, seen: Option<&Arc<KeySnapshot>>, now: Instant) -> Missing {
        self.shared.flights.look(|schedule| {
            if self.shared.has_other_keys(seen, now) {
                return Missing::Wait(self.seat(0));
            }
            if seen.is_none() {
                return Missing::Unavailable { retry_after: Duration::ZERO };
            }
            if !schedule.has_answer() || schedule.under_way(now).is_some() {
                let retry_after = schedule.wait_for(Cause::UnknownKey, now);
                return Missing::Unavailable { retry_after };
            }
            Missing::Unknown
        })
    }

    fn runtime(&self) -> Option<Handle> {
        let runtime = Handle::try_current().ok();
        if runtime.is_none() {
            self.has_warned.call_once(|| {
                let issuer = &*crate::fetch::shown(self.issuer());
                tracing::error!(issuer, "keys cannot be fetched outside a tokio runtime");
            });
        }
        runtime
    }

    fn take_off(&self, runtime: &Handle, attempt: u64, cause: Cause, now: Instant) {
        self.shared.depart(now);
        let mut keeper = lock(&self.keeper);
        if self.shared.is_retired() {
            return;
        }
        // Whoever was slow to come here must not end the task of a later attempt.
        if keeper.as_ref().is_none_or(|keeper| keeper.began_with() < attempt) {
            *keeper = Some(Keeper::start(runtime, Arc::clone(&self.shared), attempt, cause));
        }
    }

    fn seat(&self, attempt: u64) -> Refresh {
        Refresh::new(self.shared.flights.arrivals(), attempt)
    }
}
