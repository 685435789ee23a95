//! Many issuers: a closed list, and patterns with a bounded number of live ones (SPEC RES-06, RES-09).
#![cfg(all(feature = "testing", feature = "env"))]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use portcullis::testing::{Authority, InProcessClient, ManualClock};
use portcullis::{
    HttpService, Issuer, KeyState, Preset, RejectionKind, ResourceServer, ResourceServerBuilder,
};
use tower::ServiceBuilder;

const AUDIENCE: &str = "https://rs.example";

fn authority(issuer: &str, clock: &ManualClock) -> Authority {
    let builder = Authority::builder().issuer(issuer).audience(AUDIENCE).clock(clock.clone());
    builder.build().unwrap()
}

fn tenant(name: &str, clock: &ManualClock) -> Authority {
    authority(&format!("https://{name}.id.example"), clock)
}

fn family(max_live: usize) -> Issuer {
    Issuer::matching("https://*.id.example").audience(AUDIENCE).max_live(max_live)
}

fn network(authorities: &[&Authority]) -> InProcessClient {
    let (first, others) = authorities.split_first().unwrap();
    others.iter().fold(first.http_service(), |all, one| all.and(one))
}

/// How often each host was asked for anything.
type Asked = Arc<Mutex<BTreeMap<String, usize>>>;

fn counted(client: InProcessClient, asked: &Asked) -> impl HttpService + use<> {
    let asked = Arc::clone(asked);
    ServiceBuilder::new()
        .map_request(move |request: Request<http_body_util::Full<bytes::Bytes>>| {
            let host = request.uri().host().unwrap().to_owned();
            *asked.lock().unwrap().entry(host).or_default() += 1;
            request
        })
        .service(client)
}

fn server(issuer: Issuer, client: impl HttpService, clock: &ManualClock) -> ResourceServer {
    let builder = ResourceServer::builder().issuer(issuer).http_client(client);
    builder.clock(clock.clone()).build().unwrap()
}

async fn judge(api: &ResourceServer, token: &str) -> Result<String, RejectionKind> {
    let token = api.verify(token).await.map_err(|rejection| rejection.kind())?;
    Ok(token.issuer().to_owned())
}

#[tokio::test]
async fn issuers_of_the_pattern_are_trusted_and_no_other_is_ever_asked() {
    let clock = ManualClock::new();
    let (acme, globex) = (tenant("acme", &clock), tenant("globex", &clock));
    let evil = authority("https://evil.example", &clock);
    let nested = authority("https://a.acme.id.example", &clock);
    let slash = authority("https://acme.id.example/", &clock);
    let asked = Asked::default();
    let client = counted(network(&[&acme, &globex, &evil, &nested]), &asked);
    let api = server(family(8), client, &clock);
    let [status] = &api.keys()[..] else { panic!() };
    assert_eq!((&*status.issuer, status.state), ("https://*.id.example", KeyState::OnDemand));
    assert!(api.load_keys().await.is_ok() && asked.lock().unwrap().is_empty());

    assert_eq!(judge(&api, &acme.token().mint()).await.unwrap(), acme.issuer_url());
    assert_eq!(judge(&api, &globex.token().mint()).await.unwrap(), globex.issuer_url());
    for other in [&evil, &nested, &slash] {
        let refused = judge(&api, &other.token().mint()).await;
        assert_eq!(refused, Err(RejectionKind::UntrustedIssuer), "{}", other.issuer_url());
    }
    // No URL has such a host, so that nobody is asked and nothing kept.
    let nowhere = acme.token().issuer("https://xn--.id.example").mint();
    assert_eq!(judge(&api, &nowhere).await, Err(RejectionKind::UntrustedIssuer));
    // RES-09: one tenant's key says nothing about another's tokens.
    let crossed = acme.token().issuer(globex.issuer_url()).mint();
    assert_eq!(judge(&api, &crossed).await, Err(RejectionKind::UnknownKey));
    let hosts: Vec<_> = asked.lock().unwrap().keys().cloned().collect();
    assert_eq!(hosts, ["acme.id.example", "globex.id.example"]);
    assert!(api.keys()[0].source.contains("2 live of at most 8"), "{:?}", api.keys());
}

#[tokio::test]
async fn idle_issuers_make_room_and_those_in_use_do_not() {
    let clock = ManualClock::new();
    let names = ["a", "b", "c", "d", "e"];
    let all: Vec<_> = names.iter().map(|name| tenant(name, &clock)).collect();
    let asked = Asked::default();
    let client = counted(network(&all.iter().collect::<Vec<_>>()), &asked);
    let api = server(family(4), client, &clock);
    let tokens: Vec<_> = all.iter().map(|authority| authority.token().mint()).collect();
    for token in &tokens[..4] {
        assert!(judge(&api, token).await.is_ok());
    }
    // All places are taken by issuers in use: it is not the client's fault.
    assert_eq!(judge(&api, &tokens[4]).await, Err(RejectionKind::KeysUnavailable));
    let refused = api.verify(&tokens[4]).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(5));
    assert!(!asked.lock().unwrap().contains_key("e.id.example"));

    clock.advance(Duration::from_secs(59));
    // A remembered token is use too.
    for token in [&tokens[0], &tokens[2], &tokens[3]] {
        assert!(judge(&api, token).await.is_ok());
    }
    assert_eq!(judge(&api, &tokens[4]).await, Err(RejectionKind::KeysUnavailable));
    clock.advance(Duration::from_secs(1));
    assert!(judge(&api, &tokens[4]).await.is_ok());
    let before = asked.lock().unwrap().clone();
    for token in [&tokens[0], &tokens[2], &tokens[3], &tokens[4]] {
        assert!(judge(&api, token).await.is_ok());
    }
    assert_eq!(*asked.lock().unwrap(), before, "none of those in use was given up");
    // What was remembered of the one that is gone is gone with it.
    assert_eq!(judge(&api, &tokens[1]).await, Err(RejectionKind::KeysUnavailable));
    clock.advance(Duration::from_secs(60));
    assert!(judge(&api, &tokens[1]).await.is_ok());
    assert!(asked.lock().unwrap()["b.id.example"] > before["b.id.example"]);
    assert!(api.keys()[0].fetches.attempts >= 6);
}

#[tokio::test]
async fn forged_issuers_cost_few_fetches_and_no_good_request() {
    let clock = ManualClock::new();
    let good = tenant("good", &clock);
    let asked = Asked::default();
    let api = server(family(8), counted(good.http_service(), &asked), &clock);
    assert!(judge(&api, &good.token().mint()).await.is_ok());
    for number in 0..100 {
        let forged = good.token().issuer(&format!("https://f{number}.id.example")).mint();
        assert_eq!(judge(&api, &forged).await, Err(RejectionKind::KeysUnavailable));
        assert!(judge(&api, &good.token().mint()).await.is_ok());
    }
    // A quarter of the places, in the time that an attempt may take.
    assert_eq!(asked.lock().unwrap().len(), 1 + 2);
    clock.advance(Duration::from_secs(5));
    let late = tenant("late", &clock);
    let forged = good.token().issuer(late.issuer_url()).mint();
    assert_eq!(judge(&api, &forged).await, Err(RejectionKind::KeysUnavailable));
    assert_eq!(asked.lock().unwrap().len(), 1 + 3);
    assert!(judge(&api, &good.token().mint()).await.is_ok());
}

#[tokio::test]
async fn forged_issuers_that_are_named_again_and_again_keep_no_good_one_out() {
    let clock = ManualClock::new();
    let good = tenant("good", &clock);
    let api = server(family(8), good.http_service(), &clock);
    // Nobody has shown a good token yet, as after a start.
    let forged: Vec<_> = (0..2)
        .map(|number| good.token().issuer(&format!("https://f{number}.id.example")).mint())
        .collect();
    for _ in 0..5 {
        for forged in &forged {
            assert_eq!(judge(&api, forged).await, Err(RejectionKind::KeysUnavailable));
        }
        clock.advance(Duration::from_secs(1));
    }
    assert!(judge(&api, &good.token().mint()).await.is_ok());
    // Who has shown one stays, in use or not, as long as the idle may.
    clock.advance(Duration::from_secs(59));
    for number in 2..6 {
        let forged = good.token().issuer(&format!("https://f{number}.id.example")).mint();
        assert_eq!(judge(&api, &forged).await, Err(RejectionKind::KeysUnavailable));
    }
    assert!(api.keys()[0].source.contains("3 live"), "{:?}", api.keys());
}

#[tokio::test]
async fn a_listed_issuer_comes_before_a_pattern() {
    let clock = ManualClock::new();
    let (acme, globex) = (tenant("acme", &clock), tenant("globex", &clock));
    let listed = Issuer::discover(acme.issuer_url()).audience("https://other.example");
    let builder = ResourceServer::builder().issuer(family(2)).issuer(listed);
    let api = builder.http_client(network(&[&acme, &globex])).clock(clock).build().unwrap();
    let refused = judge(&api, &acme.token().mint()).await;
    assert_eq!(refused, Err(RejectionKind::WrongAudience));
    assert!(judge(&api, &globex.token().mint()).await.is_ok());
}

fn faults(issuer: Issuer) -> String {
    let issuer = issuer.audience(AUDIENCE);
    ResourceServer::builder().issuer(issuer).build().unwrap_err().to_string()
}

#[test]
fn patterns_that_cannot_be_meant_refuse_to_start() {
    let pattern = "https://*.id.example";
    for (issuer, fault) in [
        (Issuer::matching(pattern), "needs a number of issuers"),
        (Issuer::matching(pattern).max_live(0), "stands for nobody"),
        (Issuer::matching(pattern).max_live(10_001), "more than 10000"),
        (Issuer::matching("https://*.example").max_live(1), "two labels of its own"),
        (Issuer::matching("https://id.example").max_live(1), "is no pattern"),
        (Issuer::discover(pattern), "only a pattern may have"),
        (Issuer::discover("https://id.example").max_live(1), "is one issuer"),
        (Issuer::matching(pattern).max_live(1).scope_claims([""]), "one or more names"),
        (Issuer::matching(pattern).max_live(1).jwks_path("keys"), "begin with a slash"),
        (Issuer::matching("https://*.auth0.com").max_live(1).preset(Preset::Auth0), "slash"),
    ] {
        let found = faults(issuer);
        assert!(found.contains(fault) && found.lines().count() == 1, "{fault}: {found}");
    }
}

#[test]
fn variables_with_a_pattern_need_a_number() {
    let read = |more: &[(&str, &str)]| {
        let basic = [("PORTCULLIS_AUDIENCE", AUDIENCE)];
        let variables = basic.iter().chain(more).copied();
        ResourceServerBuilder::from_vars(variables).map(drop).map_err(|error| error.to_string())
    };
    let pattern = ("PORTCULLIS_ISSUER", "https://*.id.example https://one.example");
    assert_eq!(read(&[pattern, ("PORTCULLIS_MAX_ISSUERS", "20")]), Ok(()));
    for (more, fault) in [
        (vec![pattern], "PORTCULLIS_MAX_ISSUERS: is required, as PORTCULLIS_ISSUER has a pattern"),
        (
            vec![("PORTCULLIS_ISSUER", "https://one.example"), ("PORTCULLIS_MAX_ISSUERS", "2")],
            "PORTCULLIS_MAX_ISSUERS: is for patterns, and PORTCULLIS_ISSUER has none",
        ),
        (
            vec![
                ("PORTCULLIS_ISSUER", "https://*.id.example"),
                ("PORTCULLIS_MAX_ISSUERS", "2"),
                ("PORTCULLIS_JWKS_URI", "https://id.example/keys"),
            ],
            "PORTCULLIS_JWKS_URI: is for one issuer, and PORTCULLIS_ISSUER has a pattern",
        ),
        (
            vec![("PORTCULLIS_ISSUER", "https://*.com"), ("PORTCULLIS_MAX_ISSUERS", "2")],
            "PORTCULLIS_ISSUER: must have two labels of its own after the *, as in *.example.com",
        ),
    ] {
        assert_eq!(read(&more), Err(fault.to_owned()));
    }
}
