//! Tokens of a real authorization server, walked through an axum service on a real socket.
#![cfg(feature = "axum")]

mod support;

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::routing::get;
use portcullis::axum::Claims;
use portcullis::{AccessToken, Algorithm, Clock, Issuer, Profile, ResourceServer, scope};
use serde::Deserialize;
use support::oidc_provider::{MACHINE, Mode, OidcProvider, USER, WEB};
use tokio::net::TcpListener;

const API: &str = "https://api.example.com";

/// A protected service on a free port.
struct Service {
    address: String,
}

/// What a client sees.
#[derive(Debug)]
struct Answer {
    status: u16,
    challenge: Option<String>,
    retry_after: Option<String>,
    body: String,
}

impl Service {
    async fn start(api: ResourceServer) -> Self {
        async fn orders(token: AccessToken) -> String {
            format!("orders of {}", token.subject())
        }

        #[derive(Deserialize)]
        struct Client {
            client_id: String,
        }
        async fn client(claims: Claims<Client>) -> String {
            claims.0.client_id
        }

        let app = Router::new()
            .route("/orders", get(orders).route_layer(api.require(scope("orders.read"))))
            .route("/client", get(client).route_layer(api.authenticate()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address }
    }

    async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        let mut request = reqwest::Client::new().get(format!("{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let header = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        Answer {
            status: response.status().as_u16(),
            challenge: header("www-authenticate"),
            retry_after: header("retry-after"),
            body: response.text().await.unwrap(),
        }
    }
}

impl Answer {
    #[track_caller]
    fn is_ok(&self, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (200, body), "{self:?}");
    }

    #[track_caller]
    fn is_refused(&self, status: u16, error: Option<&str>) {
        assert_eq!(self.status, status, "{self:?}");
        let challenge = support::challenge(self.challenge.as_deref().unwrap());
        assert_eq!(challenge.scheme, "Bearer");
        assert_eq!(challenge.parameter("error"), error, "{self:?}");
    }
}

fn issuer(provider: &OidcProvider) -> Issuer {
    Issuer::discover(provider.issuer()).audience(API)
}

fn api(issuer: Issuer) -> ResourceServer {
    support::server::builder().issuer(issuer).build().unwrap()
}

struct Later(Duration);

impl Clock for Later {
    fn now(&self) -> SystemTime {
        SystemTime::now() + self.0
    }
}

#[tokio::test]
async fn client_credentials_tokens_are_accepted() {
    let Some(provider) = OidcProvider::start().await else { return };
    let service = Service::start(api(issuer(&provider))).await;
    let token = provider.client_credentials(API, "orders.read").await;
    service.get("/orders", Some(&token)).await.is_ok(&format!("orders of {MACHINE}"));
    service.get("/client", Some(&token)).await.is_ok(MACHINE);
    service.get("/orders", None).await.is_refused(401, None);
}

#[tokio::test]
async fn authorization_code_tokens_are_accepted_and_their_id_tokens_refused_at_08_f29() {
    let Some(provider) = OidcProvider::start().await else { return };
    let tokens = provider.authorization_code(API, "orders.read").await;
    let service = Service::start(api(issuer(&provider))).await;
    service.get("/orders", Some(&tokens.access_token)).await.is_ok(&format!("orders of {USER}"));
    service.get("/client", Some(&tokens.access_token)).await.is_ok(WEB);
    service.get("/orders", Some(&tokens.id_token)).await.is_refused(401, Some("invalid_token"));

    // Where the client itself is configured as audience, this ID token has nothing that tells it
    // from a lean access token: no nonce, no at_hash. The strict profile knows it by its type, and
    // in the other it carries no scope.
    let for_client = || Issuer::discover(provider.issuer()).audience(WEB);
    let strict = Service::start(api(for_client().profile(Profile::Rfc9068))).await;
    strict.get("/client", Some(&tokens.id_token)).await.is_refused(401, Some("invalid_token"));
    let compatible = Service::start(api(for_client())).await;
    let answer = compatible.get("/orders", Some(&tokens.id_token)).await;
    answer.is_refused(403, Some("insufficient_scope"));
}

#[tokio::test]
async fn every_algorithm_of_the_server_in_the_strict_profile() {
    let Some(provider) = OidcProvider::start().await else { return };
    for (resource, algorithm) in [
        (API, Algorithm::RS256),
        ("https://es256.example.com", Algorithm::ES256),
        ("https://eddsa.example.com", Algorithm::EdDSA),
    ] {
        let token = provider.client_credentials(resource, "orders.read").await;
        let strict = |algorithm| {
            let issuer = Issuer::discover(provider.issuer())
                .audience(resource)
                .profile(Profile::Rfc9068)
                .algorithms([algorithm]);
            Service::start(api(issuer))
        };
        let service = strict(algorithm).await;
        service.get("/orders", Some(&token)).await.is_ok(&format!("orders of {MACHINE}"));
        // JWA-01: the same token where another algorithm is allowed.
        let service = strict(Algorithm::ES384).await;
        service.get("/orders", Some(&token)).await.is_refused(401, Some("invalid_token"));
    }
}

#[tokio::test]
async fn another_audience_is_refused_f33() {
    let Some(provider) = OidcProvider::start().await else { return };
    let service = Service::start(api(issuer(&provider))).await;
    let token = provider.client_credentials("https://other.example.com", "orders.read").await;
    service.get("/orders", Some(&token)).await.is_refused(401, Some("invalid_token"));
}

#[tokio::test]
async fn a_client_reads_the_scope_from_the_403_and_asks_again_f62() {
    let Some(provider) = OidcProvider::start().await else { return };
    let service = Service::start(api(issuer(&provider))).await;
    let token = provider.client_credentials(API, "profile.read").await;
    let answer = service.get("/orders", Some(&token)).await;
    answer.is_refused(403, Some("insufficient_scope"));
    let challenge = support::challenge(answer.challenge.as_deref().unwrap());
    let token = provider.client_credentials(API, challenge.parameter("scope").unwrap()).await;
    service.get("/orders", Some(&token)).await.is_ok(&format!("orders of {MACHINE}"));
}

#[tokio::test]
async fn an_expired_token_is_refused_f34() {
    let Some(provider) = OidcProvider::start().await else { return };
    let token = provider.client_credentials(API, "orders.read").await;
    let day = Later(Duration::from_secs(24 * 60 * 60));
    let later = support::server::builder().issuer(issuer(&provider)).clock(day).build().unwrap();
    let service = Service::start(later).await;
    service.get("/orders", Some(&token)).await.is_refused(401, Some("invalid_token"));
}

#[tokio::test]
async fn rotated_keys_are_accepted_within_one_request() {
    let Some(provider) = OidcProvider::start().await else { return };
    let service = Service::start(api(issuer(&provider))).await;
    let old = provider.client_credentials(API, "orders.read").await;
    service.get("/orders", Some(&old)).await.is_ok(&format!("orders of {MACHINE}"));
    assert_eq!(provider.stats().await.jwks, 1);

    provider.rotate_keys().await;
    let new = provider.client_credentials(API, "orders.read").await;
    service.get("/orders", Some(&new)).await.is_ok(&format!("orders of {MACHINE}"));
    assert_eq!(provider.stats().await.jwks, 2);
    // AVAIL-07: what is gone from the set is gone.
    service.get("/orders", Some(&old)).await.is_refused(401, Some("invalid_token"));
    assert_eq!(provider.stats().await.jwks, 2, "AVAIL-04: the budget for unknown keys is used up");
}

#[tokio::test]
async fn no_keys_yet_is_503_and_heals_f43() {
    let Some(provider) = OidcProvider::start().await else { return };
    let token = provider.client_credentials(API, "orders.read").await;
    for mode in [Mode::Unavailable, Mode::Garbage, Mode::Empty] {
        provider.jwks_mode(mode).await;
        let api = api(issuer(&provider));
        let service = Service::start(api.clone()).await;
        let answer = service.get("/orders", Some(&token)).await;
        assert_eq!((answer.status, &answer.challenge), (503, &None), "{mode:?} {answer:?}");
        let seconds: u64 = answer.retry_after.unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds));
        // AVAIL-02: what needs no key is refused as ever.
        service.get("/orders", None).await.is_refused(401, None);
        service.get("/orders", Some("a.b.c")).await.is_refused(401, Some("invalid_token"));

        provider.jwks_mode(Mode::Ok).await;
        api.load_keys().await.unwrap();
        service.get("/orders", Some(&token)).await.is_ok(&format!("orders of {MACHINE}"));
    }
}
