//! From an issuer to its keys: metadata (RFC 8414, SPEC §12) and key sets over real sockets. What
//! broken and hostile servers do is in `jwks_hostile`.

mod support;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use portcullis::{Issuer, RejectionKind, ResourceServerBuilder};
use support::keys::Key;
use support::scripted_as::{Reply, ScriptedAs};
use support::tls;

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

fn discovering(issuer: &str) -> ResourceServerBuilder {
    let issuer = Issuer::discover(issuer).audience("https://rs.example");
    support::server::builder().issuer(issuer)
}

/// Whether a token of `issuer` is accepted, or why not.
async fn judge(server: ResourceServerBuilder, token: &str) -> Result<(), RejectionKind> {
    let server = server.build().unwrap();
    server.verify(token).await.map(|_| ()).map_err(|rejection| rejection.kind())
}

fn key_set(key: &Key) -> Reply {
    Reply::new(200, "application/jwk-set+json", key.jwks())
}

#[tokio::test]
async fn disc_01_disc_02_the_addresses_are_tried_in_order() {
    let key = Arc::new(Key::new("k1"));
    let third = format!("/t{OPENID}");
    let fake = {
        let (key, third) = (Arc::clone(&key), third.clone());
        ScriptedAs::start(move |asked| match asked.path() {
            "/jwks" => key_set(&key),
            path if path == third => Reply::metadata(
                &format!("{}/t", asked.origin()),
                &format!("{}/jwks", asked.origin()),
            ),
            _ => Reply::status(404),
        })
        .await
    };
    let issuer = format!("{}/t", fake.origin);
    assert_eq!(judge(discovering(&issuer), &key.token(&issuer)).await, Ok(()));
    assert_eq!(fake.log(), [format!("{OAUTH}/t"), format!("{OPENID}/t"), third, "/jwks".into()]);
}

#[tokio::test]
async fn disc_08_jws_11_jws_17_a_token_never_causes_a_request_elsewhere() {
    let key = Key::new("k1");
    let probe = ScriptedAs::start(|_| Reply::json("{}")).await;
    let server = support::server::builder()
        .issuer(Issuer::with_jwks("https://as.example", key.jwks()).audience("https://rs.example"))
        .build()
        .unwrap();
    let foreign = key.token(&probe.origin);
    let rejection = server.verify(&foreign).await.unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::UntrustedIssuer);
    assert!(probe.log().is_empty());
}

#[tokio::test]
async fn key_sets_are_judged_by_content_not_by_media_type() {
    let key = Arc::new(Key::new("k1"));
    let served = Arc::clone(&key);
    let fake = ScriptedAs::start(move |_| Reply::new(200, "text/plain", served.jwks())).await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = support::server::builder().issuer(issuer);
    assert_eq!(judge(server, &key.token("https://as.example")).await, Ok(()));
}

#[tokio::test]
async fn avail_04_many_first_requests_and_forged_kids_share_one_fetch() {
    let key = Arc::new(Key::new("k1"));
    let served = Arc::clone(&key);
    let fake = ScriptedAs::start(move |_| key_set(&served)).await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = support::server::builder().issuer(issuer).build().unwrap();
    let token = key.token("https://as.example");
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (server, token) = (server.clone(), token.clone());
        requests.spawn(async move { server.verify(&token).await.is_ok() });
    }
    assert!(requests.join_all().await.into_iter().all(|accepted| accepted));
    assert_eq!(fake.count("/jwks"), 1);

    for number in 0..1000 {
        let forged = Key::new(&format!("forged-{number}"));
        let rejection = server.verify(&forged.token("https://as.example")).await.unwrap_err();
        // AVAIL-05: the last fetch was good, so it is the token's fault.
        assert_eq!(rejection.kind(), RejectionKind::UnknownKey);
    }
    assert_eq!(fake.count("/jwks"), 2, "one for all the unknown keys");
}

#[tokio::test]
async fn avail_05_f25_an_unknown_kid_after_a_failed_fetch_is_not_the_clients_fault() {
    let key = Arc::new(Key::new("k1"));
    let served = Arc::clone(&key);
    let fake = ScriptedAs::start(move |asked| match asked.number() {
        1 => key_set(&served),
        _ => Reply::status(500),
    })
    .await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = support::server::builder().issuer(issuer).build().unwrap();
    assert!(server.verify(&key.token("https://as.example")).await.is_ok());
    let rotated = Key::new("k2");
    for _ in 0..3 {
        let rejection = server.verify(&rotated.token("https://as.example")).await.unwrap_err();
        assert_eq!(rejection.kind(), RejectionKind::KeysUnavailable);
        assert_eq!(rejection.challenge(), None);
        assert!((1..=60).contains(&rejection.retry_after().unwrap()));
    }
    // AVAIL-03: the keys that are known go on working.
    assert!(server.verify(&key.token("https://as.example")).await.is_ok());
    assert_eq!(fake.log().len(), 2);
}

#[tokio::test]
async fn avail_08_a_server_that_never_answers_costs_two_seconds_and_nobody_else() {
    let key = Arc::new(Key::new("k1"));
    let served = Arc::clone(&key);
    let fake = ScriptedAs::start(move |asked| match asked.number() {
        1 => key_set(&served),
        _ => Reply::hang(),
    })
    .await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = support::server::builder().issuer(issuer).build().unwrap();
    let good = key.token("https://as.example");
    assert!(server.verify(&good).await.is_ok());

    let unknown = Key::new("k2").token("https://as.example");
    let waiting = {
        let server = server.clone();
        tokio::spawn(async move { server.verify(&unknown).await.unwrap_err().kind() })
    };
    // While somebody waits, whose key is there passes.
    assert!(server.verify(&good).await.is_ok());
    assert!(!waiting.is_finished());
    assert_eq!(waiting.await.unwrap(), RejectionKind::KeysUnavailable);
}

#[tokio::test]
async fn jwk_09_a_token_without_kid_finds_rotated_keys() {
    let (old, new) = (Arc::new(Key::new("k1")), Arc::new(Key::new("k2")));
    let (first, second) = (Arc::clone(&old), Arc::clone(&new));
    let fake = ScriptedAs::start(move |asked| match asked.number() {
        1 => key_set(&first),
        _ => key_set(&second),
    })
    .await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = support::server::builder().issuer(issuer).build().unwrap();
    let without_kid = |key: &Key| {
        let header = serde_json::json!({ "alg": "ES256", "typ": "at+jwt" });
        key.sign_json(&header, &support::keys::claims("https://as.example"))
    };
    assert!(server.verify(&without_kid(&old)).await.is_ok());
    assert!(server.verify(&without_kid(&new)).await.is_ok());
    // The budget is used up: from now on it is the token's fault, and no fetch.
    for _ in 0..3 {
        let rejection = server.verify(&without_kid(&old)).await.unwrap_err();
        assert_eq!(rejection.kind(), RejectionKind::BadSignature);
    }
    assert_eq!(fake.log().len(), 2);
}

#[tokio::test]
async fn a_token_that_joins_a_fetch_older_than_its_key_gets_another() {
    let (old, new) = (Arc::new(Key::new("k1")), Arc::new(Key::new("k2")));
    let (first, second) = (Arc::clone(&old), Arc::clone(&new));
    let fake = ScriptedAs::start(move |asked| match asked.number() {
        1 | 2 => key_set(&first),
        _ => key_set(&second),
    })
    .await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = support::server::builder().issuer(issuer).build().unwrap();
    server.load_keys().await.unwrap();
    // The second fetch is under way, still with the old keys, when the new token comes.
    let token = new.token("https://as.example");
    let (loaded, verified) = tokio::join!(server.load_keys(), server.verify(&token));
    loaded.unwrap();
    assert!(verified.is_ok(), "{verified:?}");
    assert_eq!(fake.log().len(), 3);
}

#[tokio::test]
async fn an_http_client_of_the_callers_own_is_used_and_held_to_the_same_limits() {
    use http_body_util::Full;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    let key = Arc::new(Key::new("k1"));
    let served = Arc::clone(&key);
    let fake = ScriptedAs::start(move |asked| match asked.path() {
        "/jwks" => key_set(&served),
        _ => Reply::json("x".repeat(600 * 1024)),
    })
    .await;
    let with_client = |path: &str| {
        let jwks_uri = format!("{}{path}", fake.origin);
        let issuer =
            Issuer::with_jwks_uri("https://as.example", jwks_uri).audience("https://rs.example");
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        support::server::builder().issuer(issuer).http_client(client)
    };
    let token = key.token("https://as.example");
    assert_eq!(judge(with_client("/jwks"), &token).await, Ok(()));
    let error = with_client("/large").build().unwrap().load_keys().await.unwrap_err().to_string();
    assert!(error.contains("larger than 524288 bytes"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn avail_08_a_request_waits_two_seconds_for_keys_and_no_longer() {
    let silent = tower::service_fn(|_: http::Request<http_body_util::Full<Bytes>>| {
        std::future::pending::<Result<Response<http_body_util::Full<Bytes>>, std::io::Error>>()
    });
    let issuer = Issuer::with_jwks_uri("https://as.example", "https://as.example/jwks")
        .audience("https://rs.example");
    let server = support::server::builder().issuer(issuer).http_client(silent).build().unwrap();
    let token = Key::new("k1").token("https://as.example");
    let start = tokio::time::Instant::now();
    let rejection = server.verify(&token).await.unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::KeysUnavailable);
    // The clock is the test's own: it stands still but for what is waited for.
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn disc_06_the_certificate_is_checked_against_authorities_and_host() {
    let key = Arc::new(Key::new("k1"));
    let (tls, authority) = tls::localhost();
    let served = Arc::clone(&key);
    let fake = ScriptedAs::start_tls(tls, move |asked| match asked.path() {
        "/jwks" => key_set(&served),
        _ => Reply::metadata(asked.origin(), &format!("{}/jwks", asked.origin())),
    })
    .await;
    let token = key.token(&fake.origin);
    let trusting = discovering(&fake.origin).root_certificate(authority.clone());
    assert_eq!(judge(trusting, &token).await, Ok(()));
    assert_eq!(
        judge(discovering(&fake.origin), &token).await,
        Err(RejectionKind::KeysUnavailable),
        "an unknown authority"
    );
    // DISC-05: an issuer elsewhere must not make us ask this machine.
    let (tls, own_authority) = tls::localhost();
    let inward = ScriptedAs::start_tls(tls, move |asked| match asked.path() {
        "/jwks" => Reply::hang(),
        _ => Reply::metadata(asked.origin(), "http://127.0.0.1:9/jwks"),
    })
    .await;
    let trusting = discovering(&inward.origin).root_certificate(own_authority).build().unwrap();
    let error = trusting.load_keys().await.unwrap_err().to_string();
    assert!(error.contains("its jwks_uri is on this machine, and the issuer is not"), "{error}");

    let other_name = fake.origin.replace("localhost", "127.0.0.1");
    let trusting = discovering(&other_name).root_certificate(authority);
    assert_eq!(
        judge(trusting, &key.token(&other_name)).await,
        Err(RejectionKind::KeysUnavailable),
        "a certificate for another host"
    );
}
