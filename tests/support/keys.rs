//! Keys of the tests' own, and tokens signed with them by another implementation (jsonwebtoken),
//! so that a mistake in ours cannot hide behind itself.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// An ES256 key with its name.
pub struct Key {
    pub kid: String,
    pkcs8: Vec<u8>,
    point: Vec<u8>,
}

impl Key {
    pub fn new(kid: &str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap();
        Self {
            kid: kid.to_owned(),
            point: pair.public_key().as_ref().to_vec(),
            pkcs8: pkcs8.as_ref().to_vec(),
        }
    }

    pub fn jwk(&self) -> Value {
        json!({
            "kty": "EC",
            "crv": "P-256",
            "kid": self.kid,
            "use": "sig",
            "x": URL_SAFE_NO_PAD.encode(&self.point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&self.point[33..]),
        })
    }

    pub fn jwks(&self) -> String {
        json!({ "keys": [self.jwk()] }).to_string()
    }

    /// A good access token (SPEC fixture `AT`) of `issuer` for `https://rs.example`.
    pub fn token(&self, issuer: &str) -> String {
        self.sign(&claims(issuer))
    }

    pub fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(&self.pkcs8)).unwrap()
    }
}

impl Key {
    /// Signs exactly these bytes as header and payload, whatever they are.
    pub fn sign_bytes(&self, header: &[u8], payload: &[u8]) -> String {
        let input =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, &self.pkcs8).unwrap();
        let signature = pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Signs this header and these claims.
    pub fn sign_json(&self, header: &Value, claims: &Value) -> String {
        self.sign_bytes(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }
}

/// `x5t#S256` of a certificate (RFC 8705 §3.1).
pub fn thumbprint(der: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, der.as_ref()))
}

/// `AT{…}` of the specification: `object` with `changes` put in; `null` removes a member, and a
/// JSON null is written as the string `"<null>"`.
pub fn changed(mut object: Value, changes: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            Value::String(text) if text == "<null>" => {
                members.insert(name.clone(), Value::Null);
            }
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
    object
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer,
        "aud": "https://rs.example",
        "sub": "u1",
        "client_id": "c1",
        "iat": now(),
        "exp": now() + 300,
        "jti": "j1",
        "scope": "read write",
    })
}
