//! One public key for one algorithm, parsed when its set is loaded and used for every token.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::VerificationAlgorithm;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};

use super::Algorithm;

/// A key that verifies signatures of exactly one algorithm (RFC 8725 §3.1).
pub(crate) struct VerificationKey {
    kid: Option<Box<str>>,
    algorithm: Algorithm,
    material: Material,
}

enum Material {
    Public(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

/// The cryptographic library does not take the key: a point off its curve, a modulus out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyRefused;

impl VerificationKey {
    /// An RSA key from its modulus and public exponent, big-endian.
    pub(crate) fn rsa(
        kid: Option<&str>,
        algorithm: Algorithm,
        n: &[u8],
        e: &[u8],
    ) -> Result<Self, KeyRefused> {
        let parameters = rsa_parameters(algorithm).ok_or(KeyRefused)?;
        let key = RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(parameters)
            .map_err(|_| KeyRefused)?;
        Ok(Self::new(kid, algorithm, Material::Public(key)))
    }

    /// An EC point in uncompressed form, or the 32 bytes of an Ed25519 key.
    pub(crate) fn curve(
        kid: Option<&str>,
        algorithm: Algorithm,
        point: &[u8],
    ) -> Result<Self, KeyRefused> {
        let verification = curve_verification(algorithm).ok_or(KeyRefused)?;
        let key = ParsedPublicKey::new(verification, point).map_err(|_| KeyRefused)?;
        Ok(Self::new(kid, algorithm, Material::Public(key)))
    }

    /// A shared secret of at least the hash's length (RFC 7518 §3.2).
    pub(crate) fn secret(
        kid: Option<&str>,
        algorithm: Algorithm,
        secret: &[u8],
    ) -> Result<Self, KeyRefused> {
        let (mac, least) = match algorithm {
            Algorithm::HS256 => (hmac::HMAC_SHA256, 32),
            Algorithm::HS384 => (hmac::HMAC_SHA384, 48),
            Algorithm::HS512 => (hmac::HMAC_SHA512, 64),
            _ => return Err(KeyRefused),
        };
        if secret.len() < least {
            return Err(KeyRefused);
        }
        Ok(Self::new(kid, algorithm, Material::Secret(Box::new(hmac::Key::new(mac, secret)))))
    }

    fn new(kid: Option<&str>, algorithm: Algorithm, material: Material) -> Self {
        Self { kid: kid.map(Into::into), algorithm, material }
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's over `message`. MACs are compared in constant time.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Public(key) => key.verify_sig(message, signature).is_ok(),
            Material::Secret(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// PSS salts have the length of the hash, MGF1 uses the same hash (RFC 7518 §3.5).
fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

/// ECDSA signatures are R‖S of fixed length, never DER (RFC 7518 §3.4).
fn curve_verification(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Some(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::ES512 => Some(&signature::ECDSA_P521_SHA512_FIXED),
        Algorithm::EdDSA | Algorithm::Ed25519 => Some(&signature::ED25519),
        _ => None,
    }
}
