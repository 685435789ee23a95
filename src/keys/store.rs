//! The keys of one issuer, and who may ask for newer ones when.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::Guard;
use tokio::time::Instant;

use super::flight::{Flight, Refresh};
use super::shared::{Outcome, Shared, lock};
use super::snapshot::KeySnapshot;
use super::{KeySource, LoadError, Patience};
use crate::jose::Algorithm;

/// The keys of one issuer.
#[derive(Debug)]
pub(crate) struct KeyStore {
    shared: Arc<Shared>,
    /// Apart from [`Shared`], so that the task does not keep itself alive.
    flight: Mutex<Option<Flight>>,
}

/// No key to judge by: wait for a fetch, or give up for now.
#[derive(Debug)]
pub(crate) enum Missing {
    /// A fetch is under way.
    Wait(Refresh),
    /// The last attempt failed and the next is not due for this long.
    Unavailable { retry_after: Duration },
    /// The last attempt was good: the key does not exist.
    Unknown,
}

impl KeyStore {
    pub(crate) fn new(
        issuer: Arc<str>,
        source: KeySource,
        algorithms: &[Algorithm],
        max_stale: Duration,
    ) -> Self {
        let shared = Shared::new(issuer, source, algorithms, max_stale);
        Self { shared: Arc::new(shared), flight: Mutex::default() }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Loads keys that need no network, so that a configuration with bad ones can be refused.
    pub(crate) fn load_local(&self) -> Result<(), LoadError> {
        match self.shared.source.load_local(&self.shared.algorithms) {
            Some(loaded) => loaded.map(|loaded| self.shared.replace(loaded)),
            None => Ok(()),
        }
    }

    /// The good keys, if there are any to judge by. Starts a refresh ahead of their expiry and does
    /// not wait for it.
    pub(crate) fn current(&self, patience: Patience) -> Guard<Option<Arc<KeySnapshot>>> {
        let now = Instant::now();
        let snapshot = self.shared.snapshot.load();
        if let Some(keys) = snapshot.as_ref() {
            if keys.is_due(now) && self.shared.is_time_to_look(now) {
                self.refresh_ahead(now);
            }
            if !self.shared.serves(keys, now, patience) {
                return Guard::from_inner(None);
            }
        }
        snapshot
    }

    /// What to do about a token whose key is not among those that were `seen`.
    pub(crate) fn missing(&self, seen: Option<&Arc<KeySnapshot>>, patience: Patience) -> Missing {
        if self.shared.source.is_fixed() {
            return Missing::Unknown;
        }
        let now = Instant::now();
        let mut flight = lock(&self.flight);
        let under_way = flight.as_ref().filter(|flight| !flight.is_over());
        if patience == Patience::Exhausted {
            let schedule = lock(&self.shared.schedule);
            return match seen {
                Some(_) if !schedule.last_failed() && under_way.is_none() => Missing::Unknown,
                Some(_) => Missing::Unavailable { retry_after: schedule.unknown_key_wait(now) },
                None => Missing::Unavailable { retry_after: Duration::ZERO },
            };
        }
        if let Some(flight) = under_way {
            return Missing::Wait(flight.refresh());
        }
        // A fetch that ended between the look at the keys and now has something new to look at.
        if let Some(flight) = flight.as_ref()
            && self.shared.has_other_keys(seen, now)
        {
            return Missing::Wait(flight.refresh());
        }
        let mut schedule = lock(&self.shared.schedule);
        let permission = match seen {
            Some(_) => schedule.take_for_unknown_key(now),
            None => schedule.may_load_first(now),
        };
        match permission {
            Ok(()) => {
                schedule.started(now);
                drop(schedule);
                self.take_off(&mut flight)
            }
            Err(_) if seen.is_some() && !schedule.last_failed() => Missing::Unknown,
            Err(retry_after) => Missing::Unavailable { retry_after },
        }
    }

    /// Loads keys now, budgets aside, or joins a fetch under way; the future reports how it went.
    pub(crate) fn load(&self) -> impl Future<Output = Result<(), Arc<LoadError>>> {
        let refresh = {
            let mut flight = lock(&self.flight);
            match flight.as_ref().filter(|flight| !flight.is_over()) {
                Some(flight) => Missing::Wait(flight.refresh()),
                None => {
                    lock(&self.shared.schedule).started(Instant::now());
                    self.take_off(&mut flight)
                }
            }
        };
        async move {
            let Missing::Wait(refresh) = refresh else { return Err(Arc::new(LoadError::Aborted)) };
            refresh.wait_for_end().await;
            match lock(&self.shared.schedule).last_error() {
                Some(error) => Err(error),
                None => Ok(()),
            }
        }
    }

    fn refresh_ahead(&self, now: Instant) {
        let mut flight = lock(&self.flight);
        if flight.as_ref().is_some_and(|flight| !flight.is_over()) {
            return;
        }
        let mut schedule = lock(&self.shared.schedule);
        if schedule.may_refresh(now).is_ok() {
            schedule.started(now);
            drop(schedule);
            self.take_off(&mut flight);
        }
    }

    fn take_off(&self, flight: &mut Option<Flight>) -> Missing {
        let shared = Arc::clone(&self.shared);
        let attempt = lock(&shared.schedule).attempt();
        *flight = Flight::start(async move {
            let mut outcome = Outcome::of(&shared, attempt);
            outcome.result = shared.fetch().await;
        });
        match flight {
            Some(flight) => Missing::Wait(flight.refresh()),
            None => {
                tracing::error!("keys cannot be fetched outside a tokio runtime");
                Missing::Unavailable { retry_after: Duration::from_secs(1) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Patience::{Exhausted, MayWait};
    use super::*;
    use crate::keys::source::Loaded;

    #[test]
    fn avail_04_a_fixed_set_is_not_loaded_again_for_an_unknown_key() {
        let store = store(KeySource::Value(SET.into()));
        store.load_local().unwrap();
        // No runtime is needed either.
        for _ in 0..2 {
            assert!(matches!(
                store.missing(store.current(MayWait).as_ref(), MayWait),
                Missing::Unknown
            ));
        }
    }

    /// A symmetric key of 32 zero bytes.
    const SET: &str = concat!(
        r#"{"keys":[{"kty":"oct","alg":"HS256","k":""#,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        r#""}]}"#
    );

    fn store(source: KeySource) -> KeyStore {
        KeyStore::new("i".into(), source, &[Algorithm::HS256], Duration::MAX)
    }

    fn keys() -> Loaded {
        let source = KeySource::Value(SET.into());
        source.load_local(&[Algorithm::HS256]).unwrap().unwrap()
    }

    fn nowhere() -> KeyStore {
        store(KeySource::File("/nonexistent/jwks.json".into()))
    }

    #[tokio::test]
    async fn a_fetch_that_lands_between_look_and_question_is_noticed() {
        let store = nowhere();
        let Missing::Wait(refresh) = store.missing(None, MayWait) else { panic!("a fetch starts") };
        refresh.wait_for_end().await;
        // It failed, and the next is due in a second.
        assert!(matches!(store.missing(None, MayWait), Missing::Unavailable { .. }));
        // Keys come while somebody still holds that there are none.
        store.shared.replace(keys());
        assert!(matches!(store.missing(None, MayWait), Missing::Wait(_)));

        let before = store.current(MayWait);
        store.shared.replace(keys());
        assert!(matches!(store.missing(before.as_ref(), MayWait), Missing::Wait(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn avail_03_good_keys_outlive_their_lifetime_by_max_stale_while_fetches_fail() {
        let (lifetime, max_stale) = (Duration::from_secs(600), Duration::from_secs(3600));
        let source = KeySource::File("/nonexistent/jwks.json".into());
        let store = KeyStore::new("i".into(), source, &[Algorithm::HS256], max_stale);
        store.shared.replace(Loaded { lifetime, ..keys() });
        assert!(store.current(MayWait).is_some());

        // Nobody has asked for keys since: who may wait does, who cannot takes the old ones.
        tokio::time::advance(lifetime).await;
        assert!(store.current(Exhausted).is_some());
        assert!(store.current(MayWait).is_none());
        let Missing::Wait(refresh) = store.missing(None, MayWait) else { panic!("a fetch starts") };
        refresh.wait_for_end().await;
        // The fetch has failed.
        assert!(store.current(MayWait).is_some());
        tokio::time::advance(max_stale - Duration::from_secs(1)).await;
        assert!(store.current(MayWait).is_some());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(store.current(MayWait).is_none());
        assert!(store.current(Exhausted).is_none());
        // And then it is as if there had never been any: a fetch is tried.
        assert!(matches!(store.missing(None, MayWait), Missing::Wait(_)));
    }

    #[tokio::test]
    async fn a_fetch_that_panics_has_failed() {
        let store = nowhere();
        store.shared.replace(keys());
        let shared = Arc::clone(&store.shared);
        let flight = Flight::start(async move {
            let _outcome = Outcome::of(&shared, 0);
            panic!("a mistake in an HTTP client");
        });
        flight.as_ref().expect("a runtime").refresh().wait_for_end().await;
        assert!(lock(&store.shared.schedule).last_failed());
    }

    #[test]
    fn a_fetch_that_was_given_up_says_nothing_about_a_later_one() {
        let store = nowhere();
        lock(&store.shared.schedule).started(Instant::now());
        let given_up = Outcome::of(&store.shared, 1);
        lock(&store.shared.schedule).started(Instant::now());
        drop(given_up);
        assert!(!lock(&store.shared.schedule).last_failed());
        drop(Outcome::of(&store.shared, 2));
        assert!(lock(&store.shared.schedule).last_failed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_ends_with_the_store_that_wanted_it() {
        let store = nowhere();
        let (ended, wait_for_end) = tokio::sync::oneshot::channel::<()>();
        *lock(&store.flight) = Flight::start(async move {
            let _ended = ended;
            std::future::pending().await
        });
        drop(store);
        // The sender is dropped, and only an abort drops it. Were it not, the clock of the test
        // would run to the limit at once.
        let limit = Duration::from_secs(60);
        assert!(tokio::time::timeout(limit, wait_for_end).await.is_ok_and(|end| end.is_err()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_nobody_drives_is_given_up() {
        let store = nowhere();
        *lock(&store.flight) = Flight::start(std::future::pending());
        assert!(!lock(&store.flight).as_ref().unwrap().is_over());
        tokio::time::advance(Duration::from_secs(31)).await;
        let Missing::Wait(refresh) = store.missing(None, MayWait) else { panic!("a fetch starts") };
        refresh.wait_for_end().await;
        assert!(lock(&store.shared.schedule).last_failed());
    }

    #[test]
    fn outside_a_runtime_nobody_waits_and_nothing_panics() {
        let store = nowhere();
        let missing = store.missing(None, MayWait);
        assert!(matches!(missing, Missing::Unavailable { .. }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refresh_starts_ahead_of_expiry_and_nobody_waits_for_it() {
        let store = nowhere();
        store.shared.replace(Loaded { lifetime: Duration::from_secs(600), ..keys() });
        tokio::time::advance(Duration::from_secs(479)).await;
        assert!(store.current(MayWait).is_some());
        assert!(lock(&store.flight).is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(store.current(MayWait).is_some());
        let refresh = lock(&store.flight).as_ref().map(Flight::refresh);
        refresh.expect("a fetch has started").wait_for_end().await;
        // It failed: the good keys stay.
        assert!(store.current(MayWait).is_some());
    }
}
