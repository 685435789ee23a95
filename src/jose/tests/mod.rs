//! Key sets and signatures as a whole: what a set makes of its entries, and which tokens its keys
//! verify. The parsers' own tests stand beside them.

mod jwa;
mod jwk;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::LazyLock;

use super::jwk::Unusable;
use super::*;

/// Every algorithm with a public key.
fn public() -> Vec<Algorithm> {
    Algorithm::all().filter(|algorithm| !algorithm.is_symmetric()).collect()
}

/// Every algorithm with a secret.
fn symmetric() -> Vec<Algorithm> {
    Algorithm::all().filter(|algorithm| algorithm.is_symmetric()).collect()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A private key, made up for this run.
enum Signer {
    Ec(&'static str, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa,
}

/// Large primes take their time, so one key has to do.
static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

impl Signer {
    fn ec(curve: &'static str) -> Self {
        let algorithm = match curve {
            "P-256" => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            "P-384" => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            "P-521" => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
            _ => panic!("{curve}"),
        };
        Self::Ec(curve, EcdsaKeyPair::generate(algorithm).unwrap())
    }

    fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    /// The public key, without `kid` and `alg`.
    fn jwk(&self) -> Value {
        match self {
            Self::Ec(curve, pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
            }
            Self::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key()) })
            }
            Self::Rsa => {
                let public = RSA.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                json!({
                    "kty": "RSA",
                    "n": encode(n.big_endian_without_leading_zero()),
                    "e": encode(e.big_endian_without_leading_zero()),
                })
            }
        }
    }

    fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(_, pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa => {
                let encoding: &'static dyn signature::RsaEncoding = match alg {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    "PS512" => &signature::RSA_PSS_SHA512,
                    _ => panic!("{alg}"),
                };
                let mut signature = vec![0; RSA.public_modulus_len()];
                RSA.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// A token with this `alg` and perhaps `kid`.
    fn token(&self, alg: &str, kid: Option<&str>) -> String {
        token(alg, kid, |message| self.sign(alg, message))
    }
}

fn token(alg: &str, kid: Option<&str>, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let mut header = json!({ "alg": alg });
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    let message = format!("{}.{}", encode(header.to_string()), encode("{}"));
    let signature = encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// `jwk` with these members added or replaced.
fn with(jwk: &Value, members: Value) -> Value {
    let (mut jwk, Value::Object(members)) = (jwk.clone(), members) else { panic!() };
    jwk.as_object_mut().unwrap().extend(members);
    jwk
}

/// `jwk` without this member.
fn without(jwk: &Value, member: &str) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().remove(member).unwrap();
    jwk
}

fn document(entries: &[Value]) -> Vec<u8> {
    json!({ "keys": entries }).to_string().into_bytes()
}

/// The set that is fetched from an issuer with these algorithms.
fn fetched(entries: &[Value], allowed: &[Algorithm]) -> Result<JwkSet, JwkSetError> {
    JwkSet::parse(&document(entries), allowed, KeyOrigin::Fetched)
}

fn configured(entries: &[Value], allowed: &[Algorithm]) -> Result<JwkSet, JwkSetError> {
    JwkSet::parse(&document(entries), allowed, KeyOrigin::Static)
}

/// Why this entry is of no use when it is the only one.
fn unusable(entry: Value) -> Option<Unusable> {
    reason(fetched(&[entry], &public()))
}

fn reason(parsed: Result<JwkSet, JwkSetError>) -> Option<Unusable> {
    match parsed {
        Ok(_) => None,
        Err(JwkSetError::NoUsableKey(skipped)) if skipped.len() == 1 => Some(skipped[0].reason),
        Err(error) => panic!("{error}"),
    }
}

fn verify(set: &JwkSet, token: &str) -> Result<(), NotVerified> {
    let jws = CompactJws::parse(token.as_bytes()).unwrap();
    set.verify(&JoseHeader::parse(jws.header()).unwrap(), &jws)
}

/// Whether the set of this one entry, with all public key algorithms allowed, verifies the token.
fn verifies(entry: &Value, token: &str) -> bool {
    fetched(std::slice::from_ref(entry), &public()).is_ok_and(|set| verify(&set, token).is_ok())
}
