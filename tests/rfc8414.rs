//! From an issuer to its keys: metadata (RFC 8414, SPEC §12) and key sets over real sockets.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Response;
use portcullis::{Issuer, RejectionKind, ResourceServer, ResourceServerBuilder};
use support::fake_as::{FakeAs, answer, metadata};
use support::keys::Key;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

fn discovering(issuer: &str) -> ResourceServerBuilder {
    let issuer = Issuer::discover(issuer).audience("https://rs.example");
    ResourceServer::builder().issuer(issuer)
}

/// Whether a token of `issuer` is accepted, or why not.
async fn judge(server: ResourceServerBuilder, token: &str) -> Result<(), RejectionKind> {
    let server = server.build().unwrap();
    server.verify(token).await.map(|_| ()).map_err(|rejection| rejection.kind())
}

fn key_set(key: &Key) -> Option<Response<Bytes>> {
    Some(answer(200, "application/jwk-set+json", key.jwks()))
}

#[tokio::test]
async fn disc_01_disc_02_the_addresses_are_tried_in_order() {
    let key = Arc::new(Key::new("k1"));
    let third = format!("/t{OPENID}");
    let fake = {
        let (key, third) = (Arc::clone(&key), third.clone());
        FakeAs::start(move |origin, path| match path {
            "/jwks" => key_set(&key),
            path if path == third => {
                Some(metadata(&format!("{origin}/t"), &format!("{origin}/jwks")))
            }
            _ => Some(answer(404, "text/plain", "")),
        })
        .await
    };
    let issuer = format!("{}/t", fake.origin);
    assert_eq!(judge(discovering(&issuer), &key.token(&issuer)).await, Ok(()));
    assert_eq!(fake.log(), [format!("{OAUTH}/t"), format!("{OPENID}/t"), third, "/jwks".into()]);
}

#[tokio::test]
async fn disc_03_disc_04_disc_05_disc_07_documents_that_must_not_be_used_f43() {
    let key = Arc::new(Key::new("k1"));
    type Case = (&'static str, fn(&str) -> Response<Bytes>);
    let cases: [Case; 11] = [
        ("issuer with a slash", |origin| {
            metadata(&format!("{origin}/"), &format!("{origin}/jwks"))
        }),
        ("issuer in capitals", |origin| {
            metadata(&origin.to_uppercase(), &format!("{origin}/jwks"))
        }),
        ("no issuer", |origin| {
            answer(200, "application/json", format!(r#"{{"jwks_uri":"{origin}/jwks"}}"#))
        }),
        ("no jwks_uri", |origin| {
            answer(200, "application/json", format!(r#"{{"issuer":"{origin}"}}"#))
        }),
        ("http elsewhere", |origin| metadata(origin, "http://keys.example/jwks")),
        ("status 201", |origin| {
            let mut response = metadata(origin, &format!("{origin}/jwks"));
            *response.status_mut() = http::StatusCode::CREATED;
            response
        }),
        ("text/html", |origin| {
            let mut response = metadata(origin, &format!("{origin}/jwks"));
            let html = http::HeaderValue::from_static("text/html");
            response.headers_mut().insert("content-type", html);
            response
        }),
        ("redirect", |origin| {
            let mut response = answer(302, "application/json", "");
            let target = format!("{origin}/elsewhere").parse().unwrap();
            response.headers_mut().insert("location", target);
            response
        }),
        ("too large", |origin| {
            let document = format!(
                r#"{{"issuer":"{origin}","jwks_uri":"{origin}/jwks","x":"{}"}}"#,
                "x".repeat(256 * 1024)
            );
            answer(200, "application/json", document)
        }),
        ("garbage", |_| answer(200, "application/json", "{\"issuer\":")),
        ("compressed", |origin| {
            let mut response = metadata(origin, &format!("{origin}/jwks"));
            let gzip = http::HeaderValue::from_static("gzip");
            response.headers_mut().insert("content-encoding", gzip);
            response
        }),
    ];
    for (name, document) in cases {
        let served = Arc::clone(&key);
        let fake = FakeAs::start(move |origin, path| match path {
            "/jwks" => key_set(&served),
            "/elsewhere" => Some(metadata(origin, &format!("{origin}/jwks"))),
            _ => Some(document(origin)),
        })
        .await;
        let judged = judge(discovering(&fake.origin), &key.token(&fake.origin)).await;
        assert_eq!(judged, Err(RejectionKind::KeysUnavailable), "{name}");
        let log = fake.log();
        assert!(!log.iter().any(|path| path == "/jwks" || path == "/elsewhere"), "{name}: {log:?}");
    }
}

#[tokio::test]
async fn disc_08_jws_11_jws_17_a_token_never_causes_a_request_elsewhere() {
    let key = Key::new("k1");
    let probe = FakeAs::start(|_, _| Some(answer(200, "application/json", "{}"))).await;
    let server = ResourceServer::builder()
        .issuer(Issuer::with_jwks("https://as.example", key.jwks()).audience("https://rs.example"))
        .build()
        .unwrap();
    let foreign = key.token(&probe.origin);
    let rejection = server.verify(&foreign).await.unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::UntrustedIssuer);
    assert!(probe.log().is_empty());
}

#[tokio::test]
async fn key_sets_that_must_not_be_used() {
    let key = Arc::new(Key::new("k1"));
    type Case = (&'static str, fn(&str, &Key) -> Response<Bytes>);
    let cases: [Case; 8] = [
        ("status 500", |_, key| answer(500, "application/json", key.jwks())),
        ("status 404", |_, key| answer(404, "application/json", key.jwks())),
        ("redirect", |origin, key| {
            let mut response = answer(307, "application/json", key.jwks());
            let target = format!("{origin}/jwks2").parse().unwrap();
            response.headers_mut().insert("location", target);
            response
        }),
        ("empty", |_, _| answer(200, "application/json", r#"{"keys":[]}"#)),
        ("no set (JWK-02)", |_, _| answer(200, "application/json", "{}")),
        ("garbage", |_, _| answer(200, "application/json", "<html>")),
        ("too large (JWK-13)", |_, key| {
            answer(200, "application/json", format!("{}{}", key.jwks(), " ".repeat(512 * 1024)))
        }),
        ("compressed", |_, key| {
            let mut response = answer(200, "application/json", key.jwks());
            let gzip = http::HeaderValue::from_static("gzip");
            response.headers_mut().insert("content-encoding", gzip);
            response
        }),
    ];
    for (name, set) in cases {
        let served = Arc::clone(&key);
        let fake = FakeAs::start(move |origin, path| match path {
            "/jwks" => Some(set(origin, &served)),
            _ => key_set(&served),
        })
        .await;
        let jwks_uri = format!("{}/jwks", fake.origin);
        let issuer =
            Issuer::with_jwks_uri("https://as.example", jwks_uri).audience("https://rs.example");
        let server = ResourceServer::builder().issuer(issuer);
        let judged = judge(server, &key.token("https://as.example")).await;
        assert_eq!(judged, Err(RejectionKind::KeysUnavailable), "{name}");
        assert_eq!(fake.log(), ["/jwks"], "{name}");
    }
}

#[tokio::test]
async fn key_sets_are_judged_by_content_not_by_media_type() {
    let key = Arc::new(Key::new("k1"));
    let served = Arc::clone(&key);
    let fake = FakeAs::start(move |_, _| Some(answer(200, "text/plain", served.jwks()))).await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = ResourceServer::builder().issuer(issuer);
    assert_eq!(judge(server, &key.token("https://as.example")).await, Ok(()));
}

#[tokio::test]
async fn avail_04_many_first_requests_and_forged_kids_share_one_fetch() {
    let key = Arc::new(Key::new("k1"));
    let (served, fetches) = (Arc::clone(&key), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&fetches);
    let fake = FakeAs::start(move |_, _| {
        counter.fetch_add(1, Ordering::Relaxed);
        key_set(&served)
    })
    .await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = ResourceServer::builder().issuer(issuer).build().unwrap();
    let token = key.token("https://as.example");
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (server, token) = (server.clone(), token.clone());
        requests.spawn(async move { server.verify(&token).await.is_ok() });
    }
    assert!(requests.join_all().await.into_iter().all(|accepted| accepted));
    assert_eq!(fetches.load(Ordering::Relaxed), 1);

    for number in 0..1000 {
        let forged = Key::new(&format!("forged-{number}"));
        let rejection = server.verify(&forged.token("https://as.example")).await.unwrap_err();
        // AVAIL-05: the last fetch was good, so it is the token's fault.
        assert_eq!(rejection.kind(), RejectionKind::UnknownKey);
    }
    assert_eq!(fetches.load(Ordering::Relaxed), 2, "one for all the unknown keys");
}

#[tokio::test]
async fn avail_05_f25_an_unknown_kid_after_a_failed_fetch_is_not_the_clients_fault() {
    let key = Arc::new(Key::new("k1"));
    let (served, fetches) = (Arc::clone(&key), AtomicUsize::new(0));
    let fake = FakeAs::start(move |_, _| match fetches.fetch_add(1, Ordering::Relaxed) {
        0 => key_set(&served),
        _ => Some(answer(500, "text/plain", "")),
    })
    .await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = ResourceServer::builder().issuer(issuer).build().unwrap();
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
    let (served, fetches) = (Arc::clone(&key), AtomicUsize::new(0));
    let fake = FakeAs::start(move |_, _| match fetches.fetch_add(1, Ordering::Relaxed) {
        0 => key_set(&served),
        _ => None,
    })
    .await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = ResourceServer::builder().issuer(issuer).build().unwrap();
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
    let (first, second, fetches) = (Arc::clone(&old), Arc::clone(&new), AtomicUsize::new(0));
    let fake = FakeAs::start(move |_, _| match fetches.fetch_add(1, Ordering::Relaxed) {
        0 => key_set(&first),
        _ => key_set(&second),
    })
    .await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = ResourceServer::builder().issuer(issuer).build().unwrap();
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
    let (first, second, fetches) = (Arc::clone(&old), Arc::clone(&new), AtomicUsize::new(0));
    let fake = FakeAs::start(move |_, _| match fetches.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => key_set(&first),
        _ => key_set(&second),
    })
    .await;
    let issuer = Issuer::with_jwks_uri("https://as.example", format!("{}/jwks", fake.origin))
        .audience("https://rs.example");
    let server = ResourceServer::builder().issuer(issuer).build().unwrap();
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
    use http_body_util::Empty;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    let key = Arc::new(Key::new("k1"));
    let served = Arc::clone(&key);
    let fake = FakeAs::start(move |_, path| match path {
        "/jwks" => key_set(&served),
        _ => Some(answer(200, "application/json", "x".repeat(600 * 1024))),
    })
    .await;
    let with_client = |path: &str| {
        let jwks_uri = format!("{}{path}", fake.origin);
        let issuer =
            Issuer::with_jwks_uri("https://as.example", jwks_uri).audience("https://rs.example");
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        ResourceServer::builder().issuer(issuer).http_client(client)
    };
    let token = key.token("https://as.example");
    assert_eq!(judge(with_client("/jwks"), &token).await, Ok(()));
    let error = with_client("/large").build().unwrap().load_keys().await.unwrap_err().to_string();
    assert!(error.contains("larger than 524288 bytes"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn avail_08_a_request_waits_two_seconds_for_keys_and_no_longer() {
    let silent = tower::service_fn(|_: http::Request<http_body_util::Empty<Bytes>>| {
        std::future::pending::<Result<Response<http_body_util::Full<Bytes>>, std::io::Error>>()
    });
    let issuer = Issuer::with_jwks_uri("https://as.example", "https://as.example/jwks")
        .audience("https://rs.example");
    let server = ResourceServer::builder().issuer(issuer).http_client(silent).build().unwrap();
    let token = Key::new("k1").token("https://as.example");
    let start = tokio::time::Instant::now();
    let rejection = server.verify(&token).await.unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::KeysUnavailable);
    // The clock is the test's own: it stands still but for what is waited for.
    assert_eq!(start.elapsed().as_secs(), 2);
}

/// A certificate for `localhost` by an authority of its own, and that authority in PEM.
fn localhost_tls() -> (TlsAcceptor, String) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::default();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = parameters.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(parameters, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}

#[tokio::test]
async fn disc_06_the_certificate_is_checked_against_authorities_and_host() {
    let key = Arc::new(Key::new("k1"));
    let (tls, authority) = localhost_tls();
    let served = Arc::clone(&key);
    let fake = FakeAs::start_tls(tls, move |origin, path| match path {
        "/jwks" => key_set(&served),
        _ => Some(metadata(origin, &format!("{origin}/jwks"))),
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
    let (tls, own_authority) = localhost_tls();
    let inward = FakeAs::start_tls(tls, move |origin, path| match path {
        "/jwks" => None,
        _ => Some(metadata(origin, "http://127.0.0.1:9/jwks")),
    })
    .await;
    let trusting = discovering(&inward.origin).root_certificate(own_authority).build().unwrap();
    let error = trusting.load_keys().await.unwrap_err().to_string();
    assert!(error.contains("has a jwks_uri that is not https"), "{error}");

    let other_name = fake.origin.replace("localhost", "127.0.0.1");
    let trusting = discovering(&other_name).root_certificate(authority);
    assert_eq!(
        judge(trusting, &key.token(&other_name)).await,
        Err(RejectionKind::KeysUnavailable),
        "a certificate for another host"
    );
}
