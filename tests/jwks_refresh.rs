//! Keys are refreshed ahead of expiry, in the background, by a task that belongs to the resource
//! server (SPEC §13, AVAIL-09). The clock of these tests stands still but for what is waited for.

mod support;

use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, ETAG};
use http::{HeaderValue, Response};
use portcullis::{Issuer, KeyState, RejectionKind};
use support::keys::Key;
use support::log;
use support::simulated_as::{
    ISSUER, JWKS, METADATA, Reply, SimulatedAs, answer, is_accepted_at_once, key_set, kind,
    lasting_token, metadata, metadata_to,
};
use tokio::runtime::Handle;
use tokio::time::{Instant, advance, sleep};

const HOUR: Duration = Duration::from_secs(3600);

fn with<B>(mut response: Response<B>, name: http::HeaderName, value: &'static str) -> Response<B> {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

/// The pauses between requests to the authorization server, in seconds.
fn pauses(fake: &SimulatedAs) -> Vec<f64> {
    let times: Vec<Instant> = fake.log().iter().map(|asked| asked.at).collect();
    times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect()
}

#[tokio::test(start_paused = true)]
async fn avail_09_keys_are_refreshed_at_four_fifths_of_their_lifetime_whether_anybody_asks_or_not()
{
    for (cache_control, lifetime) in
        [("no-store", 600.0), ("max-age=60", 60.0), ("max-age=5", 60.0), ("max-age=7200", 7200.0)]
    {
        let key = Key::new("k1");
        let jwks = key.jwks();
        let fake = SimulatedAs::new(move |_| {
            Reply::Answer(with(key_set(&jwks), CACHE_CONTROL, cache_control))
        });
        let server = fake.server();
        let token = lasting_token(&key);
        server.load_keys().await.unwrap();
        sleep(24 * HOUR).await;
        let pauses = pauses(&fake);
        assert!(pauses.len() > 10, "{cache_control}");
        for pause in &pauses {
            let share = pause / lifetime;
            assert!((0.749..=0.851).contains(&share), "{cache_control}: after {pause} s");
        }
        let spread = pauses.iter().copied().fold(0.0, f64::max)
            - pauses.iter().copied().fold(f64::MAX, f64::min);
        assert!(spread > lifetime / 100.0, "{cache_control}: no jitter in {pauses:?}");
        assert!(is_accepted_at_once(&server, &token));
    }
}

#[tokio::test(start_paused = true)]
async fn avail_09_no_request_waits_at_expiry() {
    let key = Key::new("k1");
    let jwks = key.jwks();
    // Slower than any request would wait.
    let fake = SimulatedAs::new(move |_| Reply::After(Duration::from_secs(4), key_set(&jwks)));
    let server = fake.server();
    let token = lasting_token(&key);
    server.load_keys().await.unwrap();
    for _ in 0..HOUR.as_secs() {
        sleep(Duration::from_secs(1)).await;
        assert!(is_accepted_at_once(&server, &token));
    }
    assert!(fake.count() > 6);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_known_is_not_sent_again() {
    let key = Arc::new(Key::new("k1"));
    let served = Arc::clone(&key);
    let fake = SimulatedAs::new(move |asked| {
        Reply::Answer(match asked.if_none_match.as_deref() {
            // Its lifetime is that of the new answer (RFC 9111 §4.3.4).
            Some("\"v1\"") => with(answer(304, "", ""), CACHE_CONTROL, "max-age=3600"),
            _ => with(key_set(&served.jwks()), ETAG, "\"v1\""),
        })
    });
    let server = fake.server();
    server.load_keys().await.unwrap();
    sleep(HOUR).await;
    let asked: Vec<_> = fake.log().into_iter().map(|asked| asked.if_none_match).collect();
    assert_eq!(asked, [None, Some("\"v1\"".to_owned()), Some("\"v1\"".to_owned())]);
    assert!(pauses(&fake)[1] > 2600.0);
    let status = server.keys().remove(0);
    assert_eq!((status.fetches.attempts, status.fetches.unchanged), (3, 2));
    assert!(is_accepted_at_once(&server, &lasting_token(&key)));

    // Another version is another set.
    let new = Key::new("k2");
    let jwks = new.jwks();
    fake.answer_with(move |_| Reply::Answer(with(key_set(&jwks), ETAG, "W/\"v2\"")));
    sleep(HOUR).await;
    assert!(is_accepted_at_once(&server, &lasting_token(&new)));
    assert_eq!(kind(&server, &lasting_token(&key)).await, Some(RejectionKind::UnknownKey));
    // Of the last refresh. The fetch for the unknown key takes nobody's word for it.
    let asked: Vec<_> = fake.log().into_iter().map(|asked| asked.if_none_match).rev().collect();
    assert_eq!(asked[..2], [None, Some("W/\"v2\"".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_304_that_nobody_asked_for_is_no_key_set() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    server.load_keys().await.unwrap();
    fake.answer_with(|_| Reply::Answer(answer(304, "", "")));
    let error = server.load_keys().await.unwrap_err().to_string();
    assert!(error.contains("answered with status 304"), "{error}");
    assert!(is_accepted_at_once(&server, &lasting_token(&key)));
}

#[tokio::test(start_paused = true)]
async fn pauses_after_failures_grow_and_the_first_success_ends_them() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    server.load_keys().await.unwrap();
    fake.answer_with(|_| Reply::Unreachable);
    sleep(2 * HOUR).await;
    let failing = pauses(&fake);
    for (pause, least) in failing[1..].iter().zip([10.0, 20.0, 40.0, 80.0, 160.0, 240.0, 240.0]) {
        assert!((least..=least * 1.25 + 0.01).contains(pause), "{failing:?}");
    }
    assert!(failing.iter().skip(1).all(|pause| *pause <= 300.01), "{failing:?}");
    let status = server.keys().remove(0);
    assert!(status.last_error.unwrap().contains("nobody is there"));
    assert_eq!(status.state, KeyState::Stale);
    assert_eq!(status.fetches.failed + 1, status.fetches.attempts);

    fake.publish(key.jwks());
    sleep(Duration::from_secs(301)).await;
    let status = server.keys().remove(0);
    assert_eq!((status.last_error, status.state), (None, KeyState::Fresh));
    let healed = fake.count();
    sleep(HOUR).await;
    assert!((6..=9).contains(&(fake.count() - healed)), "back to every eight minutes");
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_resource_server() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let before = Handle::current().metrics().num_alive_tasks();
    let server = fake.discovering_server();
    fake.answer_with({
        let jwks = key.jwks();
        move |asked| match asked.path.as_str() {
            JWKS => Reply::Answer(key_set(&jwks)),
            _ => Reply::Answer(metadata_to(&format!("{ISSUER}{JWKS}"))),
        }
    });
    let clone = server.clone();
    server.load_keys().await.unwrap();
    drop(server);
    sleep(HOUR).await;
    assert!(fake.count() > 6, "a clone is left");
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before + 1);
    drop(clone);
    tokio::task::yield_now().await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before);
    let then = fake.count();
    sleep(24 * HOUR).await;
    assert_eq!(fake.count(), then);
}

#[test]
fn keys_are_refreshed_on_the_request_path_where_nothing_runs_between_requests() {
    let key = Key::new("k1");
    let token = lasting_token(&key);
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    let mut then = 0;
    for hours in 1..=5 {
        // Each request has a runtime of its own, which ends with it and takes the task along.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            advance(HOUR * hours).await;
            assert!(server.verify(&token).await.is_ok());
        });
        assert!(fake.count() > then);
        then = fake.count();
    }
}

#[test]
fn keys_are_refreshed_on_a_runtime_of_several_threads() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (server, token) = (server.clone(), lasting_token(&key));
        let verified = tokio::spawn(async move { server.verify(&token).await.is_ok() });
        assert!(verified.await.unwrap());
        // One task is left; that the other is over is noticed a little later.
        while Handle::current().metrics().num_alive_tasks() != 1 {
            tokio::task::yield_now().await;
        }
    });
    let status = server.keys().remove(0);
    assert!(status.next_refresh.is_some_and(|next| next > Duration::from_secs(400)));
    // The runtime ends first, then the server.
    drop(runtime);
    assert_eq!(server.keys()[0].state, KeyState::Fresh);
}

#[tokio::test(start_paused = true)]
async fn the_status_says_what_an_operator_wants_to_know() {
    let (one, two) = (Key::new("k1"), Key::new("k2"));
    let set = serde_json::json!({ "keys": [one.jwk(), { "kty": "XYZ" }, two.jwk(), two.jwk()] });
    let fake = SimulatedAs::publishing(set.to_string());
    let fixed = Issuer::with_jwks("https://fixed.example", one.jwks()).audience("a");
    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{ISSUER}{JWKS}"));
    let server = fake.builder(issuer).issuer(fixed).build().unwrap();

    let before = server.keys();
    assert_eq!(before.len(), 2);
    assert_eq!(before[0].issuer, ISSUER);
    assert_eq!(before[0].state, KeyState::Missing);
    assert_eq!((before[0].age, before[0].next_refresh), (None, None));
    assert_eq!(before[1].issuer, "https://fixed.example");
    assert_eq!(before[1].source, "the configured key set");
    assert_eq!((before[1].state, before[1].keys), (KeyState::Fresh, 1));
    assert_eq!(before[1].next_refresh, None);

    server.load_keys().await.unwrap();
    sleep(Duration::from_secs(60)).await;
    let status = server.keys().remove(0);
    assert_eq!(status.address.as_deref(), Some("https://as.example/jwks"));
    assert_eq!(status.source, "https://as.example/jwks");
    assert_eq!((status.state, status.keys), (KeyState::Fresh, 3));
    assert_eq!(status.kids, ["k1", "k2"]);
    assert_eq!(status.ignored.len(), 1);
    assert!(status.ignored[0].starts_with("key 2: "), "{:?}", status.ignored);
    assert_eq!(status.age, Some(Duration::from_secs(60)));
    let next = status.next_refresh.unwrap().as_secs_f64();
    assert!((390.0..=450.0).contains(&next), "{next}");
    assert_eq!((status.last_error, status.metadata_error), (None, None));
    assert_eq!((status.fetches.attempts, status.fetches.failed), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failing_server_is_told_of_once_per_change_and_not_per_request() {
    log::start();
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::new(|_| Reply::Unreachable);
    let server = fake.server();
    let token = lasting_token(&old);
    for _ in 0..60 {
        assert!(server.verify(&token).await.is_err());
        sleep(Duration::from_secs(1)).await;
    }
    let lines = log::take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("WARN keys cannot be loaded, tokens get 503"), "{lines:?}");
    assert!(lines[0].contains("https://as.example/jwks: unreachable: nobody is there"));

    fake.answer_with(|_| Reply::Answer(answer(500, "text/plain", "")));
    for _ in 0..300 {
        sleep(Duration::from_secs(1)).await;
        assert!(server.verify(&token).await.is_err());
    }
    let lines = log::take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("answered with status 500"), "another fault, told later: {lines:?}");

    fake.publish(old.jwks());
    sleep(Duration::from_secs(1)).await;
    assert!(server.verify(&token).await.is_ok());
    let lines = log::take();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("INFO keys can be loaded again"), "{lines:?}");
    assert!(lines[1].starts_with("INFO keys loaded"), "{lines:?}");

    fake.answer_with(|_| Reply::Answer(answer(200, "application/json", r#"{"keys":[]}"#)));
    for _ in 0..HOUR.as_secs() {
        sleep(Duration::from_secs(1)).await;
        assert!(server.verify(&token).await.is_ok());
        assert!(server.verify(&lasting_token(&new)).await.is_err());
    }
    let lines = log::take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("WARN keys cannot be refreshed, those that are there stay in use")
            && lines[0].contains("the key set is empty"),
        "{lines:?}"
    );

    fake.publish(new.jwks());
    sleep(HOUR).await;
    let lines = log::take();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("keys have changed") && lines[1].contains("now=k2 before=k1"));
}

#[tokio::test(start_paused = true)]
async fn disc_07_keys_and_metadata_fail_independently_of_each_other() {
    type Metadata = fn() -> Reply;
    log::start();
    let (one, two, three) = (Key::new("k1"), Key::new("k2"), Key::new("k3"));
    let script = |metadata: Metadata, jwks: String| {
        move |asked: &support::simulated_as::Asked| match asked.path.as_str() {
            METADATA => metadata(),
            JWKS => Reply::Answer(key_set(&jwks)),
            "/moved" => Reply::Answer(key_set(&jwks)),
            _ => Reply::Answer(answer(404, "", "")),
        }
    };
    let good = || Reply::Answer(metadata_to("https://as.example/jwks"));
    let fake = SimulatedAs::new(script(good, one.jwks()));
    let server = fake.discovering_server();
    server.load_keys().await.unwrap();
    log::take();

    // Rotation while the metadata is gone, wrong, or slower than anybody waits.
    let faults: [(Metadata, &str); 5] = [
        (|| Reply::Unreachable, "unreachable"),
        (|| Reply::Answer(answer(500, "", "")), "status 500"),
        (
            || Reply::Answer(metadata("https://evil.example", "https://e/k")),
            "names another issuer than the configured one",
        ),
        (|| Reply::Answer(answer(200, "application/json", "{")), "is not a JSON object"),
        (|| Reply::Never, "no complete answer within 5 s"),
    ];
    for (index, (metadata, told)) in faults.into_iter().enumerate() {
        let rotated = Key::new(&format!("r{index}"));
        fake.answer_with(script(metadata, rotated.jwks()));
        sleep(Duration::from_secs(11)).await;
        let start = Instant::now();
        assert_eq!(kind(&server, &lasting_token(&rotated)).await, None, "{told}");
        assert!(start.elapsed() <= Duration::from_secs(1));
        // The last one keeps silent for a while.
        sleep(Duration::from_secs(5)).await;
        let status = server.keys().remove(0);
        assert_eq!(status.last_error, None);
        assert!(status.metadata_error.unwrap().contains(told), "{told}");
        // What is wrong in another way than before is told after five minutes.
        let lines = log::take();
        let is_first = index == 0;
        assert_eq!(lines.len(), 1 + usize::from(is_first), "{lines:?}");
        assert!(lines[0].contains("keys have changed"));
        if is_first {
            assert!(lines[1].contains("metadata cannot be refreshed") && lines[1].contains(told));
        }
    }
    fake.answer_with(script(good, two.jwks()));
    sleep(Duration::from_secs(11)).await;
    assert_eq!(kind(&server, &lasting_token(&two)).await, None);
    assert_eq!(server.keys()[0].metadata_error, None);
    assert!(log::take()[1].contains("metadata can be loaded again"));

    // The keys are gone and the metadata is not: those that are there stay.
    fake.answer_with(move |asked| match asked.path.as_str() {
        METADATA => good(),
        _ => Reply::Answer(answer(503, "", "")),
    });
    sleep(HOUR).await;
    assert!(is_accepted_at_once(&server, &lasting_token(&two)));
    assert!(
        server.keys()[0].last_error.as_ref().unwrap().contains("/jwks: answered with status 503")
    );

    // They are somewhere else now, and the old place still has the old ones.
    let (old, new) = (two.jwks(), three.jwks());
    fake.answer_with(move |asked| match asked.path.as_str() {
        METADATA => Reply::Answer(metadata_to("https://as.example/moved")),
        "/moved" => Reply::Answer(key_set(&new)),
        _ => Reply::Answer(key_set(&old)),
    });
    // Failures use up the budget for unknown keys.
    sleep(Duration::from_secs(11)).await;
    assert_eq!(kind(&server, &lasting_token(&three)).await, None);
    assert_eq!(kind(&server, &lasting_token(&two)).await, Some(RejectionKind::UnknownKey));
    assert_eq!(server.keys()[0].address.as_deref(), Some("https://as.example/moved"));

    // A place that does not work takes nothing away.
    fake.answer_with(move |asked| match asked.path.as_str() {
        METADATA => Reply::Answer(metadata_to("https://as.example/nowhere")),
        "/moved" => Reply::Answer(key_set(&three.jwks())),
        _ => Reply::Answer(answer(404, "", "")),
    });
    server.load_keys().await.unwrap_err();
    assert_eq!(server.keys()[0].kids, ["k3"]);
}

#[tokio::test(start_paused = true)]
async fn disc_07_a_refresh_that_nobody_waits_for_waits_for_slow_metadata() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let script = |delay: u64, place: &'static str| {
        let (old, new) = (old.jwks(), new.jwks());
        move |asked: &support::simulated_as::Asked| match asked.path.as_str() {
            METADATA => Reply::After(
                Duration::from_secs(delay),
                metadata_to(&format!("https://as.example{place}")),
            ),
            "/moved" => Reply::Answer(key_set(&new)),
            _ => Reply::Answer(key_set(&old)),
        }
    };
    let fake = SimulatedAs::new(script(0, JWKS));
    let server = fake.discovering_server();
    // A request has begun it, which would not have waited.
    assert_eq!(kind(&server, &lasting_token(&old)).await, None);
    fake.answer_with(script(3, "/moved"));
    // It begins after 510 seconds at the latest, and ten seconds after it the keys are asked for at
    // their new place.
    sleep(Duration::from_secs(540)).await;
    assert!(is_accepted_at_once(&server, &lasting_token(&new)));
    assert_eq!(server.keys()[0].metadata_error, None);
}

#[tokio::test(start_paused = true)]
async fn avail_09_no_request_waits_though_the_metadata_never_comes_and_keys_live_for_a_minute() {
    let key = Key::new("k1");
    let script = |metadata: fn() -> Reply, jwks: String| {
        move |asked: &support::simulated_as::Asked| match asked.path.as_str() {
            JWKS => Reply::Answer(with(key_set(&jwks), CACHE_CONTROL, "max-age=60")),
            _ => metadata(),
        }
    };
    let good = || Reply::Answer(metadata_to("https://as.example/jwks"));
    let fake = SimulatedAs::new(script(good, key.jwks()));
    let server = fake.discovering_server();
    let token = lasting_token(&key);
    server.load_keys().await.unwrap();
    fake.answer_with(script(|| Reply::Never, key.jwks()));
    for second in 0..2 * HOUR.as_secs() {
        sleep(Duration::from_secs(1)).await;
        assert!(is_accepted_at_once(&server, &token), "after {second} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_is_asked_about_where_it_was_and_nowhere_else() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let script = |place: &'static str| {
        let (old, new) = (old.jwks(), new.jwks());
        move |asked: &support::simulated_as::Asked| {
            let set = match asked.path.as_str() {
                METADATA => {
                    return Reply::Answer(metadata_to(&format!("https://as.example{place}")));
                }
                "/moved" => &new,
                _ => &old,
            };
            Reply::Answer(match asked.if_none_match.as_deref() {
                Some("\"1\"") => answer(304, "", ""),
                _ => with(key_set(set), ETAG, "\"1\""),
            })
        }
    };
    let fake = SimulatedAs::new(script(JWKS));
    let server = fake.discovering_server();
    server.load_keys().await.unwrap();
    fake.answer_with(script("/moved"));
    server.load_keys().await.unwrap();
    assert!(is_accepted_at_once(&server, &lasting_token(&new)));
    assert_eq!(kind(&server, &lasting_token(&old)).await, Some(RejectionKind::UnknownKey));
    let log = fake.log();
    let first = log.iter().find(|asked| asked.path == "/moved").unwrap();
    assert_eq!(first.if_none_match, None);
}

#[tokio::test(start_paused = true)]
async fn keys_that_have_moved_do_not_wait_for_the_place_where_they_were() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(old.jwks());
    let (one, two) = (old.jwks(), new.jwks());
    fake.answer_with(move |asked| match asked.path.as_str() {
        METADATA => Reply::Answer(metadata_to("https://as.example/jwks")),
        _ => Reply::Answer(key_set(&one)),
    });
    let server = fake.discovering_server();
    server.load_keys().await.unwrap();
    fake.answer_with(move |asked| match asked.path.as_str() {
        METADATA => Reply::Answer(metadata_to("https://as.example/moved")),
        "/moved" => Reply::Answer(key_set(&two)),
        _ => Reply::Never,
    });
    let start = Instant::now();
    assert_eq!(kind(&server, &lasting_token(&new)).await, None);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn disc_02_metadata_is_asked_for_where_it_was_found_before() {
    const OPENID: &str = "/.well-known/openid-configuration";
    let key = Key::new("k1");
    let script = |is_well: bool, jwks: String| {
        move |asked: &support::simulated_as::Asked| {
            Reply::Answer(match asked.path.as_str() {
                OPENID if is_well => metadata_to("https://as.example/jwks"),
                OPENID => answer(500, "", ""),
                JWKS => key_set(&jwks),
                _ => answer(404, "", ""),
            })
        }
    };
    let fake = SimulatedAs::new(script(true, key.jwks()));
    let server = fake.discovering_server();
    let asked_first = || async {
        let before = fake.count();
        server.load_keys().await.unwrap();
        let log = fake.log();
        log[before..].iter().find(|asked| asked.path != JWKS).unwrap().path.clone()
    };
    assert_eq!(asked_first().await, METADATA);
    assert_eq!(asked_first().await, OPENID);
    fake.answer_with(script(false, key.jwks()));
    assert_eq!(asked_first().await, OPENID);
    assert!(server.keys()[0].metadata_error.is_some());
    assert_eq!(asked_first().await, OPENID, "and that is not forgotten when it fails");
}

#[tokio::test(start_paused = true)]
async fn metadata_that_is_known_is_not_sent_again() {
    let key = Key::new("k1");
    let jwks = key.jwks();
    let fake = SimulatedAs::new(move |asked| {
        Reply::Answer(match (asked.path.as_str(), asked.if_none_match.as_deref()) {
            (METADATA, Some("\"m\"")) => answer(304, "", ""),
            (METADATA, _) => with(metadata_to("https://as.example/jwks"), ETAG, "\"m\""),
            _ => key_set(&jwks),
        })
    });
    let server = fake.discovering_server();
    for _ in 0..3 {
        server.load_keys().await.unwrap();
        assert_eq!(server.keys()[0].metadata_error, None);
    }
    let log = fake.log();
    let asked: Vec<_> = log.iter().filter(|asked| asked.path == METADATA).collect();
    assert_eq!(asked.len(), 3);
    assert!(asked[1..].iter().all(|asked| asked.if_none_match.as_deref() == Some("\"m\"")));
    assert!(log.iter().all(|asked| asked.path == METADATA || asked.if_none_match.is_none()));
}

#[tokio::test(start_paused = true)]
async fn load_keys_is_about_all_issuers_and_names_those_without() {
    const OTHER: &str = "https://other.example";
    let key = Key::new("k1");
    let jwks = key.jwks();
    let fake = SimulatedAs::new(move |asked| match asked.path.as_str() {
        "/never" => Reply::Unreachable,
        _ => Reply::Answer(key_set(&jwks)),
    });
    let issuer = |name: &str, path: &str| Issuer::with_jwks_uri(name, format!("{name}{path}"));
    let server = |path| {
        let other = issuer(OTHER, path).audience("https://rs.example");
        fake.builder(issuer(ISSUER, JWKS)).issuer(other).build().unwrap()
    };
    let both = server("/there");
    both.load_keys().await.unwrap();
    assert!(both.keys().iter().all(|status| status.state == KeyState::Fresh));
    // The order in which they are asked is another one each time.
    for _ in 0..16 {
        let error = server("/never").load_keys().await.unwrap_err().to_string();
        assert!(error.starts_with("https://other.example: ") && !error.contains('\n'), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_asked_for_its_metadata_in_one_place() {
    let silences: [(fn() -> Reply, u64); 2] = [(|| Reply::Never, 5), (|| Reply::Unreachable, 0)];
    for (silence, seconds) in silences {
        let fake = SimulatedAs::new(move |_| silence());
        let start = Instant::now();
        fake.discovering_server().load_keys().await.unwrap_err();
        assert_eq!((fake.count(), start.elapsed().as_secs()), (1, seconds));
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_cannot_be_used_is_told_of_once() {
    log::start();
    let with_a_bad_one =
        |key: &Key| serde_json::json!({ "keys": [key.jwk(), { "kty": "XYZ" }] }).to_string();
    let fake = SimulatedAs::publishing(with_a_bad_one(&Key::new("k1")));
    let server = fake.server();
    server.load_keys().await.unwrap();
    fake.publish(with_a_bad_one(&Key::new("k2")));
    server.load_keys().await.unwrap();
    let warnings = log::take().into_iter().filter(|line| line.starts_with("WARN"));
    assert_eq!(warnings.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_version_with_an_enormous_name_is_not_asked_about() {
    for (length, is_asked) in [(1024, true), (1025, false)] {
        let jwks = Key::new("k1").jwks();
        let etag = HeaderValue::try_from(format!("\"{}\"", "x".repeat(length - 2))).unwrap();
        let fake = SimulatedAs::new(move |_| {
            let mut response = key_set(&jwks);
            response.headers_mut().insert(ETAG, etag.clone());
            Reply::Answer(response)
        });
        let server = fake.server();
        server.load_keys().await.unwrap();
        server.load_keys().await.unwrap();
        assert_eq!(fake.log()[1].if_none_match.is_some(), is_asked, "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_file_that_changes_counts_within_five_seconds() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let path = std::env::temp_dir().join(format!("portcullis-keys-{}.json", std::process::id()));
    std::fs::write(&path, old.jwks()).unwrap();
    let issuer = Issuer::with_jwks_file(ISSUER, &path).audience("https://rs.example");
    let server = support::server::builder().issuer(issuer).build().unwrap();
    assert!(is_accepted_at_once(&server, &lasting_token(&old)));
    std::fs::write(&path, new.jwks()).unwrap();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(kind(&server, &lasting_token(&old)).await, Some(RejectionKind::UnknownKey));
    assert_eq!(kind(&server, &lasting_token(&new)).await, None);
    // A broken file replaces nothing.
    std::fs::write(&path, "{").unwrap();
    sleep(HOUR).await;
    assert!(is_accepted_at_once(&server, &lasting_token(&new)));
    assert!(server.keys()[0].last_error.is_some());
    std::fs::write(&path, old.jwks()).unwrap();
    sleep(Duration::from_secs(6)).await;
    assert_eq!(kind(&server, &lasting_token(&old)).await, None);
    std::fs::remove_file(&path).unwrap();
}
