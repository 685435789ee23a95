//! Restarts while the authorization server cannot be reached: the file of last good keys.

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use portcullis::{Clock, Issuer, KeyState, RejectionKind, ResourceServer, ResourceServerBuilder};
use support::folder::Folder;
use support::keys::Key;
use support::log;
use support::simulated_as::{
    ISSUER, JWKS, METADATA, Reply, SimulatedAs, answer, is_accepted_at_once, key_set, kind,
    lasting_token, metadata_to,
};

const HOUR: u64 = 3600;

/// Wall time that goes on while no process of ours runs.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicU64>);

impl Clock for Ahead {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

impl Ahead {
    fn by(hours: u64) -> Self {
        Self(Arc::new((hours * HOUR).into()))
    }
}

fn from(jwks_uri: &str) -> Issuer {
    Issuer::with_jwks_uri(ISSUER, jwks_uri)
}

fn usual() -> Issuer {
    from(&format!("{ISSUER}{JWKS}"))
}

fn builder(fake: &SimulatedAs, issuer: Issuer, folder: &Folder) -> ResourceServerBuilder {
    fake.builder(issuer).jwks_snapshot(folder.file())
}

/// A process that got its keys, wrote them down and ended.
async fn earlier_process(fake: &SimulatedAs, issuer: Issuer, folder: &Folder) {
    let before = folder.text();
    let server = builder(fake, issuer, folder).build().unwrap();
    server.load_keys().await.unwrap();
    while folder.text() == before {
        tokio::task::yield_now().await;
    }
}

fn unreachable() -> SimulatedAs {
    SimulatedAs::new(|_| Reply::Unreachable)
}

#[tokio::test(start_paused = true)]
async fn a_restart_during_an_outage_serves_at_once() {
    let folder = Folder::new("snapshot-restart");
    let key = Key::new("k1");
    earlier_process(&SimulatedAs::publishing(key.jwks()), usual(), &folder).await;
    let token = lasting_token(&key);

    type Silence = fn() -> Reply;
    let silences: [(&str, Silence); 2] =
        [("unreachable", || Reply::Unreachable), ("silent", || Reply::Never)];
    for (name, silence) in silences {
        for hours in [0, 1, 23] {
            let fake = SimulatedAs::new(move |_| silence());
            let server = builder(&fake, usual(), &folder).clock(Ahead::by(hours)).build().unwrap();
            assert!(is_accepted_at_once(&server, &token), "{name}, {hours} h later");
            for _ in 0..60 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                assert!(is_accepted_at_once(&server, &token), "{name}, {hours} h later");
            }
            let status = server.keys().remove(0);
            let state = if hours == 0 { KeyState::Fresh } else { KeyState::Stale };
            assert_eq!((status.state, status.kids), (state, vec!["k1".to_owned()]));
            assert!(status.age.unwrap() >= Duration::from_secs(hours * HOUR));
            assert!(fake.count() > 0, "new ones were asked for");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn avail_03_max_stale_counts_from_the_time_when_they_were_fetched() {
    let folder = Folder::new("snapshot-max-stale");
    let key = Key::new("k1");
    earlier_process(&SimulatedAs::publishing(key.jwks()), usual(), &folder).await;
    let token = lasting_token(&key);

    log::start();
    let server = builder(&unreachable(), usual(), &folder).clock(Ahead::by(25)).build().unwrap();
    assert_eq!(kind(&server, &token).await, Some(RejectionKind::KeysUnavailable));
    assert!(log::take()[0].contains("s old"));

    // An hour is left, and it passes.
    let server = builder(&unreachable(), usual(), &folder).clock(Ahead::by(23)).build().unwrap();
    assert!(is_accepted_at_once(&server, &token));
    tokio::time::sleep(Duration::from_secs(HOUR + 660)).await;
    assert_eq!(kind(&server, &token).await, Some(RejectionKind::KeysUnavailable));
}

#[tokio::test(start_paused = true)]
async fn avail_07_what_the_server_says_after_the_restart_counts() {
    let folder = Folder::new("snapshot-rotated");
    let (old, new) = (Key::new("k1"), Key::new("the-new-one"));
    earlier_process(&SimulatedAs::publishing(old.jwks()), usual(), &folder).await;
    let fake = SimulatedAs::publishing(new.jwks());
    let server = builder(&fake, usual(), &folder).build().unwrap();
    assert_eq!(kind(&server, &lasting_token(&new)).await, None);
    assert_eq!(fake.count(), 1);
    assert_eq!(kind(&server, &lasting_token(&old)).await, Some(RejectionKind::UnknownKey));
    // And so it is after the next one.
    while !folder.text().contains("the-new-one") {
        tokio::task::yield_now().await;
    }
    let server = builder(&unreachable(), usual(), &folder).build().unwrap();
    assert!(is_accepted_at_once(&server, &lasting_token(&new)));
    assert!(!is_accepted_at_once(&server, &lasting_token(&old)));
}

#[tokio::test(start_paused = true)]
async fn an_entry_counts_for_its_issuer_and_the_address_of_its_keys_alone() {
    let folder = Folder::new("snapshot-bound");
    let key = Key::new("k1");
    earlier_process(&SimulatedAs::publishing(key.jwks()), usual(), &folder).await;
    let token = lasting_token(&key);

    log::start();
    let moved = from("https://as.example/elsewhere");
    let server = builder(&unreachable(), moved, &folder).build().unwrap();
    assert_eq!(kind(&server, &token).await, Some(RejectionKind::KeysUnavailable));
    let lines = log::take();
    assert!(
        lines[0].starts_with("WARN ignored the last good keys of this issuer")
            && lines[0].contains("https://as.example/jwks, which is not where its keys are now"),
        "{lines:?}"
    );

    let other = Issuer::with_jwks_uri("https://other.example", format!("{ISSUER}{JWKS}"));
    let server = builder(&unreachable(), other, &folder).build().unwrap();
    assert_eq!(server.keys()[0].keys, 0);

    // By discovery any address is possible that the issuer's metadata could name.
    let server = builder(&unreachable(), Issuer::discover(ISSUER), &folder).build().unwrap();
    assert!(is_accepted_at_once(&server, &token));
}

#[tokio::test(start_paused = true)]
async fn disc_05_an_address_that_metadata_could_not_name_is_not_that_of_discovered_keys() {
    let folder = Folder::new("snapshot-inward");
    let key = Key::new("k1");
    let inward = "http://127.0.0.1:9/jwks";
    earlier_process(&SimulatedAs::publishing(key.jwks()), from(inward), &folder).await;
    let fake = unreachable();
    let server = builder(&fake, Issuer::discover(ISSUER), &folder).build().unwrap();
    assert!(!is_accepted_at_once(&server, &lasting_token(&key)));
    assert!(fake.log().iter().all(|asked| asked.path != JWKS));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_tampered_with_is_ignored_with_a_warning() {
    let folder = Folder::new("snapshot-tampered");
    let (key, evil) = (Key::new("k1"), Key::new("k1"));
    earlier_process(&SimulatedAs::publishing(key.jwks()), usual(), &folder).await;
    let good = folder.text();
    let member = |key: &Key, name: &str| key.jwk()[name].as_str().unwrap().to_owned();
    let swapped = ["x", "y"].iter().fold(good.clone(), |text, name| {
        assert!(text.contains(&member(&key, name)));
        text.replace(&member(&key, name), &member(&evil, name))
    });
    for (name, text) in [
        ("another key", swapped),
        ("another issuer", good.replace("https://as.example\"", "https://as.example/\"")),
        ("cut off", good[..good.len() / 2].to_owned()),
        ("not ours", "{\"keys\":[]}".to_owned()),
    ] {
        fs::write(folder.file(), &text).unwrap();
        log::start();
        let server = builder(&unreachable(), usual(), &folder).build().unwrap();
        assert_eq!(server.keys()[0].keys, 0, "{name}");
        let lines = log::take();
        assert!(lines.iter().any(|line| line.starts_with("WARN") && line.contains("ignored")));
        assert!(!is_accepted_at_once(&server, &lasting_token(&evil)), "{name}");
    }
    fs::write(folder.file(), &good).unwrap();
    let server = builder(&unreachable(), usual(), &folder).build().unwrap();
    assert!(is_accepted_at_once(&server, &lasting_token(&key)));
}

#[tokio::test(start_paused = true)]
async fn keys_from_the_future_are_not_used() {
    let folder = Folder::new("snapshot-future");
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = builder(&fake, usual(), &folder).clock(Ahead::by(1)).build().unwrap();
    server.load_keys().await.unwrap();
    while !folder.file().exists() {
        tokio::task::yield_now().await;
    }
    log::start();
    let server = builder(&unreachable(), usual(), &folder).build().unwrap();
    assert_eq!(server.keys()[0].keys, 0);
    assert!(log::take()[0].contains("is a clock wrong?"));
}

#[tokio::test(start_paused = true)]
async fn disc_07_a_restart_finds_keys_while_the_metadata_is_gone() {
    let folder = Folder::new("snapshot-metadata");
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let jwks = old.jwks();
    let fake = SimulatedAs::new(move |asked| {
        Reply::Answer(match asked.path.as_str() {
            METADATA => metadata_to("https://keys.example/jwks"),
            _ => key_set(&jwks),
        })
    });
    earlier_process(&fake, Issuer::discover(ISSUER), &folder).await;

    let jwks = new.jwks();
    let fake = SimulatedAs::new(move |asked| {
        Reply::Answer(if asked.path == JWKS { key_set(&jwks) } else { answer(500, "", "") })
    });
    let server = builder(&fake, Issuer::discover(ISSUER), &folder).build().unwrap();
    assert_eq!(kind(&server, &lasting_token(&new)).await, None);
    assert!(server.keys()[0].metadata_error.is_some());
}

#[tokio::test(start_paused = true)]
async fn several_issuers_share_the_file_and_those_with_fixed_keys_have_no_part_in_it() {
    const OTHER: &str = "https://other.example";
    let folder = Folder::new("snapshot-several");
    let (one, two, fixed) =
        (Key::new("the-first"), Key::new("the-second"), Key::new("the-fixed-one"));
    let sets = [one.jwks(), two.jwks()];
    let fake = SimulatedAs::new(move |asked| {
        Reply::Answer(key_set(&sets[usize::from(asked.path != JWKS)]))
    });
    let configured = |fake: &SimulatedAs| -> ResourceServer {
        let audience = "https://rs.example";
        builder(fake, usual(), &folder)
            .issuer(Issuer::with_jwks_uri(OTHER, "https://other.example/k").audience(audience))
            .issuer(Issuer::with_jwks("https://fixed.example", fixed.jwks()).audience(audience))
            .build()
            .unwrap()
    };
    configured(&fake).load_keys().await.unwrap();
    while !(folder.text().contains("the-first") && folder.text().contains("the-second")) {
        tokio::task::yield_now().await;
    }
    assert!(!folder.text().contains("the-fixed-one"));
    let server = configured(&unreachable());
    assert!(server.keys().iter().all(|status| status.keys == 1));
    assert!(is_accepted_at_once(&server, &lasting_token(&one)));
    assert!(server.verify(&two.token(OTHER)).await.is_ok());
    // Keys are not mixed up between issuers.
    assert!(!is_accepted_at_once(&server, &one.token(OTHER)));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_written_costs_nothing_else() {
    let folder = Folder::new("snapshot-unwritable");
    let key = Key::new("k1");
    let fake = SimulatedAs::publishing(key.jwks());
    let server = builder(&fake, usual(), &folder).build().unwrap();
    // What is there now is not ours and stays.
    fs::write(folder.file(), "somebody's letters").unwrap();
    server.load_keys().await.unwrap();
    tokio::time::sleep(Duration::from_secs(HOUR)).await;
    assert!(is_accepted_at_once(&server, &lasting_token(&key)));
    assert!(fake.count() > 6, "it is refreshed as ever");
    assert_eq!(folder.text(), "somebody's letters");
    assert_eq!(folder.count(), 1);
}

/// A clock that is ahead of others by some minutes.
struct Fast(u64);

impl Clock for Fast {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(60 * self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn clocks_may_differ_by_five_minutes() {
    let key = Key::new("k1");
    for (minutes, keys) in [(4, 1), (6, 0)] {
        let folder = Folder::new(&format!("skew-{minutes}"));
        let fake = SimulatedAs::publishing(key.jwks());
        let server = builder(&fake, usual(), &folder).clock(Fast(minutes)).build().unwrap();
        server.load_keys().await.unwrap();
        while folder.text().is_empty() {
            tokio::task::yield_now().await;
        }
        let server = builder(&unreachable(), usual(), &folder).build().unwrap();
        assert_eq!(server.keys()[0].keys, keys, "{minutes} minutes");
    }
}
