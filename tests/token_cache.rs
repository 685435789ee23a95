//! A token that was verified is remembered; what was found out then never outlives its key, its
//! time or a stricter route.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portcullis::{
    AccessToken, Algorithm, Clock, Issuer, Rejection, RejectionKind, ResourceServer,
    ResourceServerBuilder, clients, policy, scope,
};
use proptest::prelude::*;
use serde_json::json;
use support::fixture::{Expected, Fixture, NOW, RESOURCE, bearer, send, send_through};
use support::folder::Folder;
use support::keys::{Key, changed};
use support::simulated_as::{self, Reply, SimulatedAs, lasting_token};
use tokio::time::sleep;

/// A clock that is set by hand. Unix seconds.
#[derive(Clone)]
struct Set(Arc<AtomicU64>);

impl Set {
    fn at(seconds: u64) -> Self {
        Self(Arc::new(seconds.into()))
    }

    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for Set {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// Where the claims of this token are: at the same place as those of another that is still held
/// only if nothing was verified in between.
fn place(token: &AccessToken) -> *const u8 {
    token.client_id().unwrap().as_ptr()
}

/// What comes of a token that is presented once more.
struct Again {
    is_remembered: bool,
}

async fn again(server: &ResourceServer, token: &str, first: &AccessToken) -> Again {
    let second = server.verify(token).await.unwrap();
    Again { is_remembered: place(&second) == place(first) }
}

/// A remembering one that gets its keys there.
fn simulated(fake: &SimulatedAs) -> ResourceServer {
    cached(fake.builder(simulated_issuer()))
}

fn simulated_issuer() -> Issuer {
    let address = format!("{}{}", simulated_as::ISSUER, simulated_as::JWKS);
    Issuer::with_jwks_uri(simulated_as::ISSUER, address)
}

fn cached(builder: ResourceServerBuilder) -> ResourceServer {
    builder.token_cache(100).build().unwrap()
}

#[tokio::test]
async fn a_token_that_comes_again_is_not_verified_again() {
    let fixture = Fixture::new();
    let server = cached(fixture.builder());
    let token = fixture.good();
    let first = server.verify(&token).await.unwrap();
    for time in 0..20 {
        assert!(again(&server, &token, &first).await.is_remembered, "{time}");
    }
    // Nor on other threads.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for time in 0..5 {
                    let again = runtime.block_on(again(&server, &token, &first));
                    assert!(again.is_remembered, "{time}");
                }
            });
        }
    });
    let other = fixture.at(json!({ "jti": "another" }));
    assert!(!again(&server, &other, &first).await.is_remembered);
}

#[tokio::test]
async fn hits_and_misses_are_counted() {
    let fixture = Fixture::new();
    let server = cached(fixture.builder());
    let counts = || {
        let status = server.token_cache().unwrap();
        (status.hits, status.misses, status.entries)
    };
    assert_eq!(counts(), (0, 0, 0));
    let token = fixture.good();
    assert!(server.verify(&token).await.is_ok());
    assert_eq!(counts(), (0, 1, 1));
    for _ in 0..5 {
        assert!(server.verify(&token).await.is_ok());
    }
    assert_eq!(counts(), (5, 1, 1));
    // Nobody looks for what is no JWT; what is not good is looked for and not kept.
    assert!(server.verify("opaque").await.is_err());
    let expired = fixture.at(json!({ "exp": NOW - 1000 }));
    for _ in 0..2 {
        assert_eq!(kind(server.verify(&expired).await), Some(RejectionKind::Expired));
    }
    assert_eq!(counts(), (5, 3, 1));
    let off = fixture.builder().token_cache(0).build().unwrap();
    assert!(off.verify(&token).await.is_ok());
    assert_eq!(off.token_cache(), None);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_waits_for_keys_counts_once() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let (server, token) = (simulated(&fake), lasting_token(&key));
    for (hits, misses) in [(0, 1), (1, 1)] {
        assert!(server.verify(&token).await.is_ok());
        let status = server.token_cache().unwrap();
        assert_eq!((status.hits, status.misses), (hits, misses));
    }
}

#[tokio::test]
async fn zero_switches_it_off() {
    let fixture = Fixture::new();
    let server = fixture.builder().token_cache(0).build().unwrap();
    let token = fixture.good();
    let first = server.verify(&token).await.unwrap();
    for _ in 0..3 {
        assert!(!again(&server, &token, &first).await.is_remembered);
    }
    // The largest number of tokens is not made room for beforehand.
    let server = fixture.builder().token_cache(usize::MAX).build().unwrap();
    let first = server.verify(&token).await.unwrap();
    assert!(again(&server, &token, &first).await.is_remembered);
}

#[tokio::test]
async fn jwt_01_a_remembered_token_expires_to_the_second() {
    let fixture = Fixture::new();
    let clock = Set::at(NOW);
    let server = cached(fixture.builder().clock(clock.clone()));
    let token = fixture.at(json!({ "exp": NOW + 300 }));
    for _ in 0..3 {
        assert!(server.verify(&token).await.is_ok());
    }
    clock.set(NOW + 300 + 59);
    let first = server.verify(&token).await.unwrap();
    assert!(again(&server, &token, &first).await.is_remembered);
    clock.set(NOW + 300 + 60);
    for _ in 0..3 {
        assert_eq!(kind(server.verify(&token).await), Some(RejectionKind::Expired));
    }
    // Nor has that been forgotten: a clock that is put back makes it good again, as it would have
    // without a memory.
    clock.set(NOW);
    assert!(again(&server, &token, &first).await.is_remembered);
}

#[tokio::test]
async fn jwt_02_jwt_03_a_remembered_token_is_not_good_before_its_time() {
    let fixture = Fixture::new();
    for claim in ["nbf", "iat"] {
        let clock = Set::at(NOW);
        let server = cached(fixture.builder().clock(clock.clone()));
        let token = fixture.at(json!({ "iat": NOW - 1000, claim: NOW }));
        for _ in 0..3 {
            assert!(server.verify(&token).await.is_ok());
        }
        clock.set(NOW - 60);
        assert!(server.verify(&token).await.is_ok(), "{claim}");
        clock.set(NOW - 61);
        for _ in 0..3 {
            assert_eq!(kind(server.verify(&token).await), Some(RejectionKind::NotYetValid));
        }
        clock.set(NOW);
        assert!(server.verify(&token).await.is_ok(), "{claim}");
    }
}

#[tokio::test]
async fn a_clock_before_1970_judges_no_remembered_token() {
    struct Early;
    impl Clock for Early {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH - Duration::from_secs(1)
        }
    }
    let fixture = Fixture::new();
    let server = cached(fixture.builder().clock(Early));
    for _ in 0..3 {
        assert_eq!(kind(server.verify(&fixture.good()).await), Some(RejectionKind::Internal));
    }
}

#[tokio::test]
async fn a_stricter_route_is_not_passed_with_the_verdict_of_another() {
    let fixture = Fixture::new();
    let server = cached(fixture.builder());
    let token = fixture.at(json!({ "scope": "read" }));
    for _ in 0..3 {
        send(&server, bearer(&token)).await.is(Expected::Ok, "its scope");
        let admin = send_through(&server, scope("admin"), bearer(&token)).await;
        assert_eq!(admin.status(), 403);
        assert_eq!(admin.challenge().parameter("scope"), Some("admin"));
        let client = send_through(&server, clients(), bearer(&token)).await;
        assert_eq!((client.status(), client.challenge().parameter("error")), (403, None));
        let nobody = send_through(&server, policy(|_| false), bearer(&token)).await;
        assert_eq!(nobody.status(), 403);
        send(&server, bearer(&token)).await.is(Expected::Ok, "its scope");
    }
    // Policies are asked each time, not once for each token.
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let odd = policy(move |_| count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2));
    let server = cached(fixture.builder().required(odd));
    let mut verdicts = Vec::new();
    for _ in 0..6 {
        verdicts.push(server.verify(&token).await.is_ok());
    }
    assert!(verdicts.contains(&true) && verdicts.contains(&false), "{verdicts:?}");
}

#[tokio::test]
async fn res_09_what_one_server_knows_is_nothing_to_another() {
    let fixture = Fixture::new();
    let token = fixture.good();
    let server = cached(fixture.builder());
    for _ in 0..3 {
        assert!(server.verify(&token).await.is_ok());
    }
    let other_audience = cached(fixture.builder_with(fixture.issuer().audience("https://other")));
    assert_eq!(kind(other_audience.verify(&token).await), Some(RejectionKind::WrongAudience));
    let key = Key::new("k1");
    let other_key =
        cached(fixture.builder_with(Issuer::with_jwks("https://as.example", key.jwks())));
    assert_eq!(kind(other_key.verify(&token).await), Some(RejectionKind::BadSignature));
}

#[tokio::test]
async fn res_09_the_same_kid_at_two_issuers_is_two_keys() {
    let keys = [Key::new("k1"), Key::new("k1")];
    let issuers = ["https://one.example", "https://two.example"];
    let trusted = |at: usize| Issuer::with_jwks(issuers[at], keys[at].jwks()).audience(RESOURCE);
    let server = cached(support::server::builder().issuer(trusted(0)).issuer(trusted(1)));
    let tokens = [(0, 0), (0, 1), (1, 0), (1, 1)]
        .map(|(key, issuer)| (keys[key].token(issuers[issuer]), key == issuer));
    for _ in 0..3 {
        for (token, is_good) in &tokens {
            assert_eq!(server.verify(token).await.is_ok(), *is_good);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn avail_07_another_key_of_the_same_name_ends_what_the_first_has_verified() {
    let (old, new) = (Key::new("k1"), Key::new("k1"));
    let fake = SimulatedAs::publishing(old.jwks());
    let server = simulated(&fake);
    let token = lasting_token(&old);
    for _ in 0..3 {
        assert_eq!(simulated_as::kind(&server, &token).await, None);
    }
    fake.publish(new.jwks());
    server.load_keys().await.unwrap();
    for _ in 0..3 {
        let refused = simulated_as::kind(&server, &token).await;
        assert_eq!(refused, Some(RejectionKind::BadSignature));
    }
    // Nor has that made anybody forget what is right when the old key comes back.
    fake.publish(old.jwks());
    server.load_keys().await.unwrap();
    assert_eq!(simulated_as::kind(&server, &token).await, None);
}

#[tokio::test(start_paused = true)]
async fn avail_03_keys_that_are_too_old_carry_no_remembered_token() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = simulated(&fake);
    let token = lasting_token(&key);
    for _ in 0..3 {
        assert_eq!(simulated_as::kind(&server, &token).await, None);
    }
    fake.answer_with(|_| Reply::Unreachable);
    // Ten minutes of lifetime and a day of grace.
    sleep(Duration::from_secs(24 * 3600 + 601)).await;
    for _ in 0..3 {
        let refused = simulated_as::kind(&server, &token).await;
        assert_eq!(refused, Some(RejectionKind::KeysUnavailable));
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_fetched_again_unchanged_end_nothing() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = simulated(&fake);
    let token = lasting_token(&key);
    let first = server.verify(&token).await.unwrap();
    server.load_keys().await.unwrap();
    assert_eq!(fake.count(), 2);
    assert!(again(&server, &token, &first).await.is_remembered);
    let with_another = json!({ "keys": [key.jwk(), Key::new("k2").jwk()] });
    fake.publish(with_another.to_string());
    server.load_keys().await.unwrap();
    assert!(!again(&server, &token, &first).await.is_remembered);
}

#[tokio::test]
async fn avail_07_a_key_file_that_changes_ends_what_its_keys_have_verified() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let folder = Folder::new("token-cache");
    let path = folder.file();
    std::fs::write(&path, old.jwks()).unwrap();
    let issuer = Issuer::with_jwks_file("https://as.example", &path).audience(RESOURCE);
    let server = cached(support::server::builder().issuer(issuer));
    let token = old.token("https://as.example");
    for _ in 0..3 {
        assert!(server.verify(&token).await.is_ok());
    }
    std::fs::write(&path, new.jwks()).unwrap();
    server.load_keys().await.unwrap();
    assert_eq!(kind(server.verify(&token).await), Some(RejectionKind::UnknownKey));
}

#[tokio::test]
async fn hdr_14_no_other_spelling_of_a_remembered_token_passes() {
    let fixture = Fixture::new();
    let server = cached(fixture.builder());
    let token = fixture.good();
    for _ in 0..3 {
        assert!(server.verify(&token).await.is_ok());
    }
    for at in 0..token.len() {
        for replacement in ["", "A", "B", ".", "-", "\0", "AA"] {
            let mut other = token.clone();
            other.replace_range(at..=at, replacement);
            if other != token {
                assert!(server.verify(&other).await.is_err(), "{replacement:?} at {at}");
            }
        }
    }
    for other in [
        format!("{token}="),
        format!("{token}."),
        format!("{token}A"),
        format!("{token}{}", "A".repeat(16)),
        format!("{token}{}", "\0".repeat(16)),
        format!(" {token}"),
        format!("{token}{token}"),
    ] {
        assert!(server.verify(&other).await.is_err(), "{other}");
    }
}

#[tokio::test]
async fn claims_of_one_token_are_not_taken_for_those_of_another() {
    let fixture = Fixture::new();
    // Fewer places than tokens, so that they push one another out.
    let server = fixture.builder().token_cache(16).build().unwrap();
    let tokens: Vec<_> = (0..64)
        .map(|number| (fixture.at(json!({ "sub": format!("user {number}") })), number))
        .collect();
    for _ in 0..5 {
        for (token, number) in &tokens {
            let verified = server.verify(token).await.unwrap();
            assert_eq!(verified.subject().id(), Some(&*format!("user {number}")));
        }
    }
}

#[tokio::test]
async fn forged_tokens_push_nothing_out() {
    let fixture = Fixture::new();
    let server = fixture.builder().token_cache(8).build().unwrap();
    let good: Vec<_> = (0..4).map(|n| fixture.at(json!({ "jti": format!("good {n}") }))).collect();
    let mut held = Vec::new();
    for token in &good {
        held.push(server.verify(token).await.unwrap());
    }
    let forger = Key::new("k1");
    for number in 0..500 {
        let claims = changed(fixture.claims(), json!({ "jti": format!("forged {number}") }));
        let forged = forger.sign_json(&fixture.header(), &claims);
        assert_eq!(kind(server.verify(&forged).await), Some(RejectionKind::BadSignature));
    }
    for (token, first) in good.iter().zip(&held) {
        assert!(again(&server, token, first).await.is_remembered);
    }
}

#[tokio::test]
async fn a_token_that_comes_often_stays_while_many_come_once() {
    let fixture = Fixture::new();
    let server = fixture.builder().token_cache(64).build().unwrap();
    let often = fixture.good();
    let first = server.verify(&often).await.unwrap();
    let mut remembered = 0;
    for number in 0..1000 {
        let once = fixture.at(json!({ "jti": format!("once {number}") }));
        assert!(server.verify(&once).await.is_ok());
        remembered += usize::from(again(&server, &often, &first).await.is_remembered);
    }
    assert_eq!(remembered, 1000);
}

/// 100 entries of 2 KiB on average.
#[tokio::test]
async fn large_tokens_leave_room_for_fewer() {
    let fixture = Fixture::new();
    let server = cached(fixture.builder());
    let mut held = Vec::new();
    for number in 0..100 {
        let token = fixture.at(json!({ "x": "x".repeat(7_000), "jti": number.to_string() }));
        held.push((server.verify(&token).await.unwrap(), token));
    }
    let mut kept = 0;
    // The last ones first, as looking for one that is not there puts others out.
    for (first, token) in held.iter().rev() {
        kept += usize::from(again(&server, token, first).await.is_remembered);
    }
    assert!((1..=225 / 7).contains(&kept), "{kept}");
}

#[tokio::test]
async fn issuers_need_not_allow_the_same_algorithms() {
    let fixture = Fixture::new();
    // RFC 8037 §A.2.
    let key = json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let other = Issuer::with_jwks("https://other.example", json!({ "keys": [key] }).to_string())
        .algorithms([Algorithm::EdDSA]);
    let ours = fixture.issuer().algorithms([Algorithm::ES256]);
    let server = cached(fixture.builder_with(ours).issuer(other));
    assert!(server.verify(&fixture.good()).await.is_ok());
}

/// A clock that asks the server whose clock it is.
#[tokio::test]
async fn a_clock_may_lead_back_to_the_server() {
    struct Asks(Arc<std::sync::OnceLock<(ResourceServer, String)>>);
    impl Clock for Asks {
        fn now(&self) -> SystemTime {
            thread_local!(static INSIDE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
            if let Some((server, token)) = self.0.get()
                && !INSIDE.replace(true)
            {
                let _ = futures_util::FutureExt::now_or_never(server.verify(token));
                INSIDE.set(false);
            }
            UNIX_EPOCH + Duration::from_secs(NOW)
        }
    }
    let fixture = Fixture::new();
    let place = Arc::new(std::sync::OnceLock::new());
    let server = cached(fixture.builder().clock(Asks(Arc::clone(&place))));
    let token = fixture.good();
    place.set((server.clone(), token.clone())).ok().unwrap();
    for _ in 0..5 {
        assert!(server.verify(&token).await.is_ok());
    }
}

fn kind(verdict: Result<AccessToken, Rejection>) -> Option<RejectionKind> {
    verdict.err().map(|rejection| rejection.kind())
}

/// What happens to a server and its keys, or is asked of it.
#[derive(Debug, Clone)]
enum Step {
    Present { key: usize, lifetime: u64 },
    Publish { keys: Vec<usize> },
    Pass { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_usize, prop_oneof![Just(100_u64), Just(1000)])
            .prop_map(|(key, lifetime)| Step::Present { key, lifetime }),
        1 => prop::sample::subsequence(vec![0, 1, 2], 1..=3).prop_map(|keys| Step::Publish { keys }),
        1 => (0..200_u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// A server that remembers says at every step what one without a memory says.
    #[test]
    fn a_memory_changes_no_answer(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(follow(&steps))?;
    }
}

async fn follow(steps: &[Step]) -> Result<(), TestCaseError> {
    let keys = ["k0", "k1", "k2"].map(Key::new);
    let set = |chosen: &[usize]| {
        let keys: Vec<_> = chosen.iter().map(|key| keys[*key].jwk()).collect();
        json!({ "keys": keys }).to_string()
    };
    let fake = SimulatedAs::publishing(set(&[0]));
    let clock = Set::at(NOW);
    let builder = || fake.builder(simulated_issuer()).clock(clock.clone());
    let remembering = builder().token_cache(4).build().unwrap();
    let forgetful = builder().token_cache(0).build().unwrap();
    // As many tokens as there are keys and lifetimes, so that they come again.
    let token = |key: usize, lifetime: u64| {
        let claims = support::keys::claims(simulated_as::ISSUER);
        let claims = changed(claims, json!({ "iat": NOW, "exp": NOW + lifetime }));
        keys[key].sign(&claims)
    };
    let mut tokens = std::collections::HashMap::new();
    let mut now = NOW;
    for step in steps {
        match step {
            Step::Present { key, lifetime } => {
                let token =
                    tokens.entry((*key, *lifetime)).or_insert_with(|| token(*key, *lifetime));
                let verdicts =
                    (kind(remembering.verify(token).await), kind(forgetful.verify(token).await));
                prop_assert_eq!(verdicts.0, verdicts.1, "{:?}", step);
            }
            Step::Publish { keys } => {
                fake.publish(set(keys));
                prop_assert!(remembering.load_keys().await.is_ok());
                prop_assert!(forgetful.load_keys().await.is_ok());
            }
            Step::Pass { seconds } => {
                now += seconds;
                clock.set(now);
            }
        }
    }
    Ok(())
}
