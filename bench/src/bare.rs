//! The signature check alone, with a parsed key: nobody who verifies a token can do with less.

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use portcullis::Algorithm;

use crate::case::Case;
use crate::contender::Contender;
use crate::sample::Sample;

pub const NAME: &str = "signature alone";

/// `None` for the cases that come to no signature.
pub fn verification(sample: &Sample, case: Case) -> Option<Contender> {
    if !matches!(case, Case::Same | Case::Rotation | Case::New | Case::Forged) {
        return None;
    }
    let key = public_key(sample);
    let signed: Vec<_> = case
        .tokens(sample, usize::MAX)
        .iter()
        .map(|token| {
            let (message, signature) = token.rsplit_once('.').unwrap();
            (message.to_owned(), URL_SAFE_NO_PAD.decode(signature).unwrap())
        })
        .collect();
    Some(Contender::new(NAME, move |number| {
        let (message, signature) = &signed[number % signed.len()];
        match key.verify_sig(message.as_bytes(), signature) {
            Ok(()) => StatusCode::OK,
            Err(_) => StatusCode::UNAUTHORIZED,
        }
    }))
}

fn public_key(sample: &Sample) -> ParsedPublicKey {
    let jwks: serde_json::Value = serde_json::from_str(&sample.jwks).unwrap();
    let jwk = &jwks["keys"][0];
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    match sample.algorithm.parse().unwrap() {
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
