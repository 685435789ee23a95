//! Corners of the key store: runtimes that come and go, metadata that dawdles, servers that cannot
//! make up their mind, and what the log says about them.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};

use http::header::{CACHE_CONTROL, ETAG};
use http::{HeaderValue, Response};
use portcullis::{Clock, Issuer, KeyState, RejectionKind, ResourceServer};
use support::folder::Folder;
use support::keys::Key;
use support::log;
use support::simulated_as::{
    ISSUER, JWKS, METADATA, Reply, SimulatedAs, answer, is_accepted_at_once, key_set, kind,
    lasting_token, metadata_to,
};
use tokio::runtime::Runtime;
use tokio::time::{Instant, advance, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn with<B>(mut response: Response<B>, name: http::HeaderName, value: &'static str) -> Response<B> {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

/// One of those that a service makes for each of its requests.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Verifies a token in a runtime of its own, `later` than the test began.
fn verify_later(server: &ResourceServer, token: &str, later: Duration) -> Option<RejectionKind> {
    runtime().block_on(async {
        advance(later).await;
        kind(server, token).await
    })
}

struct Ahead(Duration);

impl Clock for Ahead {
    fn now(&self) -> SystemTime {
        SystemTime::now() + self.0
    }
}

/// Readiness keeps requests away while there are no keys, so no request can ask for them.
#[tokio::test(start_paused = true)]
async fn avail_01_without_any_key_and_any_request_it_heals_within_two_seconds() {
    let key = Key::new("k1");
    let fake = SimulatedAs::new(|_| Reply::Unreachable);
    let server = fake.server();
    server.load_keys().await.unwrap_err();
    sleep(HOUR).await;
    fake.publish(key.jwks());
    let back = Instant::now();
    while server.keys()[0].state == KeyState::Missing {
        sleep(SECOND / 10).await;
    }
    assert!(back.elapsed() <= 2 * SECOND, "ready {:?} after the server's return", back.elapsed());
}

/// The task that refreshes is dropped with its runtime before it runs for the first time.
#[test]
fn an_attempt_that_never_began_stands_in_nobodys_way() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(old.jwks());
    let server = fake.server();
    runtime().block_on(server.load_keys()).unwrap();
    assert_eq!(verify_later(&server, &lasting_token(&old), 550 * SECOND), None);
    fake.publish(new.jwks());
    assert_eq!(verify_later(&server, &lasting_token(&new), 552 * SECOND), None);
}

#[test]
fn an_attempt_that_never_began_keeps_nobody_waiting_at_expiry() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    let token = lasting_token(&key);
    runtime().block_on(server.load_keys()).unwrap();
    // Well past their lifetime; the request waits for new ones and its client goes away.
    let waits = runtime();
    waits.block_on(async {
        advance(HOUR).await;
        let verdict = std::pin::pin!(server.verify(&token));
        assert!(verdict.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    drop(waits);
    runtime().block_on(async {
        advance(HOUR + 2 * SECOND).await;
        let start = Instant::now();
        assert_eq!(kind(&server, &token).await, None);
        assert!(start.elapsed() < SECOND, "kept waiting for {:?}", start.elapsed());
    });
}

/// After one failure every refresh is started by a request that does not wait for it.
#[test]
fn avail_07_one_failure_does_not_make_a_withdrawn_key_live_on_where_nothing_runs_between_requests()
{
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(old.jwks());
    let server = fake.server();
    let token = lasting_token(&old);
    runtime().block_on(server.load_keys()).unwrap();
    fake.answer_with(|_| Reply::Unreachable);
    assert_eq!(verify_later(&server, &token, HOUR), None);
    fake.publish(new.jwks());
    let accepted = (2..20).filter(|hours| verify_later(&server, &token, HOUR * *hours).is_none());
    let accepted = accepted.count();
    assert!(accepted <= 1, "{accepted} of 18 requests in as many hours accepted a withdrawn key");
}

#[test]
fn avail_07_keys_from_the_file_are_refreshed_where_nothing_runs_between_requests() {
    let folder = Folder::new("corners-per-request");
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let token = lasting_token(&old);
    let issuer = || Issuer::with_jwks_uri(ISSUER, format!("{ISSUER}{JWKS}"));
    let fake = SimulatedAs::publishing(old.jwks());
    let earlier = fake.builder(issuer()).jwks_snapshot(folder.file()).build().unwrap();
    runtime().block_on(async {
        earlier.load_keys().await.unwrap();
        while folder.text().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    fake.publish(new.jwks());
    let server =
        fake.builder(issuer()).jwks_snapshot(folder.file()).clock(Ahead(HOUR)).build().unwrap();
    let accepted = (0..20).filter(|hours| verify_later(&server, &token, HOUR * *hours).is_none());
    let accepted = accepted.count();
    assert!(accepted <= 1, "{accepted} of 20 requests in as many hours accepted a withdrawn key");
}

#[test]
fn an_attempt_that_was_dropped_with_its_runtime_is_no_answer_about_a_key() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(old.jwks());
    let server = fake.server();
    let token = lasting_token(&new);
    runtime().block_on(server.load_keys()).unwrap();
    let jwks = new.jwks();
    fake.answer_with(move |_| Reply::After(SECOND, key_set(&jwks)));
    runtime().block_on(async {
        assert!(timeout(SECOND / 10, server.verify(&token)).await.is_err());
    });
    // The budget allows another.
    assert_eq!(verify_later(&server, &token, 11 * SECOND), None);
}

#[test]
fn avail_03_usable_keys_are_used_while_no_fetch_is_allowed() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    let token = lasting_token(&key);
    runtime().block_on(server.load_keys()).unwrap();
    fake.answer_with(|_| Reply::Never);
    runtime().block_on(async {
        advance(HOUR).await;
        assert!(timeout(SECOND / 10, server.verify(&token)).await.is_err());
    });
    // The pause of a second after that attempt is not over, and a client that waits gets a 200.
    assert_eq!(verify_later(&server, &token, HOUR + SECOND / 2), None);
}

#[tokio::test(start_paused = true)]
async fn keys_that_have_come_do_not_wait_for_metadata_while_a_request_waits_for_them() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let jwks = old.jwks();
    let fake = SimulatedAs::new(move |asked| {
        Reply::Answer(match asked.path.as_str() {
            METADATA => metadata_to(&format!("{ISSUER}{JWKS}")),
            _ => key_set(&jwks),
        })
    });
    let server = fake.discovering_server();
    server.load_keys().await.unwrap();
    let jwks = new.jwks();
    fake.answer_with(move |asked| match asked.path.as_str() {
        JWKS => Reply::Answer(key_set(&jwks)),
        _ => Reply::Never,
    });
    let before = fake.count();
    while fake.count() == before {
        assert!(is_accepted_at_once(&server, &lasting_token(&old)));
        sleep(SECOND).await;
    }
    // The refresh of its own accord is under way and has the new keys.
    sleep(SECOND).await;
    let start = Instant::now();
    let kind = kind(&server, &lasting_token(&new)).await;
    assert_eq!(kind, None, "after {:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn keys_that_have_moved_are_found_though_the_metadata_takes_a_second_and_a_half() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let script = |place: &'static str, old: String, new: String| {
        move |asked: &support::simulated_as::Asked| match asked.path.as_str() {
            METADATA => Reply::After(SECOND * 3 / 2, metadata_to(&format!("{ISSUER}{place}"))),
            "/moved" => Reply::Answer(with(key_set(&new), CACHE_CONTROL, "max-age=86400")),
            JWKS => Reply::Answer(with(key_set(&old), CACHE_CONTROL, "max-age=86400")),
            _ => Reply::Answer(answer(404, "", "")),
        }
    };
    let fake = SimulatedAs::new(script(JWKS, old.jwks(), new.jwks()));
    let server = fake.discovering_server();
    server.load_keys().await.unwrap();
    fake.answer_with(script("/moved", old.jwks(), new.jwks()));
    let start = Instant::now();
    while start.elapsed() < 10 * HOUR && kind(&server, &lasting_token(&new)).await.is_some() {
        sleep(11 * SECOND).await;
    }
    let found = start.elapsed();
    assert!(found < 60 * SECOND, "{} fetches, and not found in {found:?}", fake.count());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_alternates_between_two_failures_is_not_told_of_at_every_attempt() {
    log::start();
    let key = Key::new("k1");
    let turn = AtomicUsize::new(0);
    let fake = SimulatedAs::new(move |_| {
        let status = [500, 502][turn.fetch_add(1, Ordering::Relaxed) % 2];
        Reply::Answer(answer(status, "", ""))
    });
    let server = fake.server();
    let token = lasting_token(&key);
    for _ in 0..600 {
        assert!(server.verify(&token).await.is_err());
        sleep(SECOND).await;
    }
    let lines = log::take();
    assert!(lines.len() <= 10, "{} lines in ten minutes, {:?} …", lines.len(), &lines[..4]);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_named_by_chance_is_not_told_of_at_every_attempt() {
    log::start();
    let key = Key::new("k1");
    let turn = AtomicUsize::new(0);
    let fake = SimulatedAs::new(move |_| {
        let number = turn.fetch_add(1, Ordering::Relaxed);
        let issuer = format!("https://tenant-{number}.example");
        Reply::Answer(support::simulated_as::metadata(&issuer, "https://as.example/jwks"))
    });
    let server = fake.discovering_server();
    let token = lasting_token(&key);
    for _ in 0..600 {
        assert!(server.verify(&token).await.is_err());
        sleep(SECOND).await;
    }
    let lines = log::take();
    assert!(lines.len() <= 10, "{} lines in ten minutes, {:?} …", lines.len(), &lines[..2]);
}

#[tokio::test(start_paused = true)]
async fn two_replicas_of_a_server_with_one_bad_key_are_told_of_once() {
    log::start();
    let (one, two) = (Key::new("k1"), Key::new("k2"));
    let sets = [
        one.jwks(),
        serde_json::json!({ "keys": [one.jwk(), { "kty": "XYZ" }, { "kty": "OCT" }] }).to_string(),
    ];
    let turn = AtomicUsize::new(0);
    let fake = SimulatedAs::new(move |_| {
        Reply::Answer(key_set(&sets[turn.fetch_add(1, Ordering::Relaxed) % 2]))
    });
    let server = fake.server();
    server.load_keys().await.unwrap();
    for number in 0..600 {
        let forged = support::simulated_as::forged(&lasting_token(&two), &format!("f{number}"));
        assert!(server.verify(&forged).await.is_err());
        sleep(SECOND).await;
    }
    let warnings = log::take().iter().filter(|line| line.starts_with("WARN")).count();
    assert!(warnings <= 4, "{warnings} warnings in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn names_of_keys_make_no_lines_of_the_log() {
    log::start();
    let (old, new) = (Key::new("k1"), Key::new("k2\nERROR everything is lost issuer=\u{1b}[2J"));
    let fake = SimulatedAs::publishing(old.jwks());
    let server = fake.server();
    server.load_keys().await.unwrap();
    log::take();
    fake.publish(new.jwks());
    server.load_keys().await.unwrap();
    let lines = log::take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(!lines[0].contains('\u{1b}'), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn long_names_of_keys_make_no_long_lines_in_the_log() {
    log::start();
    let (old, new) = (Key::new("k1"), Key::new(&"x".repeat(400_000)));
    let fake = SimulatedAs::publishing(old.jwks());
    let server = fake.server();
    server.load_keys().await.unwrap();
    log::take();
    fake.publish(new.jwks());
    server.load_keys().await.unwrap();
    let longest = log::take().iter().map(String::len).max().unwrap();
    assert!(longest <= 16 * 1024, "{longest} bytes");
}

/// Two threads, each with a runtime, and the first of them does something else now.
#[test]
fn load_keys_ends_though_nobody_drives_the_attempt_that_it_joins() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    let token = lasting_token(&key);
    let stands_still = runtime();
    stands_still.block_on(async {
        let verdict = std::pin::pin!(server.verify(&token));
        assert!(verdict.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    let loaded = runtime().block_on(async { timeout(600 * SECOND, server.load_keys()).await });
    assert!(loaded.is_ok(), "not over in ten minutes");
    drop(stands_still);
}

#[tokio::test(start_paused = true)]
async fn the_status_counts_no_dead_keys() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{ISSUER}{JWKS}"));
    let server = fake.builder(issuer).jwks_max_stale(HOUR).build().unwrap();
    server.load_keys().await.unwrap();
    fake.answer_with(|_| Reply::Unreachable);
    sleep(2 * HOUR).await;
    let status = server.keys().remove(0);
    assert_eq!(status.state, KeyState::Missing);
    assert_eq!((status.keys, status.kids), (0, vec![]), "there are none, says the state");
}

#[tokio::test(start_paused = true)]
async fn replicas_that_share_the_file_do_not_drop_each_others_entries() {
    const OTHER: &str = "https://other.example";
    let folder = Folder::new("corners-replicas");
    let (one, two) = (Key::new("the-first"), Key::new("the-second"));
    let replica = |other_is_there: bool| {
        let sets = [one.jwks(), two.jwks()];
        let fake = SimulatedAs::new(move |asked| match asked.path.as_str() {
            JWKS => Reply::Answer(key_set(&sets[0])),
            _ if other_is_there => Reply::Answer(key_set(&sets[1])),
            _ => Reply::Unreachable,
        });
        fake.builder(Issuer::with_jwks_uri(ISSUER, format!("{ISSUER}{JWKS}")))
            .issuer(Issuer::with_jwks_uri(OTHER, "https://other.example/k").audience("a"))
            .jwks_snapshot(folder.file())
            .build()
            .unwrap()
    };
    let (lucky, unlucky) = (replica(true), replica(false));
    lucky.load_keys().await.unwrap();
    while !(folder.text().contains("the-first") && folder.text().contains("the-second")) {
        tokio::task::yield_now().await;
    }
    let before = folder.text();
    unlucky.load_keys().await.unwrap_err();
    for _ in 0..1000 {
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_millis(1));
        if folder.text() != before {
            break;
        }
    }
    assert!(folder.text().contains("the-second"), "the last good keys of {OTHER} are lost");
}

#[tokio::test(start_paused = true)]
async fn a_set_that_changes_while_its_etag_does_not_is_found_by_an_unknown_key() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let jwks = Arc::new(std::sync::Mutex::new(old.jwks()));
    let served = Arc::clone(&jwks);
    let fake = SimulatedAs::new(move |asked| {
        Reply::Answer(match asked.if_none_match.as_deref() {
            Some("\"v1\"") => answer(304, "", ""),
            _ => with(key_set(&served.lock().unwrap()), ETAG, "\"v1\""),
        })
    });
    let server = fake.server();
    server.load_keys().await.unwrap();
    *jwks.lock().unwrap() = new.jwks();
    let start = Instant::now();
    while start.elapsed() < HOUR && kind(&server, &lasting_token(&new)).await.is_some() {
        sleep(31 * SECOND).await;
    }
    assert!(start.elapsed() < 60 * SECOND, "{} fetches in an hour were in vain", fake.count());
}

/// Attempts begin and end on many threads; one that has begun is not given up for one before it.
#[test]
fn an_attempt_is_not_ended_by_one_that_was_over_before_it() {
    let key = Key::new("k1");
    let jwks = key.jwks();
    let fake = SimulatedAs::new(move |_| Reply::After(SECOND / 1000, key_set(&jwks)));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = fake.server();
    let failures: Vec<String> = std::thread::scope(|scope| {
        let load = || -> Vec<String> {
            let once = || {
                let load = async { timeout(10 * SECOND, server.load_keys()).await };
                match runtime.block_on(load) {
                    Ok(loaded) => loaded.err().map(|error| error.to_string()),
                    Err(_) => Some("not over in ten seconds".to_owned()),
                }
            };
            (0..1_000).filter_map(|_| once()).take(2).collect()
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(load)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{} failures: {failures:?}", failures.len());
}

#[tokio::test(start_paused = true)]
async fn the_death_of_the_last_good_keys_is_told_of() {
    log::start();
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{ISSUER}{JWKS}"));
    let server = fake.builder(issuer).jwks_max_stale(HOUR).build().unwrap();
    server.load_keys().await.unwrap();
    fake.answer_with(|_| Reply::Unreachable);
    sleep(HOUR).await;
    assert!(is_accepted_at_once(&server, &lasting_token(&key)));
    log::take();
    for _ in 0..60 {
        sleep(60 * SECOND).await;
        kind(&server, &lasting_token(&key)).await;
    }
    assert_eq!(kind(&server, &lasting_token(&key)).await, Some(RejectionKind::KeysUnavailable));
    let lines = log::take();
    assert!(lines.iter().any(|line| line.contains("503")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn avail_01_requests_do_not_keep_slow_metadata_from_being_read_where_it_alone_can_help() {
    let key = Key::new("k1");
    let fake = SimulatedAs::new(|asked| match asked.path.as_str() {
        METADATA => Reply::Answer(metadata_to(&format!("{ISSUER}{JWKS}"))),
        _ => Reply::Answer(answer(404, "", "")),
    });
    let server = fake.discovering_server();
    let token = lasting_token(&key);
    assert_eq!(kind(&server, &token).await, Some(RejectionKind::KeysUnavailable));
    let jwks = key.jwks();
    fake.answer_with(move |asked| match asked.path.as_str() {
        METADATA => Reply::After(SECOND * 3 / 2, metadata_to("https://as.example/moved")),
        "/moved" => Reply::Answer(key_set(&jwks)),
        _ => Reply::Answer(answer(404, "", "")),
    });
    let start = Instant::now();
    while kind(&server, &token).await.is_some() {
        sleep(SECOND / 10).await;
        assert!(start.elapsed() < 10 * SECOND, "{} requests were in vain", fake.count());
    }
}

/// Nobody has asked for the key in vain, so it may well exist.
#[test]
fn avail_05_a_key_that_was_not_asked_for_to_the_end_is_not_called_unknown() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(old.jwks());
    let server = fake.server();
    let token = lasting_token(&new);
    runtime().block_on(server.load_keys()).unwrap();
    let jwks = new.jwks();
    fake.answer_with(move |_| Reply::After(SECOND, key_set(&jwks)));
    runtime().block_on(async {
        assert!(timeout(SECOND / 10, server.verify(&token)).await.is_err());
    });
    // The budget does not allow another.
    let refused = verify_later(&server, &token, 2 * SECOND);
    assert_eq!(refused, Some(RejectionKind::KeysUnavailable));
}

#[tokio::test(start_paused = true)]
async fn the_status_tells_of_metadata_also_while_the_keys_cannot_be_had() {
    let key = Key::new("k1");
    let jwks = key.jwks();
    let good = move |asked: &support::simulated_as::Asked| {
        Reply::Answer(match asked.path.as_str() {
            METADATA => metadata_to(&format!("{ISSUER}{JWKS}")),
            _ => key_set(&jwks),
        })
    };
    let fake = SimulatedAs::new(good);
    let server = fake.discovering_server();
    server.load_keys().await.unwrap();
    fake.answer_with(|_| Reply::Answer(answer(503, "", "")));
    server.load_keys().await.unwrap_err();
    assert!(server.keys()[0].metadata_error.is_some());
    fake.answer_with(|asked| {
        Reply::Answer(match asked.path.as_str() {
            METADATA => metadata_to(&format!("{ISSUER}{JWKS}")),
            _ => answer(503, "", ""),
        })
    });
    server.load_keys().await.unwrap_err();
    assert_eq!(server.keys()[0].metadata_error, None);
}
