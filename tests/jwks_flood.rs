//! Many requests at once, good and forged, cost the authorization server next to nothing (AVAIL-04,
//! AVAIL-08). Each test prints the figure that it shows.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portcullis::{Issuer, RejectionKind};
use support::keys::Key;
use support::scripted_as::{self, ScriptedAs};
use support::simulated_as::{
    ISSUER, JWKS, Reply, SimulatedAs, answer, forged, is_accepted_at_once, key_set, kind,
    lasting_token,
};
use tokio::task::JoinSet;
use tokio::time::{advance, sleep};

/// Memory and time are those of one process, so these tests take turns.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Resident memory of this process, bytes. Zero where the system does not say.
fn memory() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0_usize) * 4096
}

#[tokio::test(start_paused = true)]
async fn avail_04_f24_f25_a_hundred_thousand_forged_kids_in_a_minute() {
    let _turn = TURN.lock().await;
    type Script = fn(&str) -> Reply;
    let endpoints: [(&str, Script, RejectionKind); 3] = [
        ("is well", |jwks| Reply::Answer(key_set(jwks)), RejectionKind::UnknownKey),
        ("fails", |_| Reply::Answer(answer(500, "", "")), RejectionKind::KeysUnavailable),
        (
            "publishes an empty set",
            |_| Reply::Answer(key_set(r#"{"keys":[]}"#)),
            RejectionKind::KeysUnavailable,
        ),
    ];
    for (name, script, expected) in endpoints {
        let key = Key::new("k1");
        let fake = SimulatedAs::publishing(key.jwks());
        let server = fake.server();
        let good = lasting_token(&key);
        server.load_keys().await.unwrap();
        let jwks = key.jwks();
        fake.answer_with(move |_| script(&jwks));
        let before = memory();
        let (mut refused, mut lost) = (0, 0);
        for number in 0..100_000 {
            if number % 100 == 0 {
                advance(Duration::from_millis(60)).await;
                lost += usize::from(!is_accepted_at_once(&server, &good));
            }
            let kind = kind(&server, &forged(&good, &format!("forged-{number}"))).await;
            refused += usize::from(kind == Some(expected));
        }
        let growth = memory().saturating_sub(before);
        println!(
            "AVAIL-04: the endpoint {name}: 100,000 forged kids in 60 s: {} JWKS fetches, \
             {lost} of 1,000 good tokens refused or kept waiting, {} KiB more memory",
            fake.count(),
            growth / 1024
        );
        assert_eq!((refused, lost), (100_000, 0), "{name}");
        assert!(fake.count() <= 7, "{name}: {} fetches", fake.count());
        assert!(growth <= 10 * 1024 * 1024, "{name}: {growth} bytes");
        assert_eq!(server.keys()[0].kids, ["k1"]);
    }
}

#[tokio::test]
async fn avail_04_twenty_thousand_real_requests_with_forged_kids() {
    let _turn = TURN.lock().await;
    const CONNECTIONS: usize = 20;
    const REQUESTS: usize = 1_000;
    let key = Key::new("k1");
    let jwks = key.jwks();
    let fake = ScriptedAs::start(move |_| scripted_as::Reply::json(jwks.clone())).await;
    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{}{JWKS}", fake.origin));
    let server =
        support::server::builder().issuer(issuer.audience("https://rs.example")).build().unwrap();
    let app = axum::Router::new()
        .route("/", axum::routing::get(|| async {}))
        .layer(server.authenticate());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let good = lasting_token(&key);
    let before = memory();
    let mut clients = JoinSet::new();
    for client in 0..CONNECTIONS {
        let good = good.clone();
        clients.spawn(async move {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let io = hyper_util::rt::TokioIo::new(stream);
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            let mut wrong = 0;
            for number in 0..REQUESTS {
                let is_good = number % 10 == 0;
                let kid = format!("forged-{client}-{number}");
                let token = if is_good { good.clone() } else { forged(&good, &kid) };
                let request = http::Request::get("/")
                    .header("host", "rs.example")
                    .header("authorization", format!("Bearer {token}"))
                    .body(http_body_util::Empty::<bytes::Bytes>::new())
                    .unwrap();
                let response = sender.send_request(request).await.unwrap();
                let status = response.status().as_u16();
                http_body_util::BodyExt::collect(response.into_body()).await.unwrap();
                wrong += usize::from(status != if is_good { 200 } else { 401 });
            }
            wrong
        });
    }
    let wrong: usize = clients.join_all().await.into_iter().sum();
    let growth = memory().saturating_sub(before);
    println!(
        "AVAIL-04: 20,000 real requests, nine in ten with a forged kid: {} JWKS fetches, \
         {wrong} wrong answers, {} KiB more memory",
        fake.log().len(),
        growth / 1024
    );
    assert_eq!(wrong, 0);
    assert!(fake.log().len() <= 7, "{} fetches", fake.log().len());
    assert!(growth <= 10 * 1024 * 1024, "{growth} bytes");
}

#[tokio::test]
async fn avail_08_ten_thousand_first_requests_share_one_fetch_of_a_second() {
    let _turn = TURN.lock().await;
    let key = Key::new("k1");
    let fetches = Arc::new(AtomicUsize::new(0));
    let (jwks, counter) = (key.jwks(), Arc::clone(&fetches));
    let app = axum::Router::new().route(
        JWKS,
        axum::routing::get(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            let jwks = jwks.clone();
            async move {
                sleep(Duration::from_secs(1)).await;
                jwks
            }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{origin}{JWKS}"));
    let server =
        support::server::builder().issuer(issuer.audience("https://rs.example")).build().unwrap();
    let token: Arc<str> = lasting_token(&key).into();
    let mut requests = JoinSet::new();
    for _ in 0..10_000 {
        let (server, token) = (server.clone(), Arc::clone(&token));
        requests.spawn(async move { server.verify(&token).await.is_ok() });
    }
    let failed = requests.join_all().await.into_iter().filter(|accepted| !accepted).count();
    let fetches = fetches.load(Ordering::Relaxed);
    println!(
        "10,000 concurrent first requests, the answer takes a second: {fetches} JWKS fetch, \
         {failed} failures"
    );
    assert_eq!((fetches, failed), (1, 0));
}
