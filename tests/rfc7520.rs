//! The signature examples of RFC 7520 (§4), RFC 8037 (App. A.4) and RFC 7797 (§4), from the JOSE
//! working group's cookbook, at the level of JWS: what their payloads say is no claims set.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::internals::{self, KeySet};
use portcullis::{Algorithm, RejectionKind};
use serde_json::{Value, json};
use support::vectors;

/// What can be sent as a bearer token, and the algorithm that verifies it.
const VERIFIED: [(&str, Algorithm); 5] = [
    ("jws/4_1.rsa_v15_signature.json", Algorithm::RS256),
    ("jws/4_2.rsa-pss_signature.json", Algorithm::PS384),
    ("jws/4_3.ecdsa_signature.json", Algorithm::ES512),
    ("jws/4_4.hmac-sha2_integrity_protection.json", Algorithm::HS256),
    ("curve25519/jws.json", Algorithm::EdDSA),
];

/// What cannot: detached content, unprotected headers, several signatures, unencoded payloads.
const REFUSED: [&str; 6] = [
    "jws/4_5.signature_with_detached_content.json",
    "jws/4_6.protecting_specific_header_fields.json",
    "jws/4_7.protecting_content_only.json",
    "jws/4_8.multiple_signatures.json",
    "rfc7797/4.2.hmac-sha2_b64_false.json",
    "rfc7797/hmac-sha2_b64_false.json",
];

struct Example(Value);

impl Example {
    fn read(folder: &Path, name: &str) -> Self {
        Self(vectors::json(&folder.join(name)))
    }

    fn compact(&self) -> Option<&str> {
        self.0["output"]["compact"].as_str()
    }

    /// The serializations as JSON, which are no tokens.
    fn others(&self) -> impl Iterator<Item = String> {
        ["json", "json_flat"]
            .into_iter()
            .filter_map(|form| self.0["output"].get(form))
            .map(Value::to_string)
    }

    /// The keys of the example for one algorithm, wherever they may be used at all.
    fn keys(&self, algorithm: Algorithm) -> Option<KeySet> {
        let key = &self.0["input"]["key"];
        let keys = if key.is_array() { key.clone() } else { json!([key]) };
        KeySet::configured(json!({ "keys": keys }).to_string().as_bytes(), &[algorithm]).ok()
    }

    /// Whether the keys verify this, with any algorithm whatsoever.
    fn verifies(&self, token: &str) -> bool {
        Algorithm::all()
            .filter_map(|algorithm| self.keys(algorithm))
            .any(|keys| keys.verify(token).is_ok())
    }
}

#[test]
fn compact_examples_verify_with_their_own_algorithm_alone() {
    let Some(folder) = vectors::folder("rfc7520-cookbook") else { return };
    for (name, algorithm) in VERIFIED {
        let example = Example::read(&folder, name);
        let token = example.compact().unwrap();
        for other in Algorithm::all() {
            let verified = example.keys(other).is_some_and(|keys| keys.verify(token).is_ok());
            assert_eq!(verified, other == algorithm, "{name}, {other}");
        }
        assert_eq!(example.others().find(|form| example.verifies(form)), None, "{name}");
    }
}

#[test]
fn a_changed_byte_anywhere_is_noticed() {
    let Some(folder) = vectors::folder("rfc7520-cookbook") else { return };
    for (name, algorithm) in VERIFIED {
        let example = Example::read(&folder, name);
        let (token, keys) = (example.compact().unwrap(), example.keys(algorithm).unwrap());
        for (index, byte) in token.bytes().enumerate() {
            let mut changed = token.as_bytes().to_vec();
            changed[index] = if byte == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(keys.verify(&changed).is_err(), "{name}, {index}");
        }
    }
}

#[test]
fn other_forms_are_refused() {
    let Some(folder) = vectors::folder("rfc7520-cookbook") else { return };
    for name in REFUSED {
        let example = Example::read(&folder, name);
        let forms = example.others().chain(example.compact().map(str::to_owned));
        assert_eq!(forms.into_iter().find(|form| example.verifies(form)), None, "{name}");
    }
}

#[test]
fn jws_10_headers_for_unencoded_payloads_are_refused() {
    let Some(folder) = vectors::folder("rfc7520-cookbook") else { return };
    for name in REFUSED.into_iter().filter(|name| name.starts_with("rfc7797/")) {
        let example = Example::read(&folder, name);
        let header = example.0["output"]["json_flat"]["protected"].as_str().unwrap();
        let header = URL_SAFE_NO_PAD.decode(header).unwrap();
        let refused = internals::jose_header(&header).unwrap_err();
        assert_eq!(refused, RejectionKind::UnsupportedExtension, "{name}");
    }
}

#[test]
fn every_example_is_looked_at() {
    let Some(folder) = vectors::folder("rfc7520-cookbook") else { return };
    let named: BTreeSet<_> = VERIFIED.map(|(name, _)| name).into_iter().chain(REFUSED).collect();
    let there: BTreeSet<_> = ["jws", "curve25519", "rfc7797"]
        .iter()
        .flat_map(|part| vectors::files(&folder.join(part)))
        .map(|path| path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(there.iter().map(String::as_str).collect::<BTreeSet<_>>(), named);
}
