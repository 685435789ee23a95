//! The key store on a network that partitions, hangs, is slow and loses messages, and beside an
//! authorization server that goes down and comes back (SPEC §13), in simulated time.

mod support;

use std::sync::Arc;
use std::time::Duration;

use portcullis::{KeyState, RejectionKind};
use support::keys::Key;
use support::simulation::{AS, JWKS, Loss, RS, Reply, Scene, Simulation};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn key(kid: &str) -> Arc<Key> {
    Arc::new(Key::new(kid))
}

#[track_caller]
fn assert_unaffected(reply: &Reply) {
    assert!(reply.result.is_ok(), "{reply:?}");
    assert_eq!(reply.waited, Duration::ZERO);
}

/// 503 with a time to come back, after two seconds at the most.
#[track_caller]
fn assert_unavailable(reply: &Reply) {
    let Err(rejection) = &reply.result else { panic!("{reply:?}") };
    assert_eq!(rejection.kind(), RejectionKind::KeysUnavailable);
    assert_eq!(rejection.status(), 503);
    assert!(
        rejection.retry_after().is_some_and(|seconds| (1..=60).contains(&seconds)),
        "{reply:?}"
    );
    assert!(reply.waited <= 2500 * MILLISECOND, "{reply:?}");
}

#[track_caller]
fn assert_unknown(reply: &Reply) {
    let kind = reply.result.as_ref().map_err(|rejection| rejection.kind());
    assert_eq!(kind, Err(RejectionKind::UnknownKey));
}

/// Asks again and again until this key is accepted, which has to be the case by then.
async fn assert_accepted_within(limit: Duration, scene: &Scene, key: &Key) {
    let start = Instant::now();
    loop {
        let reply = scene.request(key).await;
        assert!(start.elapsed() <= limit, "{reply:?}");
        if reply.result.is_ok() {
            return;
        }
        sleep(100 * MILLISECOND).await;
    }
}

#[test]
fn avail_03_a_partition_of_a_day_costs_no_good_token() {
    Simulation::new().run(|scene| async move {
        let k1 = key("k1");
        scene.site.publish(&[&k1]);
        scene.server.load_keys().await.unwrap();
        let loaded = Instant::now();
        turmoil::partition(RS, AS);
        // Keys live for ten minutes, and then for a day while there are no others.
        let dead = loaded + 10 * MINUTE + 24 * HOUR;
        while Instant::now() + 10 * MINUTE < dead {
            scene.pass(10 * MINUTE).await;
            assert_unaffected(&scene.request(&k1).await);
        }
        let status = scene.status();
        assert_eq!(status.state, KeyState::Stale);
        assert!((288..=400).contains(&status.fetches.failed), "{status:?}");
        // Any attempt that fails stands for one for an unknown key.
        scene.server.load_keys().await.unwrap_err();
        let reply = scene.request(&key("k2")).await;
        assert_unavailable(&reply);
        assert_eq!(reply.waited, Duration::ZERO);
        assert_eq!(scene.status().fetches.failed, status.fetches.failed + 1);
        scene.pass(dead - SECOND - Instant::now()).await;
        assert_unaffected(&scene.request(&k1).await);
        scene.pass(2 * SECOND).await;
        assert_unavailable(&scene.request(&k1).await);
        assert_eq!(scene.status().state, KeyState::Missing);
        turmoil::repair(RS, AS);
        assert_accepted_within(2 * SECOND, &scene, &k1).await;
    });
}

#[test]
fn avail_01_avail_06_a_partition_from_the_start_ends_within_two_seconds_of_its_repair() {
    // Where nothing is told of a lost packet, the operating system takes up to two seconds to send
    // it again.
    for (loss, limit) in [(Loss::Told, 2 * SECOND), (Loss::Silent, 3 * SECOND)] {
        // Repaired at different times after the beginning of an attempt.
        for tenths in [100, 113, 127, 141] {
            let down = tenths * 100 * MILLISECOND;
            Simulation::new().loss(loss).run(move |scene| down_from_the_start(scene, down, limit));
        }
    }
}

/// With ten requests each second.
async fn down_from_the_start(scene: Scene, down: Duration, limit: Duration) {
    let k1 = key("k1");
    scene.site.publish(&[&k1]);
    turmoil::partition(RS, AS);
    let start = Instant::now();
    let mut requests = JoinSet::new();
    while start.elapsed() < down + limit {
        if start.elapsed() == down {
            assert_eq!(scene.status().state, KeyState::Missing);
            turmoil::repair(RS, AS);
        }
        let (scene, k1) = (scene.clone(), Arc::clone(&k1));
        requests.spawn_local(async move { (scene.request(&k1).await, start.elapsed()) });
        sleep(100 * MILLISECOND).await;
    }
    for (reply, end) in requests.join_all().await {
        match &reply.result {
            Ok(()) => assert!(end >= down),
            Err(_) => {
                assert_unavailable(&reply);
                assert!(end <= down + limit, "{end:?}: {reply:?}");
            }
        }
    }
    assert_unaffected(&scene.request(&k1).await);
    assert_eq!(scene.status().state, KeyState::Fresh);
    let attempts = scene.status().fetches.attempts;
    assert!((3..=16).contains(&attempts), "one each second, not one each request: {attempts}");
}

#[test]
fn avail_05_avail_08_a_network_that_hangs_costs_new_keys_two_seconds_and_good_tokens_nothing() {
    // Less than the first attempt takes, and more than many do.
    for (hangs_for, limit) in [(3 * SECOND, SECOND), (MINUTE, 11 * SECOND)] {
        Simulation::new().run(move |scene| async move {
            let (k1, k2) = (key("k1"), key("k2"));
            scene.site.publish(&[&k1]);
            scene.server.load_keys().await.unwrap();
            scene.site.publish(&[&k1, &k2]);
            turmoil::hold(RS, AS);
            let start = Instant::now();
            let mut requests = JoinSet::new();
            while start.elapsed() < hangs_for {
                let (scene, k2) = (scene.clone(), Arc::clone(&k2));
                assert_unaffected(&scene.request(&k1).await);
                requests.spawn_local(async move { (scene.request(&k2).await, Instant::now()) });
                sleep(100 * MILLISECOND).await;
            }
            turmoil::release(RS, AS);
            assert_accepted_within(limit, &scene, &k2).await;
            for (reply, end) in requests.join_all().await {
                match &reply.result {
                    Ok(()) => assert!(end >= start + hangs_for),
                    Err(_) => assert_unavailable(&reply),
                }
            }
            let failed = scene.status().fetches.failed;
            assert!(failed <= 1 + hangs_for.as_secs() / 10, "{failed}");
        });
    }
}

#[test]
fn avail_07_keys_that_are_rotated_while_the_server_is_down_are_there_with_the_first_request() {
    Simulation::new().run(|scene| async move {
        let (k1, k2) = (key("k1"), key("k2"));
        scene.site.publish(&[&k1]);
        scene.server.load_keys().await.unwrap();
        scene.crash().await;
        scene.site.publish(&[&k2]);
        assert_unaffected(&scene.request(&k1).await);
        assert_unavailable(&scene.request(&k2).await);
        // What failed counts as an attempt for an unknown key.
        sleep(10 * SECOND).await;
        assert_unaffected(&scene.request(&k1).await);
        scene.bounce().await;
        let reply = scene.request(&k2).await;
        assert!(reply.result.is_ok() && reply.waited < SECOND, "{reply:?}");
        assert_unaffected(&scene.request(&k2).await);
        let fetches = scene.site.key_fetches();
        assert_unknown(&scene.request(&k1).await);
        assert_eq!(scene.site.key_fetches(), fetches);
    });
}

#[test]
fn avail_09_nobody_waits_for_keys_that_come_over_a_slow_link() {
    let network = Simulation::new().tick(50 * MILLISECOND).latency(200, 800).max_age(MINUTE);
    network.run(|scene| async move {
        let k1 = key("k1");
        scene.site.publish(&[&k1]);
        scene.server.load_keys().await.unwrap();
        let start = Instant::now();
        while start.elapsed() < 6 * MINUTE {
            sleep(500 * MILLISECOND).await;
            assert_unaffected(&scene.request(&k1).await);
            assert_eq!(scene.status().state, KeyState::Fresh);
        }
        let fetches = scene.status().fetches;
        assert_eq!(fetches.failed, 0);
        // The first, and one in 45 to 51 seconds and the time that it takes.
        assert!((7..=9).contains(&fetches.attempts), "{fetches:?}");
    });
}

#[test]
fn avail_09_nobody_waits_for_keys_that_come_over_a_lossy_link() {
    for loss in [Loss::Told, Loss::Silent] {
        let network = Simulation::new().tick(100 * MILLISECOND).loses(0.2, 0.5).max_age(MINUTE);
        network.loss(loss).run(|scene| async move {
            let k1 = key("k1");
            scene.site.publish(&[&k1]);
            while scene.server.load_keys().await.is_err() {
                sleep(SECOND).await;
            }
            let start = Instant::now();
            while start.elapsed() < 12 * MINUTE {
                sleep(SECOND).await;
                assert_unaffected(&scene.request(&k1).await);
            }
            let fetches = scene.status().fetches;
            assert!(fetches.failed >= 1, "the link is to lose something: {fetches:?}");
        });
    }
}

#[test]
fn avail_03_keys_that_cannot_be_had_stay_in_use_though_the_metadata_can() {
    for loss in [Loss::Told, Loss::Silent] {
        let network = Simulation::new().tick(100 * MILLISECOND).keys_apart().max_age(MINUTE);
        network.loss(loss).run(|scene| async move {
            let (k1, k2) = (key("k1"), key("k2"));
            scene.site.publish(&[&k1]);
            scene.server.load_keys().await.unwrap();
            scene.site.publish(&[&k1, &k2]);
            turmoil::partition(RS, JWKS);
            for _ in 0..20 {
                sleep(10 * SECOND).await;
                assert_unaffected(&scene.request(&k1).await);
            }
            assert_unavailable(&scene.request(&k2).await);
            let status = scene.status();
            assert_eq!(status.state, KeyState::Stale);
            assert!(status.last_error.is_some_and(|error| error.contains("http://jwks/jwks")));
            turmoil::repair(RS, JWKS);
            // Ten after the attempt before, and a connection takes up to two.
            assert_accepted_within(13 * SECOND, &scene, &k2).await;
            assert_eq!(scene.status().state, KeyState::Fresh);
        });
    }
}

#[test]
fn disc_07_a_rotation_is_noticed_though_the_metadata_cannot_be_had() {
    let partition = || turmoil::partition(RS, AS);
    let hang = || turmoil::hold(RS, AS);
    let outages: [(fn(), Loss); 3] =
        [(partition, Loss::Told), (partition, Loss::Silent), (hang, Loss::Told)];
    for (outage, loss) in outages {
        let network = Simulation::new().tick(100 * MILLISECOND).keys_apart().max_age(MINUTE);
        network.loss(loss).run(move |scene| async move {
            let (k1, k2) = (key("k1"), key("k2"));
            scene.site.publish(&[&k1]);
            scene.server.load_keys().await.unwrap();
            outage();
            scene.site.publish(&[&k2]);
            // A request grants the metadata a second.
            let reply = scene.request(&k2).await;
            assert!(reply.result.is_ok() && reply.waited < 1500 * MILLISECOND, "{reply:?}");
            assert_unknown(&scene.request(&k1).await);
            // And so it goes on.
            for _ in 0..30 {
                sleep(10 * SECOND).await;
                assert_unaffected(&scene.request(&k2).await);
                assert_eq!(scene.status().last_error, None);
                assert!(scene.status().metadata_error.is_some());
            }
            assert_eq!(scene.status().fetches.failed, 0);
        });
    }
}

#[test]
fn disc_07_an_attempt_at_a_server_that_hangs_takes_as_long_as_one_answer_may() {
    Simulation::new().run(|scene| async move {
        scene.site.publish(&[&key("k1")]);
        scene.server.load_keys().await.unwrap();
        turmoil::hold(RS, AS);
        let start = Instant::now();
        scene.server.load_keys().await.unwrap_err();
        assert!(start.elapsed() < 6 * SECOND, "{:?}", start.elapsed());
    });
}
