use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::Patience::{Exhausted, MayWait};
use super::landing::Landing;
use super::schedule::Cause;
use super::*;
use crate::jose::Algorithm;

/// A symmetric key of 32 zero bytes.
const SET: &str = concat!(
    r#"{"keys":[{"kty":"oct","alg":"HS256","k":""#,
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    r#""}]}"#
);

fn store_with(source: KeySource, max_stale: Duration) -> KeyStore {
    KeyStore::new(KeySettings {
        issuer: "i".into(),
        source,
        algorithms: &[Algorithm::HS256],
        max_stale,
        clock: Arc::new(crate::clock::SystemClock),
        last_good: None,
    })
}

fn store(source: KeySource) -> KeyStore {
    store_with(source, Duration::MAX)
}

fn loaded(lifetime: Duration) -> Loaded {
    let source = KeySource::Value(SET.into());
    let loaded = source.load_local(&[Algorithm::HS256]).unwrap().unwrap();
    Loaded { lifetime, ..loaded }
}

const TEN_MINUTES: Duration = Duration::from_secs(600);

/// Of a source that is never there.
fn nowhere() -> KeyStore {
    let client =
        tower_of(|| async { Err::<http::Response<http_body_util::Full<Bytes>>, _>("gone") });
    let address = Url::parse("https://as.example/jwks").unwrap();
    store(KeySource::Uri { client, address })
}

/// An HTTP client that answers so.
fn tower_of<F, A>(answer: F) -> crate::fetch::HttpClient
where
    F: Fn() -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<http::Response<http_body_util::Full<Bytes>>, &'static str>>
        + Send
        + 'static,
{
    crate::fetch::HttpClient::new(tower::service_fn(
        move |_: http::Request<http_body_util::Full<Bytes>>| {
            let answer = answer();
            async move { answer.await.map_err(std::io::Error::other) }
        },
    ))
}

/// Begins an attempt that the test carries out itself.
fn begin(store: &KeyStore) -> u64 {
    match store.shared.flights.board(Cause::Asked, Instant::now(), || false, |_| ()) {
        flights::Boarding::Start(attempt) => attempt,
        other => panic!("{other:?}"),
    }
}

fn is_failing(store: &KeyStore) -> bool {
    store.status().last_error.is_some()
}

#[test]
fn avail_04_a_fixed_set_is_not_loaded_again_for_an_unknown_key() {
    let store = store(KeySource::Value(SET.into()));
    store.load_local().unwrap();
    // No runtime is needed either.
    for _ in 0..2 {
        let seen = store.current(MayWait);
        assert!(matches!(store.missing(seen.as_ref(), Some("k"), MayWait), Missing::Unknown));
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_lands_between_look_and_question_is_noticed() {
    let store = nowhere();
    let Missing::Wait(refresh) = store.missing(None, None, MayWait) else { panic!("it starts") };
    refresh.wait_for_end().await;
    // It failed, and the next is due in a second.
    assert!(matches!(store.missing(None, None, MayWait), Missing::Unavailable { .. }));
    // Keys come while somebody still holds that there are none.
    store.install(loaded(TEN_MINUTES));
    assert!(matches!(store.missing(None, None, MayWait), Missing::Wait(_)));

    let before = store.current(MayWait);
    store.install(loaded(TEN_MINUTES));
    let Missing::Wait(over) = store.missing(before.as_ref(), None, MayWait) else { panic!("news") };
    over.wait_for_end().await;
}

/// The attempt that speaks for a key ends after a request has looked at the keys and before it asks
/// whether that key is known to be absent.
#[tokio::test(start_paused = true)]
async fn a_key_that_came_since_a_request_looked_is_not_absent() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    let attempt = begin(&store);
    store.shared.absent.note("k", attempt, Instant::now());
    let seen = store.current(MayWait);
    Landing::of(Arc::clone(&store.shared), attempt).with(Ok(loaded(TEN_MINUTES)), None);
    let missing = store.missing(seen.as_ref(), Some("k"), MayWait);
    assert!(matches!(missing, Missing::Wait(_)), "{missing:?}");
    // Of those that are there now it is known.
    let seen = store.current(MayWait);
    let missing = store.missing(seen.as_ref(), Some("k"), MayWait);
    assert!(matches!(missing, Missing::Unknown), "{missing:?}");
}

#[tokio::test(start_paused = true)]
async fn avail_03_good_keys_outlive_their_lifetime_by_max_stale_while_attempts_fail() {
    let max_stale = Duration::from_secs(3600);
    let store = store_with(KeySource::File("/nonexistent/jwks.json".into()), max_stale);
    store.install(loaded(TEN_MINUTES));
    assert!(store.current(MayWait).is_some());

    // Nobody has asked for keys since: who may wait does, who cannot takes the old ones.
    tokio::time::advance(TEN_MINUTES).await;
    assert!(store.current(Exhausted).is_some());
    assert!(store.current(MayWait).is_none());
    let Missing::Wait(refresh) = store.missing(None, None, MayWait) else { panic!("it starts") };
    refresh.wait_for_end().await;
    assert!(is_failing(&store));
    assert!(store.current(MayWait).is_some());
    assert_eq!(store.status().state, KeyState::Stale);
    tokio::time::advance(max_stale - Duration::from_secs(1)).await;
    assert!(store.current(MayWait).is_some());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(store.current(MayWait).is_none());
    assert!(store.current(Exhausted).is_none());
    assert_eq!(store.status().state, KeyState::Missing);
    // And then it is as if there had never been any: one is tried for.
    assert!(matches!(store.missing(None, None, MayWait), Missing::Wait(_)));
}

#[test]
fn an_attempt_that_panics_has_failed() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    let attempt = begin(&store);
    let shared = Arc::clone(&store.shared);
    let panicked = std::thread::spawn(move || {
        let _landing = Landing::of(shared, attempt);
        panic!("a mistake in an HTTP client");
    });
    assert!(panicked.join().is_err());
    assert!(is_failing(&store));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_given_up_changes_nothing_later() {
    let store = nowhere();
    let slow = Landing::of(Arc::clone(&store.shared), begin(&store));
    tokio::time::advance(Duration::from_secs(31)).await;
    let later = Landing::of(Arc::clone(&store.shared), begin(&store));
    slow.with(Ok(loaded(TEN_MINUTES)), None);
    assert!(store.current(MayWait).is_none());
    assert_eq!(store.status().fetches.attempts, 0);
    later.with(Err(LoadError::NoAddress), None);
    assert!(is_failing(&store));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_dropped_with_its_runtime_is_as_if_it_had_not_been() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    for _ in 0..60 {
        tokio::time::advance(Duration::from_secs(11)).await;
        let attempt = begin(&store);
        store.shared.depart(Instant::now());
        drop(Landing::of(Arc::clone(&store.shared), attempt));
        assert!(!is_failing(&store));
    }
    // Nothing is known to be wrong with the server, so keys past their lifetime are not used.
    assert!(store.current(MayWait).is_none());
    assert_eq!(store.status().fetches.attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_nobody_drives_is_given_up() {
    let store = nowhere();
    begin(&store);
    let Missing::Wait(never) = store.missing(None, None, MayWait) else {
        panic!("one is under way")
    };
    let limit = Instant::now() + Duration::from_secs(31);
    never.wait_until(limit).await;
    assert_eq!(Instant::now(), limit);
    let Missing::Wait(refresh) = store.missing(None, None, MayWait) else { panic!("it starts") };
    refresh.wait_for_end().await;
    assert!(is_failing(&store));
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_store_that_it_belongs_to() {
    let (ended, mut wait_for_end) = tokio::sync::mpsc::channel::<()>(1);
    let client = tower_of(move || {
        let ended = ended.clone();
        async move {
            let _ended = ended;
            std::future::pending().await
        }
    });
    let address = Url::parse("https://as.example/jwks").unwrap();
    let store = store(KeySource::Uri { client, address });
    let Missing::Wait(refresh) = store.missing(None, None, MayWait) else { panic!("it starts") };
    tokio::task::yield_now().await;
    drop(store);
    // All senders are dropped, and only the end of the task drops them. Were it not, the clock of
    // the test would run to the limit at once.
    let limit = Duration::from_secs(1);
    let end = tokio::time::timeout(limit, wait_for_end.recv()).await;
    assert!(end.is_ok_and(|message| message.is_none()));
    assert!(tokio::time::timeout(limit, refresh.wait_for_end()).await.is_ok());
}

#[test]
fn outside_a_runtime_nobody_waits_and_nothing_panics() {
    let store = nowhere();
    assert!(matches!(store.missing(None, None, MayWait), Missing::Unavailable { .. }));
    store.install(loaded(Duration::ZERO));
    assert!(store.current(MayWait).is_none());
    assert!(store.current(Exhausted).is_some());
}

#[tokio::test(start_paused = true)]
async fn requests_see_to_a_refresh_where_no_task_does_and_do_not_wait_for_it() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    tokio::time::advance(TEN_MINUTES / 4 * 3 - Duration::from_secs(1)).await;
    assert!(store.current(MayWait).is_some());
    assert_eq!(store.shared.flights.look(|schedule| schedule.under_way(Instant::now())), None);
    tokio::time::advance(TEN_MINUTES / 10 + Duration::from_secs(1)).await;
    assert!(store.current(MayWait).is_some());
    assert_eq!(store.shared.flights.look(|schedule| schedule.under_way(Instant::now())), Some(1));
    store.load().await.unwrap_err();
    // It failed: the good keys stay.
    assert!(store.current(MayWait).is_some());
    assert_eq!(store.status().fetches.attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_because_keys_expire_while_a_refresh_is_under_way() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    tokio::time::advance(TEN_MINUTES - Duration::from_secs(1)).await;
    let attempt = begin(&store);
    store.shared.depart(Instant::now());
    tokio::time::advance(Duration::from_secs(20)).await;
    assert!(store.current(MayWait).is_some());
    // Nobody drives it.
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(store.current(MayWait).is_none());
    Landing::of(Arc::clone(&store.shared), attempt).with(Ok(loaded(TEN_MINUTES)), None);
    assert!(store.current(MayWait).is_some());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_shortens_nobodys_lifetime() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    tokio::time::advance(TEN_MINUTES / 2).await;
    begin(&store);
    store.shared.depart(Instant::now());
    // Nobody drives it, and the keys are still fresh.
    tokio::time::advance(TEN_MINUTES / 5).await;
    assert!(store.current(MayWait).is_some());
}

#[tokio::test(start_paused = true)]
async fn avail_03_an_attempt_makes_keys_live_no_longer_than_max_stale() {
    let second = Duration::from_secs(1);
    let store = store_with(KeySource::File("/nonexistent/jwks.json".into()), second);
    store.install(loaded(TEN_MINUTES));
    tokio::time::advance(TEN_MINUTES - second).await;
    begin(&store);
    store.shared.depart(Instant::now());
    tokio::time::advance(second * 3 / 2).await;
    assert!(store.current(MayWait).is_some());
    tokio::time::advance(second).await;
    assert!(store.current(MayWait).is_none());
    assert!(store.current(Exhausted).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_fixed_set_is_never_due() {
    let store = store(KeySource::Value(SET.into()));
    store.load_local().unwrap();
    tokio::time::advance(TEN_MINUTES * 1000).await;
    assert!(store.current(MayWait).is_some());
    assert_eq!(store.shared.flights.look(|schedule| schedule.under_way(Instant::now())), None);
    assert_eq!(store.status().next_refresh, None);
}

#[tokio::test(start_paused = true)]
async fn requests_start_the_next_attempt_after_a_failure_too() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    let attempt = begin(&store);
    store.shared.depart(Instant::now());
    Landing::of(Arc::clone(&store.shared), attempt).with(Err(LoadError::NoAddress), None);
    let is_under_way =
        || store.shared.flights.look(|schedule| schedule.under_way(Instant::now())).is_some();
    tokio::time::advance(Duration::from_secs(9)).await;
    assert!(store.current(MayWait).is_some());
    assert!(!is_under_way());
    tokio::time::advance(Duration::from_secs(4)).await;
    assert!(store.current(MayWait).is_some());
    assert!(is_under_way());
}

#[tokio::test(start_paused = true)]
async fn avail_01_without_any_key_none_is_called_unknown() {
    let store = nowhere();
    drop(Landing::of(Arc::clone(&store.shared), begin(&store)));
    // No attempt has failed, and none is allowed yet.
    for patience in [MayWait, Exhausted] {
        let missing = store.missing(None, Some("k"), patience);
        assert!(matches!(missing, Missing::Unavailable { .. }), "{missing:?}");
    }
}

#[test]
fn who_waits_for_an_attempt_that_was_given_up_is_told_so() {
    let client = tower_of(std::future::pending);
    let address = Url::parse("https://as.example/jwks").unwrap();
    let store = store(KeySource::Uri { client, address });
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let short_lived = runtime();
    let load = {
        let _entered = short_lived.enter();
        store.load()
    };
    short_lived.block_on(tokio::task::yield_now());
    drop(short_lived);
    assert!(matches!(*runtime().block_on(load).unwrap_err(), LoadError::Aborted));
}

#[tokio::test(start_paused = true)]
async fn avail_05_whoever_has_run_out_of_patience_is_told_that_the_last_attempt_failed() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    Landing::of(Arc::clone(&store.shared), begin(&store)).with(Err(LoadError::NoAddress), None);
    let seen = store.current(Exhausted);
    let missing = store.missing(seen.as_ref(), Some("k"), Exhausted);
    assert!(matches!(missing, Missing::Unavailable { .. }), "{missing:?}");
    Landing::of(Arc::clone(&store.shared), begin(&store)).with(Ok(loaded(TEN_MINUTES)), None);
    let seen = store.current(Exhausted);
    let missing = store.missing(seen.as_ref(), Some("k"), Exhausted);
    assert!(matches!(missing, Missing::Unknown), "{missing:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_because_keys_expire_while_a_request_has_them_refreshed() {
    let address = Url::parse("https://as.example/jwks").unwrap();
    let store = store(KeySource::Uri { client: tower_of(std::future::pending), address });
    store.install(loaded(TEN_MINUTES));
    tokio::time::advance(TEN_MINUTES - Duration::from_secs(1)).await;
    assert!(store.current(MayWait).is_some());
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(store.current(MayWait).is_some());
}

#[tokio::test(start_paused = true)]
async fn one_task_is_left_however_many_attempts_were_asked_for() {
    let store = nowhere();
    for _ in 0..5 {
        store.load().await.unwrap_err();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 1);
}

#[tokio::test(start_paused = true)]
async fn requests_start_another_attempt_a_second_after_one_that_was_given_up() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    tokio::time::advance(TEN_MINUTES / 10 * 9).await;
    let attempt = begin(&store);
    store.shared.depart(Instant::now());
    drop(Landing::of(Arc::clone(&store.shared), attempt));
    let is_under_way =
        || store.shared.flights.look(|schedule| schedule.under_way(Instant::now())).is_some();
    assert!(store.current(MayWait).is_some());
    assert!(!is_under_way());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(store.current(MayWait).is_some());
    assert!(is_under_way());
}

#[tokio::test(start_paused = true)]
async fn avail_04_a_failure_that_is_over_does_not_bring_absent_keys_back_into_question() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    Landing::of(Arc::clone(&store.shared), begin(&store)).with(Err(LoadError::NoAddress), None);
    let attempt = begin(&store);
    store.shared.absent.note("k", attempt, Instant::now());
    Landing::of(Arc::clone(&store.shared), attempt).with(Ok(loaded(TEN_MINUTES)), None);
    // The budget would allow another attempt.
    tokio::time::advance(Duration::from_secs(20)).await;
    let seen = store.current(MayWait);
    let missing = store.missing(seen.as_ref(), Some("k"), MayWait);
    assert!(matches!(missing, Missing::Unknown), "{missing:?}");
}

#[test]
fn jwk_11_secrets_do_not_come_from_the_file_of_last_good_keys() {
    let folder = std::env::temp_dir().join(format!("portcullis-secrets-{}", crate::keys::chance()));
    std::fs::create_dir(&folder).unwrap();
    let file = LastGoodFile::open(folder.join("keys.json"));
    let address = Url::parse("https://as.example/jwks").unwrap();
    let entry = last_good::LastGood {
        address: address.clone(),
        document: SET.into(),
        fetched_at: std::time::SystemTime::now(),
        lifetime: TEN_MINUTES,
    };
    file.remember("i", entry);
    let store = KeyStore::new(KeySettings {
        issuer: "i".into(),
        source: KeySource::Uri { client: tower_of(std::future::pending), address },
        algorithms: &[Algorithm::HS256],
        max_stale: Duration::MAX,
        clock: Arc::new(crate::clock::SystemClock),
        last_good: Some(Arc::new(file)),
    });
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(store.current(Exhausted).is_none());
}

#[tokio::test(start_paused = true)]
async fn the_status_tells_an_attempt_that_is_under_way_and_keys_that_are_past_their_lifetime() {
    let store = nowhere();
    store.install(loaded(TEN_MINUTES));
    assert_ne!(store.status().next_refresh, Some(Duration::ZERO));
    begin(&store);
    assert_eq!(store.status().next_refresh, Some(Duration::ZERO));
    assert_eq!(store.status().state, KeyState::Fresh);
    // Nobody has asked for them since, and who has to be judged by them is.
    tokio::time::advance(TEN_MINUTES).await;
    assert_eq!(store.status().state, KeyState::Stale);
}
