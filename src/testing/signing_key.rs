//! Private keys: made, published, signed with.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use serde_json::{Value, json};

use crate::jose::{Algorithm, base64url};

/// The cryptographic library failed where it should not, or a key was asked for the wrong thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CryptoFailure;

impl fmt::Display for CryptoFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cryptographic library failed")
    }
}

impl From<aws_lc_rs::error::Unspecified> for CryptoFailure {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

/// The algorithm that stands for all that one key serves: one RSA key pair signs by six
/// algorithms, as making one takes a hundred times as long as any other.
pub(super) const fn family(algorithm: Algorithm) -> Algorithm {
    match algorithm {
        _ if algorithm.is_rsa() => Algorithm::RS256,
        Algorithm::EdDSA => Algorithm::Ed25519,
        other => other,
    }
}

/// A key pair or a secret.
pub(super) enum SigningKey {
    Rsa(LeasedRsa),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Secret(Box<[u8]>),
}

impl SigningKey {
    /// A key that nobody else has, RSA keys of authorities that are gone excepted.
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, CryptoFailure> {
        if algorithm.is_rsa() { LeasedRsa::new().map(Self::Rsa) } else { Self::fresh(algorithm) }
    }

    /// A key that is in no authority's set, not even later.
    pub(super) fn stranger(algorithm: Algorithm) -> Result<Arc<Self>, CryptoFailure> {
        static RSA: OnceLock<Option<Arc<SigningKey>>> = OnceLock::new();
        if !algorithm.is_rsa() {
            return Self::fresh(algorithm).map(Arc::new);
        }
        let generate = || {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
            Some(Arc::new(Self::Rsa(LeasedRsa(Arc::new(key)))))
        };
        RSA.get_or_init(generate).clone().ok_or(CryptoFailure)
    }

    fn fresh(algorithm: Algorithm) -> Result<Self, CryptoFailure> {
        if let Some(signing) = ecdsa(algorithm) {
            return Ok(Self::Ec(EcdsaKeyPair::generate(signing)?));
        }
        if family(algorithm) == Algorithm::Ed25519 {
            return Ok(Self::Ed25519(Ed25519KeyPair::generate()?));
        }
        let mut secret = vec![0; 64];
        rand::fill(&mut secret)?;
        Ok(Self::Secret(secret.into()))
    }

    /// The JWS signature of `message` (RFC 7518 §3).
    pub(super) fn sign(
        &self,
        algorithm: Algorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, CryptoFailure> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(LeasedRsa(key)) => {
                let encoding = rsa_encoding(algorithm).ok_or(CryptoFailure)?;
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &random, message, &mut signature)?;
                Ok(signature)
            }
            Self::Ec(key) => Ok(key.sign(&random, message)?.as_ref().to_vec()),
            Self::Ed25519(key) => Ok(key.try_sign(message)?.as_ref().to_vec()),
            Self::Secret(secret) => {
                let key = hmac::Key::new(mac(algorithm).ok_or(CryptoFailure)?, secret);
                Ok(hmac::sign(&key, message).as_ref().to_vec())
            }
        }
    }

    /// The JWK (RFC 7517 §4) for one algorithm: the public key, or the secret itself.
    pub(super) fn jwk(&self, algorithm: Algorithm, kid: &str) -> Value {
        match self {
            Self::Rsa(LeasedRsa(key)) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
                let (n, e) = (base64url::encode(public.n), base64url::encode(public.e));
                json!({"kty": "RSA", "use": "sig", "alg": algorithm.name(), "kid": kid,
                       "n": n, "e": e})
            }
            Self::Ec(key) => {
                // 0x04, then x and y of equal length (SEC 1 §2.3.3).
                let point = key.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "use": "sig", "alg": algorithm.name(), "kid": kid,
                       "crv": curve(algorithm), "x": base64url::encode(x),
                       "y": base64url::encode(y)})
            }
            // Without `alg`, for it has two names.
            Self::Ed25519(key) => {
                json!({"kty": "OKP", "use": "sig", "kid": kid, "crv": "Ed25519",
                       "x": base64url::encode(key.public_key())})
            }
            Self::Secret(secret) => {
                json!({"kty": "oct", "use": "sig", "alg": algorithm.name(), "kid": kid,
                       "k": base64url::encode(secret)})
            }
        }
    }
}

/// An RSA key pair on loan. Authorities that live at the same time never share one; when one is
/// gone, its keys serve the next, so that a process with many tests makes few.
pub(super) struct LeasedRsa(Arc<RsaKeyPair>);

static RETURNED: Mutex<Vec<Arc<RsaKeyPair>>> = Mutex::new(Vec::new());

impl LeasedRsa {
    fn new() -> Result<Self, CryptoFailure> {
        let returned = RETURNED.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match returned {
            Some(key) => Ok(Self(key)),
            None => Ok(Self(Arc::new(RsaKeyPair::generate(KeySize::Rsa2048)?))),
        }
    }
}

impl Drop for LeasedRsa {
    fn drop(&mut self) {
        RETURNED.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&self.0));
    }
}

fn rsa_encoding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    match algorithm {
        Algorithm::RS256 => Some(&signature::RSA_PKCS1_SHA256),
        Algorithm::RS384 => Some(&signature::RSA_PKCS1_SHA384),
        Algorithm::RS512 => Some(&signature::RSA_PKCS1_SHA512),
        Algorithm::PS256 => Some(&signature::RSA_PSS_SHA256),
        Algorithm::PS384 => Some(&signature::RSA_PSS_SHA384),
        Algorithm::PS512 => Some(&signature::RSA_PSS_SHA512),
        _ => None,
    }
}

fn ecdsa(algorithm: Algorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::ES384 => Some(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::ES512 => Some(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        _ => None,
    }
}

fn curve(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::ES256 => "P-256",
        Algorithm::ES384 => "P-384",
        _ => "P-521",
    }
}

fn mac(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        Algorithm::HS256 => Some(hmac::HMAC_SHA256),
        Algorithm::HS384 => Some(hmac::HMAC_SHA384),
        Algorithm::HS512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{CompactJws, JoseHeader, JwkSet, KeyOrigin};

    /// Whether the key set of `key` takes a signature of `signer` for its own.
    fn takes(key: &SigningKey, signer: &SigningKey, algorithm: Algorithm) -> bool {
        let set = json!({"keys": [key.jwk(algorithm, "k")]}).to_string();
        let set = JwkSet::parse(set.as_bytes(), &[algorithm], KeyOrigin::Static).unwrap();
        let header = json!({"alg": algorithm.name(), "kid": "k"}).to_string();
        let message = format!("{}.e30", base64url::encode(header));
        let signature = signer.sign(algorithm, message.as_bytes()).unwrap();
        let token = format!("{message}.{}", base64url::encode(signature));
        let jws = CompactJws::parse(token.as_bytes()).unwrap();
        set.verify(&JoseHeader::parse(jws.header()).unwrap(), &jws).is_ok()
    }

    #[test]
    fn every_algorithm_signs_what_its_jwk_verifies() {
        for algorithm in Algorithm::all() {
            let key = SigningKey::generate(algorithm).unwrap();
            assert!(takes(&key, &key, algorithm), "{algorithm}");
        }
    }

    #[test]
    fn a_stranger_signs_what_no_key_verifies() {
        for algorithm in Algorithm::all() {
            let key = SigningKey::generate(algorithm).unwrap();
            let stranger = SigningKey::stranger(algorithm).unwrap();
            assert!(!takes(&key, &stranger, algorithm), "{algorithm}");
        }
    }

    #[test]
    fn living_authorities_have_different_rsa_keys() {
        let jwk = |key: &SigningKey| key.jwk(Algorithm::RS256, "k");
        let first = SigningKey::generate(Algorithm::RS256).unwrap();
        let second = SigningKey::generate(Algorithm::PS512).unwrap();
        assert_ne!(jwk(&first), jwk(&second));
    }

    #[test]
    fn a_key_signs_by_no_algorithm_of_another_family() {
        let key = SigningKey::generate(Algorithm::RS256).unwrap();
        assert_eq!(key.sign(Algorithm::HS256, b"m"), Err(CryptoFailure));
        let secret = SigningKey::generate(Algorithm::HS256).unwrap();
        assert_eq!(secret.sign(Algorithm::ES256, b"m"), Err(CryptoFailure));
    }
}
