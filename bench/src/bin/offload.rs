//! Should a signature be checked on the thread that serves requests, or on another one? Every
//! algorithm and key size, in a runtime of two threads: in place, and through `spawn_blocking`.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use portcullis_bench::results::Results;
use portcullis_bench::stopwatch::median;
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

/// As long as header and payload of a usual token.
const MESSAGE: &[u8] = &[b'a'; 560];
const ROUNDS: usize = 15;
const TASKS: usize = 8;
const CHECKS: usize = 100;

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    key: &'static str,
    /// One check, and nothing else on the machine.
    alone: f64,
    /// Per check, with eight tasks at once on two threads.
    in_place: f64,
    elsewhere: f64,
}

struct Signed {
    key: ParsedPublicKey,
    signature: Vec<u8>,
}

impl Signed {
    fn check(&self) {
        self.key.verify_sig(MESSAGE, &self.signature).unwrap();
    }
}

fn main() -> io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).build()?;
    let mut results = Results::create("offload")?;
    for (key, signed) in [
        ("RSA 2048", rsa(KeySize::Rsa2048)),
        ("RSA 3072", rsa(KeySize::Rsa3072)),
        ("RSA 4096", rsa(KeySize::Rsa4096)),
        ("RSA 8192", rsa(KeySize::Rsa8192)),
        ("P-256", p256()),
        ("P-384", p384()),
        ("P-521", p521()),
        ("Ed25519", ed25519()),
    ] {
        let signed = Arc::new(signed);
        let figure = |measure: &dyn Fn() -> f64| median((0..ROUNDS).map(|_| measure()).collect());
        results.add(Line {
            bench: "offload",
            key,
            alone: figure(&|| alone(&signed)),
            in_place: figure(&|| together(&runtime, &signed, false)),
            elsewhere: figure(&|| together(&runtime, &signed, true)),
        })?;
    }
    Ok(())
}

fn alone(signed: &Signed) -> f64 {
    let start = Instant::now();
    (0..CHECKS).for_each(|_| signed.check());
    start.elapsed().as_nanos() as f64 / CHECKS as f64
}

fn together(runtime: &Runtime, signed: &Arc<Signed>, elsewhere: bool) -> f64 {
    let start = Instant::now();
    runtime.block_on(async {
        let tasks = (0..TASKS).map(|_| tokio::spawn(checks(Arc::clone(signed), elsewhere)));
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
    start.elapsed().as_nanos() as f64 / (TASKS * CHECKS) as f64
}

async fn checks(signed: Arc<Signed>, elsewhere: bool) {
    for _ in 0..CHECKS {
        if elsewhere {
            let signed = Arc::clone(&signed);
            tokio::task::spawn_blocking(move || signed.check()).await.unwrap();
        } else {
            signed.check();
            tokio::task::yield_now().await;
        }
    }
}

fn rsa(size: KeySize) -> Signed {
    let pair = RsaKeyPair::generate(size).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = SystemRandom::new();
    pair.sign(&signature::RSA_PKCS1_SHA256, &random, MESSAGE, &mut signature).unwrap();
    let algorithm = &signature::RSA_PKCS1_2048_8192_SHA256;
    Signed { key: ParsedPublicKey::new(algorithm, pair.public_key().as_ref()).unwrap(), signature }
}

macro_rules! curve {
    ($name:ident, $signing:ident, $verification:ident) => {
        fn $name() -> Signed {
            let pair = EcdsaKeyPair::generate(&signature::$signing).unwrap();
            let signature = pair.sign(&SystemRandom::new(), MESSAGE).unwrap().as_ref().to_vec();
            let point = pair.public_key().as_ref();
            let key = ParsedPublicKey::new(&signature::$verification, point).unwrap();
            Signed { key, signature }
        }
    };
}

curve!(p256, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256_SHA256_FIXED);
curve!(p384, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED);
curve!(p521, ECDSA_P521_SHA512_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED);

fn ed25519() -> Signed {
    let pair = Ed25519KeyPair::generate().unwrap();
    let signature = pair.sign(MESSAGE).as_ref().to_vec();
    let key = ParsedPublicKey::new(&signature::ED25519, pair.public_key().as_ref()).unwrap();
    Signed { key, signature }
}
