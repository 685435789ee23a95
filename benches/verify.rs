//! A new token through the whole engine, against the bare signature check that it cannot do
//! without. Both in turn in one run, as the machine's speed may drift; medians.
//!
//!     cargo bench --features testing --bench verify

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::testing::Authority;
use portcullis::{Algorithm, ResourceServer};

const ROUNDS: usize = 401;

fn main() {
    println!("{:8} {:>12} {:>12} {:>8}", "", "engine", "bare", "ratio");
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let authority = Authority::builder().algorithms([algorithm]).build().unwrap();
        let issuer = portcullis::Issuer::with_jwks(authority.issuer_url(), authority.jwks())
            .audience(authority.audience());
        let api = ResourceServer::builder()
            .issuer(issuer)
            .clock(authority.clock().clone())
            .build()
            .unwrap();
        let token = authority
            .token()
            .algorithm(algorithm)
            .scope("orders.read orders.write profile")
            .claim("tenant", "acme")
            .claim("email", "alice@example.com")
            .claim("roles", ["reader", "writer"])
            .mint();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = public_key(algorithm, &authority.jwks());

        let (mut engine, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            engine.push(time(|| assert!(verified(&api, black_box(&token)))));
            bare.push(time(|| {
                key.verify_sig(black_box(message.as_bytes()), &signature).unwrap();
            }));
        }
        let (engine, bare) = (median(engine), median(bare));
        let ratio = engine.as_secs_f64() / bare.as_secs_f64();
        println!("{:8} {engine:>12.2?} {bare:>12.2?} {ratio:>8.3}", algorithm.name());
    }
}

/// The keys are at hand, so the first poll has the answer.
fn verified(api: &ResourceServer, token: &str) -> bool {
    let future = pin!(api.verify(token));
    matches!(future.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_)))
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn public_key(algorithm: Algorithm, jwks: &str) -> ParsedPublicKey {
    let jwks: serde_json::Value = serde_json::from_str(jwks).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    let jwk = keys.iter().find(|jwk| matches(jwk, algorithm)).unwrap();
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    match algorithm {
        Algorithm::RS256 => RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") }
            .to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256)
            .unwrap(),
        Algorithm::ES256 => {
            let point = [vec![4], bytes("x"), bytes("y")].concat();
            ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).unwrap()
        }
        _ => ParsedPublicKey::new(&signature::ED25519, bytes("x")).unwrap(),
    }
}

/// An Ed25519 key may go without `alg`, as it answers to two names.
fn matches(jwk: &serde_json::Value, algorithm: Algorithm) -> bool {
    jwk["alg"] == algorithm.name() || (algorithm == Algorithm::EdDSA && jwk["crv"] == "Ed25519")
}
