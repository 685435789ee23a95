//! The testing kit against the engine: what the one makes, the other judges as expected.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use portcullis::RejectionKind as Kind;
use portcullis::testing::{Authority, Client, ManualClock, Outage, TokenBuilder};
use portcullis::{Algorithm, Caller, Clock, Issuer, Profile, ResourceServer};
use serde_json::{Value, json};
use tower::{Service, ServiceExt};

/// What becomes of a token; `Ok` where it is accepted.
async fn judge(server: &ResourceServer, token: &str) -> Result<(), Kind> {
    server.verify(token).await.map(drop).map_err(|rejection| rejection.kind())
}

fn public_algorithms() -> impl Iterator<Item = Algorithm> {
    Algorithm::all().filter(|algorithm| !algorithm.name().starts_with("HS"))
}

#[tokio::test]
async fn the_default_token_is_good_and_follows_rfc_9068() {
    let authority = Authority::new();
    let server = support::server::builder()
        .issuer(authority.issuer().profile(Profile::Rfc9068).leeway(Duration::ZERO))
        .clock(authority.clock().clone())
        .http_client(authority.http_service())
        .build()
        .unwrap();
    let token = server.verify(&authority.token().mint()).await.unwrap();
    assert_eq!(token.subject().id(), Some("alice"));
    assert_eq!(token.issuer(), "https://authority.example");
    assert_eq!(token.client_id(), Some("app"));
    assert_eq!(token.caller(), Caller::User);
    assert_eq!(token.scopes().count(), 0);
    assert_eq!(token.claim("aud").unwrap(), Some("https://api.example.com".to_owned()));
    let lifetime = token.expires_at().unwrap().duration_since(authority.clock().now());
    assert_eq!(lifetime.unwrap(), Duration::from_secs(300));
}

#[tokio::test]
async fn every_knob_has_its_effect() {
    type Knob = fn(TokenBuilder) -> TokenBuilder;
    let cases: [(&str, Knob, Result<(), Kind>); 38] = [
        ("as it is", |t| t, Ok(())),
        ("subject", |t| t.subject("bob"), Ok(())),
        ("scope", |t| t.scope("orders.read"), Ok(())),
        ("a claim", |t| t.claim("tenant", "acme"), Ok(())),
        ("typ JWT", |t| t.header("typ", "JWT"), Ok(())),
        ("no typ", |t| t.without_header("typ"), Ok(())),
        ("no kid", |t| t.without_kid(), Ok(())),
        ("two audiences", |t| t.claim("aud", ["x", "https://api.example.com"]), Ok(())),
        ("scope as an array", |t| t.claim("scope", ["a", "b"]), Ok(())),
        ("no subject", |t| t.without("sub"), Ok(())),
        ("expired", |t| t.expired(), Err(Kind::Expired)),
        ("expires at once", |t| t.expires_in(Duration::ZERO), Ok(())),
        ("expired by claim", |t| t.claim("exp", 1), Err(Kind::Expired)),
        ("not yet valid", |t| t.not_yet_valid(), Err(Kind::NotYetValid)),
        ("from the future", |t| t.claim("iat", 9_000_000_000_u64), Err(Kind::NotYetValid)),
        ("stranger", |t| t.signed_by_stranger(), Err(Kind::BadSignature)),
        ("stranger, RSA", |t| rsa(t).signed_by_stranger(), Err(Kind::BadSignature)),
        ("stranger without kid", |t| t.signed_by_stranger().without_kid(), Err(Kind::BadSignature)),
        ("unknown kid", |t| t.kid("nobody"), Err(Kind::UnknownKey)),
        ("unsigned", |t| t.unsigned(), Err(Kind::AlgorithmNotAllowed)),
        ("nOnE", |t| t.unsigned().header("alg", "nOnE"), Err(Kind::AlgorithmNotAllowed)),
        ("not set up", |t| t.algorithm(Algorithm::ES512), Err(Kind::AlgorithmNotAllowed)),
        ("a MAC", |t| t.algorithm(Algorithm::HS256), Err(Kind::AlgorithmNotAllowed)),
        ("signature of another", |t| t.header("alg", "ES384"), Err(Kind::UnknownKey)),
        ("issuer", |t| t.issuer("https://evil.example"), Err(Kind::UntrustedIssuer)),
        ("no issuer", |t| t.without("iss"), Err(Kind::UntrustedIssuer)),
        ("audience", |t| t.audience("https://b.example"), Err(Kind::WrongAudience)),
        ("no audience", |t| t.without("aud"), Err(Kind::MissingClaim)),
        ("no expiry", |t| t.without("exp"), Err(Kind::MissingClaim)),
        ("exp is text", |t| t.claim("exp", "1700000000"), Err(Kind::MalformedClaim)),
        ("sub is a number", |t| t.claim("sub", 7), Err(Kind::MalformedClaim)),
        ("an ID token", |t| t.header("typ", "JWT").claim("nonce", "n"), Err(Kind::WrongTokenType)),
        ("a DPoP proof", |t| t.header("typ", "dpop+jwt"), Err(Kind::WrongTokenType)),
        ("bound", |t| t.claim("cnf", json!({"jkt": "t"})), Err(Kind::SenderConstrained)),
        ("crit", |t| t.header("crit", ["exp"]), Err(Kind::UnsupportedExtension)),
        ("kid is a number", |t| t.header("kid", 7), Err(Kind::MalformedToken)),
        ("claims are no JSON", |t| t.claims_text("iss=x"), Err(Kind::MalformedToken)),
        ("header twice", |t| t.header_text(r#"{"alg":"ES256","alg":"ES256"}"#), MALFORMED),
    ];
    let authority = Authority::new();
    for (name, knob, expected) in cases {
        let server = support::server::with_cache(authority.resource_server()).build().unwrap();
        let token = knob(authority.token()).mint();
        assert_eq!(judge(&server, &token).await, expected, "{name}");
    }
}

const MALFORMED: Result<(), Kind> = Err(Kind::MalformedToken);

fn rsa(token: TokenBuilder) -> TokenBuilder {
    token.algorithm(Algorithm::RS256)
}

#[tokio::test]
async fn every_claim_can_be_left_out() {
    let authority = Authority::new();
    let server = support::server::builder()
        .issuer(authority.issuer().profile(Profile::Rfc9068))
        .clock(authority.clock().clone())
        .http_client(authority.http_service())
        .build()
        .unwrap();
    for claim in ["aud", "sub", "client_id", "iat", "exp", "jti"] {
        let token = authority.token().without(claim).mint();
        assert_eq!(judge(&server, &token).await, Err(Kind::MissingClaim), "{claim}");
        let token = authority.token().without(claim).claim(claim, Value::Null).mint();
        assert_eq!(judge(&server, &token).await, Err(Kind::MalformedClaim), "{claim}");
    }
}

#[tokio::test]
async fn later_calls_count_and_each_token_is_new() {
    let authority = Authority::new();
    let builder = authority.token().subject("a").claim("sub", "b").without("sub").subject("c");
    let token = builder.verified().await.unwrap();
    assert_eq!(token.subject().id(), Some("c"));
    let again = builder.verified().await.unwrap();
    let jti = |token: &portcullis::AccessToken| token.claim::<String>("jti").unwrap().unwrap();
    assert_ne!(jti(&token), jti(&again));
    let rejection = builder.expired().verified().await.unwrap_err();
    assert_eq!(rejection.kind(), Kind::Expired);
}

#[tokio::test]
async fn every_public_key_algorithm_is_verified_by_one_server() {
    let authority = Authority::builder().algorithms(public_algorithms()).build().unwrap();
    let server = support::server::with_cache(authority.resource_server()).build().unwrap();
    for algorithm in public_algorithms() {
        let good = authority.token().algorithm(algorithm);
        assert_eq!(judge(&server, &good.mint()).await, Ok(()), "{algorithm}");
        assert_eq!(judge(&server, &good.clone().without_kid().mint()).await, Ok(()), "{algorithm}");
        let forged = good.signed_by_stranger().mint();
        assert_eq!(judge(&server, &forged).await, Err(Kind::BadSignature), "{algorithm}");
    }
    assert_eq!(authority.jwks_requests(), 1);
}

#[tokio::test]
async fn secrets_verify_macs_and_nothing_else_does() {
    let authority = Authority::new();
    let server = support::server::builder()
        .issuer(authority.issuer_with_secrets())
        .clock(authority.clock().clone())
        .build()
        .unwrap();
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let good = authority.token().algorithm(algorithm);
        assert_eq!(judge(&server, &good.mint()).await, Ok(()), "{algorithm}");
        let forged = good.signed_by_stranger().mint();
        assert_eq!(judge(&server, &forged).await, Err(Kind::BadSignature), "{algorithm}");
    }
    let token = authority.token().mint();
    assert_eq!(judge(&server, &token).await, Err(Kind::AlgorithmNotAllowed));
    assert!(!authority.jwks().contains("oct"));
}

#[tokio::test]
async fn the_key_set_can_be_part_of_the_configuration() {
    let authority = Authority::builder().algorithms([Algorithm::RS256]).build().unwrap();
    let issuer = Issuer::with_jwks(authority.issuer_url(), authority.jwks());
    let server = support::server::builder()
        .issuer(issuer.audience(authority.audience()))
        .clock(authority.clock().clone())
        .build()
        .unwrap();
    assert_eq!(judge(&server, &authority.token().mint()).await, Ok(()));
}

#[tokio::test]
async fn rotation_with_overlap() {
    let authority = Authority::new();
    let server = support::server::with_cache(authority.resource_server()).build().unwrap();
    let old = authority.token();
    let before = old.mint();
    assert_eq!(judge(&server, &before).await, Ok(()));
    authority.rotate_keys();
    assert_eq!(judge(&server, &authority.token().mint()).await, Ok(()));
    assert_eq!(judge(&server, &before).await, Ok(()));
    assert_eq!(authority.jwks_requests(), 2);
    authority.retire_old_keys();
    server.load_keys().await.unwrap();
    assert_eq!(judge(&server, &before).await, Err(Kind::UnknownKey));
    assert_eq!(judge(&server, &authority.token().mint()).await, Ok(()));
}

#[tokio::test]
async fn rotation_without_overlap() {
    for algorithm in [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA] {
        let authority = Authority::new();
        let server = support::server::with_cache(authority.resource_server()).build().unwrap();
        let before = authority.token().algorithm(algorithm).mint();
        let without_kid = authority.token().algorithm(algorithm).without_kid().mint();
        assert_eq!(judge(&server, &before).await, Ok(()), "{algorithm}");
        authority.rotate_keys();
        authority.retire_old_keys();
        let after = authority.token().algorithm(algorithm).mint();
        assert_eq!(judge(&server, &after).await, Ok(()), "{algorithm}");
        assert_eq!(judge(&server, &before).await, Err(Kind::UnknownKey), "{algorithm}");
        assert_eq!(judge(&server, &without_kid).await, Err(Kind::BadSignature), "{algorithm}");
    }
}

#[tokio::test]
async fn the_clock_decides_about_lifetimes() {
    let authority = Authority::new();
    let server = support::server::with_cache(authority.resource_server()).build().unwrap();
    let token = authority.token().expires_in(Duration::from_secs(100)).mint();
    // 60 seconds of leeway.
    authority.clock().advance(Duration::from_secs(159));
    assert_eq!(judge(&server, &token).await, Ok(()));
    authority.clock().advance(Duration::from_secs(1));
    assert_eq!(judge(&server, &token).await, Err(Kind::Expired));
    assert_eq!(judge(&server, &authority.token().mint()).await, Ok(()));
    let start = authority.clock().now();
    authority.clock().set(start - Duration::from_secs(3600));
    assert_eq!(judge(&server, &token).await, Err(Kind::NotYetValid));
}

#[tokio::test]
async fn outages() {
    let authority = Authority::new();
    for outage in [Outage::Keys, Outage::Everything] {
        let server = support::server::with_cache(authority.resource_server()).build().unwrap();
        authority.set_outage(outage);
        let token = authority.token().mint();
        assert_eq!(judge(&server, &token).await, Err(Kind::KeysUnavailable), "{outage:?}");
        assert!(server.load_keys().await.is_err(), "{outage:?}");
        authority.set_outage(Outage::None);
        server.load_keys().await.unwrap();
        assert_eq!(judge(&server, &token).await, Ok(()), "{outage:?}");
        authority.set_outage(outage);
        assert_eq!(judge(&server, &authority.token().mint()).await, Ok(()), "{outage:?}");
        authority.set_outage(Outage::None);
    }
}

#[tokio::test]
async fn issuers_with_paths_and_slashes_are_discovered() {
    for issuer in [
        "https://login.example.com",
        "https://login.example.com/",
        "https://login.example.com/realms/x",
        "https://login.example.com/realms/x/",
        "https://login.example.com:8443/a/b",
        "http://localhost:1/",
    ] {
        let authority = Authority::builder().issuer(issuer).build().unwrap();
        let server = support::server::with_cache(authority.resource_server()).build().unwrap();
        let token = server.verify(&authority.token().mint()).await.unwrap();
        assert_eq!(token.issuer(), issuer);
    }
}

#[tokio::test]
async fn jwt_11_two_authorities_in_one_process_are_told_apart() {
    let builder = || Authority::builder().algorithms([Algorithm::ES256, Algorithm::RS256]);
    let one = builder().build().unwrap();
    for issuer in ["https://other.example", "https://authority.example/other"] {
        let other = builder().issuer(issuer).build().unwrap();
        let server = one
            .resource_server()
            .issuer(other.issuer())
            .http_client(one.http_service().and(&other))
            .build()
            .unwrap();
        for algorithm in [Algorithm::ES256, Algorithm::RS256] {
            for (authority, stranger) in [(&one, &other), (&other, &one)] {
                let token = authority.token().algorithm(algorithm).without_kid();
                assert_eq!(judge(&server, &token.mint()).await, Ok(()), "{algorithm}");
                let forged = token.issuer(stranger.issuer_url()).mint();
                assert_eq!(judge(&server, &forged).await, Err(Kind::BadSignature), "{algorithm}");
            }
        }
    }
}

#[tokio::test]
async fn the_in_process_client_reaches_nobody_else() {
    let authority = Authority::new();
    for address in ["https://other.example/jwks", "http://authority.example/jwks", "/jwks"] {
        let request = Request::get(address).body(Empty::<Bytes>::new()).unwrap();
        let error = authority.http_service().oneshot(request).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused, "{address}");
    }
    let request = Request::get("https://authority.example/x").body(Empty::<Bytes>::new()).unwrap();
    let response = authority.http_service().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

/// Asks the token endpoint for a token and returns the answer.
async fn request_token(authority: &Authority, form: &'static str) -> Value {
    let request = Request::post(authority.token_endpoint())
        .header(AUTHORIZATION, "Basic dGVzdDp0ZXN0")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from_static(form.as_bytes())))
        .unwrap();
    let response = authority.http_service().call(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn tokens_of_the_endpoint_are_good_for_their_hour() {
    let authority = Authority::new();
    authority.register(Client::new("test", "test").allowed_scope("*")).unwrap();
    let server = support::server::with_cache(authority.resource_server()).build().unwrap();
    let answer = request_token(&authority, "grant_type=client_credentials&scope=a.b").await;
    let text = answer["access_token"].as_str().unwrap();
    let token = server.verify(text).await.unwrap();
    assert_eq!(token.caller(), Caller::Client);
    assert_eq!(token.client_id(), Some("test"));
    assert_eq!(token.scopes().collect::<Vec<_>>(), ["a.b"]);
    assert!(answer["expires_in"].as_u64().unwrap() < 3600);
    authority.clock().advance(Duration::from_secs(3600 + 59));
    assert_eq!(judge(&server, text).await, Ok(()));
    authority.clock().advance(Duration::from_secs(1));
    assert_eq!(judge(&server, text).await, Err(Kind::Expired));
}

#[tokio::test]
async fn an_id_is_registered_once() {
    let authority = Authority::new();
    authority.register(Client::new("test", "test")).unwrap();
    let error = authority.register(Client::new("test", "other")).unwrap_err();
    assert_eq!(error.to_string(), "client \"test\": is registered already");
}

#[tokio::test]
async fn on_a_socket_everything_is_as_without() {
    let authority = Authority::builder()
        .issuer("https://login.example.com/realms/x")
        .clock(ManualClock::running())
        .serve()
        .await
        .unwrap();
    authority.register(Client::new("test", "test").allowed_scope("*")).unwrap();
    // The engine's own HTTP client and clock.
    let server = support::server::builder().issuer(authority.issuer()).build().unwrap();
    let token = server.verify(&authority.token().mint()).await.unwrap();
    // Whole seconds, although the clock runs.
    assert!(token.claim::<u64>("iat").unwrap() < token.claim::<u64>("exp").unwrap());

    let http = reqwest::Client::new();
    let metadata = format!(
        "{}/.well-known/oauth-authorization-server/realms/x",
        authority.issuer_url().strip_suffix("/realms/x").unwrap()
    );
    let metadata = http.get(metadata).send().await.unwrap();
    assert_eq!(metadata.headers()[CONTENT_TYPE], "application/json");
    let metadata: Value = serde_json::from_slice(&metadata.bytes().await.unwrap()).unwrap();
    assert_eq!(metadata["issuer"], authority.issuer_url());
    assert_eq!(metadata["jwks_uri"], authority.jwks_uri());
    assert_eq!(metadata["token_endpoint"], authority.token_endpoint());

    let answer = http
        .post(authority.token_endpoint())
        .basic_auth("test", Some("test"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials")
        .send()
        .await
        .unwrap();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(judge(&server, answer["access_token"].as_str().unwrap()).await, Ok(()));

    authority.rotate_keys();
    assert_eq!(judge(&server, &authority.token().mint()).await, Ok(()));
    authority.set_outage(Outage::Everything);
    let response = http.get(authority.jwks_uri()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_socket_is_closed_with_the_last_handle() {
    let authority = Authority::bind().await.unwrap();
    let jwks = authority.jwks_uri();
    let http = reqwest::Client::new();
    let get = || http.get(jwks.as_str()).send();
    assert_eq!(get().await.unwrap().status(), StatusCode::OK);
    let other = authority.clone();
    drop(authority);
    assert_eq!(get().await.unwrap().status(), StatusCode::OK);
    drop(other);
    // The task ends when the runtime next looks at it; open connections end with it.
    for _ in 0..1000 {
        if get().await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the socket is still open");
}

#[tokio::test]
async fn a_second_server_on_one_port_is_refused() {
    let authority = Authority::bind().await.unwrap();
    let port = authority.issuer_url().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let error = Authority::builder().serve_on(([127, 0, 0, 1], port).into()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn other_methods_and_paths() {
    let authority = Authority::new();
    for (method, address, status) in [
        (Method::HEAD, authority.jwks_uri(), 200),
        (Method::POST, authority.jwks_uri(), 405),
        (Method::DELETE, authority.token_endpoint(), 405),
        (Method::GET, authority.issuer_url().to_owned(), 404),
        (Method::GET, format!("{}/userinfo", authority.issuer_url()), 404),
    ] {
        let request = Request::builder().method(&method).uri(&address);
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = authority.http_service().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{method} {address}");
    }
}

/// The same tokens and keys, judged by another implementation.
#[tokio::test]
async fn jsonwebtoken_agrees() {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};

    // It has no ES512, and no name for Ed25519 but EdDSA.
    let known: Vec<_> = public_algorithms()
        .filter(|algorithm| !matches!(algorithm, Algorithm::ES512 | Algorithm::Ed25519))
        .collect();
    let authority = Authority::builder().algorithms(known.clone()).build().unwrap();
    let set: JwkSet = serde_json::from_str(&authority.jwks()).unwrap();
    for algorithm in known {
        let validation = || {
            let mut validation = Validation::new(algorithm.name().parse().unwrap());
            validation.set_audience(&[authority.audience()]);
            validation.set_issuer(&[authority.issuer_url()]);
            validation
        };
        let judge = |token: &str| {
            let kid = decode_header(token).unwrap().kid.unwrap();
            let key = DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
            decode::<BTreeMap<String, Value>>(token, &key, &validation())
        };
        let good = authority.token().algorithm(algorithm).subject("bob");
        assert_eq!(judge(&good.mint()).unwrap().claims["sub"], "bob", "{algorithm}");
        assert!(judge(&good.clone().signed_by_stranger().mint()).is_err(), "{algorithm}");
        assert!(judge(&good.clone().expired().mint()).is_err(), "{algorithm}");
        assert!(judge(&good.audience("https://b.example").mint()).is_err(), "{algorithm}");
    }
}

#[test]
fn debug_shows_no_secret_and_no_key() {
    let authority = Authority::new();
    let client = Client::new("id", "hush-hush");
    let builder = authority.token().subject("somebody");
    authority.register(client.clone()).unwrap();
    let shown = format!("{client:?} {authority:?} {builder:?} {:?}", authority.http_service());
    for hidden in ["hush", "somebody", "EcdsaKeyPair"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    assert!(shown.contains("https://authority.example"));
}

#[test]
#[should_panic(expected = "the claim \"map\" cannot be written")]
fn a_claim_that_is_no_json_ends_the_test() {
    let _ = Authority::new().token().claim("map", BTreeMap::from([((1, 2), 3)]));
}
