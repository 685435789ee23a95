//! What the key store promises when the authorization server stumbles or is attacked through us
//! (SPEC §13). Each test prints the figure that it shows.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portcullis::{Issuer, KeyState, RejectionKind};
use serde_json::json;
use support::fixture::{Expected, Fixture, bearer, get, send};
use support::keys::{Key, changed};
use support::simulated_as::{
    ISSUER, JWKS, Reply, SimulatedAs, forged, is_accepted_at_once, key_set, kind, lasting_token,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn avail_03_a_day_without_the_authorization_server() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    let token = lasting_token(&key);
    assert_eq!(kind(&server, &token).await, None);
    fake.answer_with(|_| Reply::Unreachable);
    let start = Instant::now();
    let mut refused = 0;
    while start.elapsed() < 24 * HOUR {
        refused += usize::from(!is_accepted_at_once(&server, &token));
        sleep(5 * SECOND).await;
    }
    println!(
        "AVAIL-03: down for 24 h: {refused} of {} good tokens refused or kept waiting, {} fetches",
        24 * HOUR.as_secs() / 5,
        fake.count() - 1
    );
    assert_eq!(refused, 0);
    assert_eq!(server.keys()[0].state, KeyState::Stale);

    // Ten minutes of lifetime and 24 hours of grace are over.
    sleep(HOUR / 6).await;
    let rejection = server.verify(&token).await.unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::KeysUnavailable);
    assert!((1..=60).contains(&rejection.retry_after().unwrap()));
    assert_eq!(server.keys()[0].state, KeyState::Missing);

    // It comes back, with the same keys.
    fake.publish(key.jwks());
    sleep(SECOND).await;
    assert_eq!(kind(&server, &token).await, None);
}

#[tokio::test(start_paused = true)]
async fn avail_01_avail_06_f43_without_any_key_it_is_503_until_the_server_answers() {
    let key = Key::new("k1");
    let fake = SimulatedAs::new(|_| Reply::Unreachable);
    let server = fake.discovering_server();
    let token = lasting_token(&key);
    let start = Instant::now();
    while start.elapsed() < HOUR {
        let rejection = server.verify(&token).await.unwrap_err();
        assert_eq!(rejection.kind(), RejectionKind::KeysUnavailable);
        assert_eq!(rejection.challenge(), None);
        assert!((1..=60).contains(&rejection.retry_after().unwrap()));
        sleep(Duration::from_millis(100)).await;
    }
    assert!(fake.count() <= 3_600, "{} fetches in an hour", fake.count());

    let jwks = key.jwks();
    fake.answer_with(move |asked| {
        Reply::Answer(match asked.path.as_str() {
            JWKS => key_set(&jwks),
            _ => support::simulated_as::metadata_to(&format!("{ISSUER}{JWKS}")),
        })
    });
    let back = Instant::now();
    while kind(&server, &token).await.is_some() {
        sleep(Duration::from_millis(100)).await;
    }
    println!("AVAIL-01: healed {:?} after the server's return", back.elapsed());
    assert!(back.elapsed() <= SECOND);
}

#[tokio::test(start_paused = true)]
async fn avail_08_f25_a_server_that_accepts_and_never_answers() {
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    let good = lasting_token(&key);
    server.load_keys().await.unwrap();
    fake.answer_with(|_| Reply::Never);
    let unknown = forged(&good, "k2");
    let (start, mut slowest, mut kept_waiting) = (Instant::now(), Duration::ZERO, 0);
    for round in 0..600 {
        let asked = Instant::now();
        let judged = tokio::spawn({
            let (server, unknown) = (server.clone(), unknown.clone());
            async move { (kind(&server, &unknown).await, asked.elapsed()) }
        });
        for _ in 0..10 {
            kept_waiting += usize::from(!is_accepted_at_once(&server, &good));
            sleep(Duration::from_millis(100)).await;
        }
        let (kind, waited) = judged.await.unwrap();
        assert_eq!(kind, Some(RejectionKind::KeysUnavailable), "round {round}");
        slowest = slowest.max(waited);
    }
    println!(
        "AVAIL-08: hanging for {:?}: {kept_waiting} of 6,000 good tokens kept waiting; an unknown \
         kid is answered after {slowest:?} at most",
        start.elapsed()
    );
    assert_eq!(kept_waiting, 0);
    assert!(slowest <= Duration::from_millis(2_500));
}

#[tokio::test(start_paused = true)]
async fn avail_07_rotation_without_overlap_at_a_thousand_requests_a_second() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(old.jwks());
    let server = fake.server();
    let old_token: Arc<str> = lasting_token(&old).into();
    let new_token: Arc<str> = lasting_token(&new).into();
    server.load_keys().await.unwrap();
    let has_fetched = Arc::new(AtomicBool::new(false));
    let mut requests = JoinSet::new();
    for millisecond in 0..3_000 {
        if millisecond == 1_500 {
            let (jwks, has_fetched) = (new.jwks(), Arc::clone(&has_fetched));
            fake.answer_with(move |_| {
                has_fetched.store(true, Ordering::Relaxed);
                Reply::After(Duration::from_millis(200), key_set(&jwks))
            });
        }
        let is_new = millisecond >= 1_500;
        let token = Arc::clone(if is_new { &new_token } else { &old_token });
        let server = server.clone();
        requests.spawn(async move { (is_new, server.verify(&token).await.is_ok()) });
        sleep(Duration::from_millis(1)).await;
    }
    let judged = requests.join_all().await;
    let refused_of = |new| judged.iter().filter(|(is, ok)| *is == new && !ok).count();
    let fetches = fake.count() - 1;
    println!(
        "Rotation without overlap, 1,000 requests per second: {fetches} fetch, {} old tokens \
         refused before it, {} new tokens refused after it",
        refused_of(false),
        refused_of(true)
    );
    assert_eq!((fetches, refused_of(false), refused_of(true)), (1, 0, 0));
    assert!(has_fetched.load(Ordering::Relaxed));
    assert_eq!(kind(&server, &old_token).await, Some(RejectionKind::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn rotation_with_overlap_is_noticed_by_nobody() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(old.jwks());
    let server = fake.server();
    let (old_token, new_token) = (lasting_token(&old), lasting_token(&new));
    server.load_keys().await.unwrap();
    let both = json!({ "keys": [old.jwk(), new.jwk()] }).to_string();
    fake.publish(both);
    for second in 0..3_600 {
        // The new one is used when all caches have had the time to see it.
        let token = if second < 600 { &old_token } else { &new_token };
        assert!(is_accepted_at_once(&server, token));
        sleep(SECOND).await;
    }
    assert!(is_accepted_at_once(&server, &old_token));
    fake.publish(new.jwks());
    sleep(HOUR).await;
    assert!(is_accepted_at_once(&server, &new_token));
    assert_eq!(kind(&server, &old_token).await, Some(RejectionKind::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn avail_07_a_key_that_was_withdrawn_is_refused_at_once_however_often_it_was_good() {
    let (kept, withdrawn) = (Key::new("k1"), Key::new("k2"));
    let fake =
        SimulatedAs::publishing(json!({ "keys": [kept.jwk(), withdrawn.jwk()] }).to_string());
    let server = fake.server();
    let token = lasting_token(&withdrawn);
    // Whatever remembers verified tokens remembers this one.
    for _ in 0..10 {
        assert_eq!(kind(&server, &token).await, None);
    }
    fake.publish(kept.jwks());
    let known = server.verify(&token).await.unwrap();
    server.load_keys().await.unwrap();
    let first = kind(&server, &token).await;
    println!("AVAIL-07: the first request after the refresh that lost the key: {first:?}");
    assert_eq!(first, Some(RejectionKind::UnknownKey));
    drop(known);

    // The same for the refresh that nobody asked for.
    fake.publish(withdrawn.jwks());
    server.load_keys().await.unwrap();
    assert!(is_accepted_at_once(&server, &token));
    fake.publish(kept.jwks());
    let before = fake.count();
    while fake.count() == before {
        assert!(is_accepted_at_once(&server, &token));
        sleep(SECOND).await;
    }
    assert_ne!(kind(&server, &token).await, None);
}

#[tokio::test(start_paused = true)]
async fn one_client_with_an_old_token_does_not_use_up_the_budget_for_unknown_keys() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(new.jwks());
    let server = fake.server();
    server.load_keys().await.unwrap();
    let stale = lasting_token(&old);
    let start = Instant::now();
    while start.elapsed() < 60 * SECOND {
        assert_eq!(kind(&server, &stale).await, Some(RejectionKind::UnknownKey));
        sleep(SECOND / 10).await;
    }
    assert_eq!(fake.count(), 1 + 2, "one fetch in half a minute for one key");

    // Fifteen seconds later nobody has asked for any key but that one.
    assert_eq!(kind(&server, &stale).await, Some(RejectionKind::UnknownKey));
    sleep(15 * SECOND).await;
    assert_eq!(kind(&server, &stale).await, Some(RejectionKind::UnknownKey));
    let next = Key::new("k3");
    fake.publish(next.jwks());
    assert_eq!(kind(&server, &lasting_token(&next)).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_published_late_is_found_within_half_a_minute() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(old.jwks());
    let server = fake.server();
    server.load_keys().await.unwrap();
    let early = lasting_token(&new);
    assert_eq!(kind(&server, &early).await, Some(RejectionKind::UnknownKey));
    fake.publish(new.jwks());
    let start = Instant::now();
    while kind(&server, &early).await.is_some() {
        sleep(SECOND).await;
    }
    assert!(start.elapsed() <= 31 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn avail_02_what_needs_no_key_is_answered_the_same_during_an_outage() {
    let fixture = Fixture::new();
    let fake = SimulatedAs::new(|_| Reply::Never);
    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{ISSUER}{JWKS}"));
    let server = fixture.builder_with(issuer).http_client(fake.client()).build().unwrap();
    let signed = |header, claims| {
        bearer(
            &fixture
                .key
                .sign_json(&changed(fixture.header(), header), &changed(fixture.claims(), claims)),
        )
    };
    let evil = json!({ "iss": "https://evil.example" });
    let start = Instant::now();
    for (row, request, expected) in [
        ("none", get(&[]), Expected::Invitation),
        ("another scheme", get(&[b"Basic QQ=="]), Expected::Invitation),
        ("malformed", get(&[b"Bearer a b"]), Expected::InvalidRequest),
        ("no JWT", bearer("abc"), Expected::InvalidToken),
        ("alg none", signed(json!({ "alg": "none" }), json!({})), Expected::InvalidToken),
        ("alg HS256", signed(json!({ "alg": "HS256" }), json!({})), Expected::InvalidToken),
        ("crit", signed(json!({ "crit": ["x"] }), json!({})), Expected::InvalidToken),
        ("iss evil", signed(json!({}), evil), Expected::InvalidToken),
    ] {
        send(&server, request).await.is(expected, row);
    }
    assert_eq!((start.elapsed(), fake.count()), (Duration::ZERO, 0));
    send(&server, signed(json!({}), json!({}))).await.is(Expected::Unavailable, "a good one");
}

#[tokio::test(start_paused = true)]
async fn avail_06_retry_after_is_the_time_to_the_next_attempt_that_is_allowed() {
    let (key, unknown) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    server.load_keys().await.unwrap();
    fake.answer_with(|_| Reply::Unreachable);
    server.load_keys().await.unwrap_err();
    sleep(3 * SECOND).await;
    let rejection = server.verify(&lasting_token(&unknown)).await.unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::KeysUnavailable);
    assert_eq!(rejection.retry_after(), Some(7));
}

#[tokio::test(start_paused = true)]
async fn f22_f26_a_bad_signature_by_a_known_key_is_no_reason_to_ask() {
    let (key, namesake) = (Key::new("k1"), Key::new("k1"));
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    server.load_keys().await.unwrap();
    let bad = lasting_token(&namesake);
    assert_eq!(kind(&server, &bad).await, Some(RejectionKind::BadSignature));
    let other_type = namesake.sign_json(
        &serde_json::json!({ "alg": "ES384", "typ": "at+jwt", "kid": "k1" }),
        &support::keys::claims(ISSUER),
    );
    assert_eq!(kind(&server, &other_type).await, Some(RejectionKind::UnknownKey));
    assert_eq!(fake.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn f26_a_bad_signature_without_a_name_is_401_during_an_outage_too() {
    let (key, other) = (Key::new("k1"), Key::new("k2"));
    let fake = SimulatedAs::publishing(key.jwks());
    let server = fake.server();
    server.load_keys().await.unwrap();
    fake.answer_with(|_| Reply::Unreachable);
    server.load_keys().await.unwrap_err();
    let header = serde_json::json!({ "alg": "ES256", "typ": "at+jwt" });
    let claims = support::keys::claims(ISSUER);
    assert_eq!(kind(&server, &key.sign_json(&header, &claims)).await, None);
    let bad = other.sign_json(&header, &claims);
    assert_eq!(kind(&server, &bad).await, Some(RejectionKind::BadSignature));
}
