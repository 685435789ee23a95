//! One call for those who ask at once, and answers that are kept for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::testing::ManualClock;
use portcullis::{Introspection, Issuer, RejectionKind, ResourceServer};
use serde_json::json;
use tokio::task::JoinSet;

use super::support::fixture::NOW;
use super::support::scripted_as::{Reply, ScriptedAs};
use super::{OPAQUE, PATH, active, answering, introspecting};

/// The last call here sets the size, whatever the suite is run with.
fn keeping(fake: &ScriptedAs) -> ResourceServer {
    introspecting(fake).token_cache(100).build().unwrap()
}

async fn says(answer: serde_json::Value) -> ScriptedAs {
    answering(move |_| Reply::json(answer.to_string())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn intro_11_who_asks_at_once_shares_one_call() {
    for remembered in [0, 100] {
        let good = active(json!({})).to_string();
        let fake =
            answering(move |_| Reply::json(good.clone()).after(Duration::from_millis(300))).await;
        let server = introspecting(&fake).token_cache(remembered).build().unwrap();
        let mut requests = JoinSet::new();
        for _ in 0..100 {
            let server = server.clone();
            requests.spawn(async move { server.verify(OPAQUE).await.is_ok() });
        }
        assert!(requests.join_all().await.into_iter().all(|is_good| is_good));
        assert_eq!(fake.count(PATH), 1);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nobody_else_waiting() {
    let good = active(json!({})).to_string();
    let fake =
        answering(move |_| Reply::json(good.clone()).after(Duration::from_millis(100))).await;
    let server = keeping(&fake);
    // Polled once, which is far enough to have asked.
    tokio::time::timeout(Duration::ZERO, server.verify(OPAQUE)).await.unwrap_err();
    server.verify(OPAQUE).await.unwrap();
    assert_eq!(fake.count(PATH), 1);
}

#[tokio::test]
async fn intro_10_answers_are_kept_and_not_at_all_where_nothing_is_to_be() {
    for (answer, is_good) in [(active(json!({})), true), (json!({ "active": false }), false)] {
        let fake = says(answer).await;
        for (server, asked) in
            [(keeping(&fake), 1), (introspecting(&fake).token_cache(0).build().unwrap(), 3)]
        {
            let before = fake.count(PATH);
            for _ in 0..3 {
                assert_eq!(server.verify(OPAQUE).await.is_ok(), is_good);
            }
            assert_eq!(fake.count(PATH) - before, asked);
        }
    }
}

#[tokio::test]
async fn intro_10_tokens_are_told_apart_in_full() {
    let fake = answering(|asked| {
        let is_active = asked.form("token").as_deref() == Some("token-a");
        Reply::json(
            if is_active { active(json!({})) } else { json!({ "active": false }) }.to_string(),
        )
    })
    .await;
    let server = keeping(&fake);
    for _ in 0..2 {
        server.verify("token-a").await.unwrap();
        for other in ["token-A", "token-", "token-aa", "token-b"] {
            let kind = server.verify(other).await.unwrap_err().kind();
            assert_eq!(kind, RejectionKind::Inactive, "{other}");
        }
    }
    assert_eq!(fake.count(PATH), 5);
}

/// Without a socket, whose timeouts would not wait for a paused clock.
struct Scene {
    clock: ManualClock,
    calls: Arc<AtomicUsize>,
    server: ResourceServer,
}

impl Scene {
    fn new(status: u16, answer: serde_json::Value) -> Self {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let client = tower::service_fn(move |_: Request<Full<Bytes>>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let response = Response::builder().status(status);
            let response = response.body(Full::<Bytes>::from(answer.to_string())).unwrap();
            async { Ok::<_, std::io::Error>(response) }
        });
        let clock = ManualClock::at(UNIX_EPOCH + Duration::from_secs(NOW));
        let asking = Introspection::at("https://as.example/introspect").basic("rs", "s");
        let server = super::builder(Issuer::introspected(super::ISSUER, asking))
            .clock(clock.clone())
            .http_client(client)
            .token_cache(100)
            .build()
            .unwrap();
        Self { clock, calls, server }
    }

    async fn pass(&self, milliseconds: u64) {
        let time = Duration::from_millis(milliseconds);
        self.clock.advance(time);
        tokio::time::advance(time).await;
    }

    /// The verdict, and how many calls there were so far.
    async fn verify(&self) -> (Result<(), RejectionKind>, usize) {
        let verdict = self.server.verify(OPAQUE).await.map(drop).map_err(|refused| refused.kind());
        (verdict, self.calls.load(Ordering::Relaxed))
    }
}

#[tokio::test(start_paused = true)]
async fn intro_10_a_token_that_is_kept_dies_at_its_end_and_is_asked_about_again() {
    let scene = Scene::new(200, active(json!({ "exp": NOW + 3 })));
    assert_eq!(scene.verify().await, (Ok(()), 1));
    scene.pass(2_999).await;
    assert_eq!(scene.verify().await, (Ok(()), 1));
    // Within the leeway, but no longer without asking.
    scene.pass(1).await;
    assert_eq!(scene.verify().await, (Ok(()), 2));
    assert_eq!(scene.verify().await, (Ok(()), 3));
    scene.pass(60_000).await;
    assert_eq!(scene.verify().await, (Err(RejectionKind::Expired), 4));
    // What is refused may be good five seconds later.
    scene.pass(4_999).await;
    assert_eq!(scene.verify().await, (Err(RejectionKind::Expired), 4));
    scene.pass(1).await;
    assert_eq!(scene.verify().await, (Err(RejectionKind::Expired), 5));
}

#[tokio::test(start_paused = true)]
async fn intro_10_a_revoked_token_is_noticed_within_a_minute() {
    let scene = Scene::new(200, active(json!({})));
    assert_eq!(scene.verify().await, (Ok(()), 1));
    scene.pass(59_999).await;
    assert_eq!(scene.verify().await, (Ok(()), 1));
    scene.pass(1).await;
    assert_eq!(scene.verify().await, (Ok(()), 2));
}

#[tokio::test(start_paused = true)]
async fn intro_10_a_token_that_is_kept_is_judged_by_the_clock_at_every_request() {
    let scene = Scene::new(200, active(json!({ "exp": NOW + 30 })));
    assert_eq!(scene.verify().await, (Ok(()), 1));
    // A wall clock that is set, which the runtime knows nothing of.
    scene.clock.advance(Duration::from_secs(90));
    assert_eq!(scene.verify().await, (Err(RejectionKind::Expired), 1));
}

#[tokio::test(start_paused = true)]
async fn f41_a_server_that_fails_is_asked_about_one_token_once_a_second() {
    let scene = Scene::new(500, json!({}));
    for calls in 1..4 {
        for _ in 0..3 {
            let unavailable = Err(RejectionKind::IntrospectionUnavailable);
            assert_eq!(scene.verify().await, (unavailable, calls));
        }
        scene.pass(1_000).await;
    }
}
