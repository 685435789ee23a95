//! A private key of ours, to sign assertions with.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::jose::Algorithm;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A key for one algorithm.
pub(super) struct PrivateKey {
    pub(super) algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// From PKCS#8 (RFC 5958) in PEM (RFC 7468).
    ///
    /// # Errors
    /// What is wrong with it, without anything of it.
    pub(super) fn from_pem(pem: &str) -> Result<Self, &'static str> {
        let text = pem
            .split_once(BEGIN)
            .and_then(|(_, rest)| rest.split_once(END))
            .map(|(text, _)| text)
            .ok_or("must be a private key in PEM: -----BEGIN PRIVATE KEY----- (PKCS#8)")?;
        let text: String = text.split_ascii_whitespace().collect();
        let der = STANDARD.decode(text).map_err(|_| "holds no base64 between the PEM lines")?;
        let curves = [
            (&ECDSA_P256_SHA256_FIXED_SIGNING, Algorithm::ES256),
            (&ECDSA_P384_SHA384_FIXED_SIGNING, Algorithm::ES384),
            (&ECDSA_P521_SHA512_FIXED_SIGNING, Algorithm::ES512),
        ];
        for (curve, algorithm) in curves {
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(curve, &der) {
                return Ok(Self { algorithm, pair: Pair::Ec(pair) });
            }
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(&der) {
            return Ok(Self { algorithm: Algorithm::EdDSA, pair: Pair::Ed25519(pair) });
        }
        match RsaKeyPair::from_pkcs8(&der) {
            Ok(pair) => Ok(Self { algorithm: Algorithm::RS256, pair: Pair::Rsa(pair) }),
            Err(_) => Err("must be a key for RSA, P-256, P-384, P-521 or Ed25519"),
        }
    }

    /// The JWS signature (RFC 7518 §3) of a message; `None` where the library fails.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let encoding = &signature::RSA_PKCS1_SHA256;
                pair.sign(encoding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Pair::Ec(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Some(pair.try_sign(message).ok()?.as_ref().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::encoding::Pkcs8V1Der;
    use aws_lc_rs::rsa::KeySize;

    use super::*;

    fn pem(der: &[u8]) -> String {
        format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(der))
    }

    #[test]
    fn every_kind_of_key_is_told_by_its_content() {
        let random = SystemRandom::new();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let rsa = AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap();
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let ec = |curve| EcdsaKeyPair::generate_pkcs8(curve, &random).unwrap();
        let (p256, p384) =
            (ec(&ECDSA_P256_SHA256_FIXED_SIGNING), ec(&ECDSA_P384_SHA384_FIXED_SIGNING));
        let p521 = ec(&ECDSA_P521_SHA512_FIXED_SIGNING);
        for (der, algorithm, length) in [
            (rsa.as_ref(), Algorithm::RS256, 256),
            (p256.as_ref(), Algorithm::ES256, 64),
            (p384.as_ref(), Algorithm::ES384, 96),
            (p521.as_ref(), Algorithm::ES512, 132),
            (ed25519.as_ref(), Algorithm::EdDSA, 64),
        ] {
            let key = PrivateKey::from_pem(&pem(der)).unwrap();
            assert_eq!(key.algorithm, algorithm);
            assert_eq!(key.sign(b"message").unwrap().len(), length);
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for bad in ["", "secret", &*pem(b"x"), &*format!("{BEGIN}\n!\n{END}"), BEGIN] {
            assert!(PrivateKey::from_pem(bad).is_err(), "{bad}");
        }
    }
}
