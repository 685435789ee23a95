//! Project Wycheproof's signature and key vectors, at the level of JWS and JWK.
//!
//! Payloads there are no claims sets, so nothing of this goes through a whole resource server. A
//! set of secrets and a set of public keys are configured with different algorithms; a case counts
//! as accepted if either configuration accepts it.

// What was counted is for people to read.
#![allow(clippy::print_stdout)]

mod support;

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::Algorithm;
use portcullis::internals::{self, KeySet};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use support::vectors;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<G> {
    number_of_tests: usize,
    test_groups: Vec<G>,
}

/// Cases of one key or key set. Where the key is not secret, `public` is the one to use.
#[derive(Deserialize)]
struct JwsGroup {
    private: Value,
    public: Option<Value>,
    tests: Vec<Jws>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Jws {
    tc_id: u32,
    comment: String,
    result: Label,
    /// Absent in the groups of `json_web_crypto` that are about encryption, and an object there
    /// where it is no compact serialization.
    jws: Option<Value>,
}

impl Jws {
    fn token(&self) -> Option<String> {
        let jws = self.jws.as_ref()?;
        Some(jws.as_str().map_or_else(|| jws.to_string(), str::to_owned))
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Label {
    Valid,
    Invalid,
    /// Legacy encodings that a strict verifier refuses.
    Acceptable,
}

impl JwsGroup {
    /// The key set of the group; a lone key is a set of one.
    fn key_set(&self) -> Vec<u8> {
        let keys = self.public.as_ref().unwrap_or(&self.private);
        let set = if keys["keys"].is_array() { keys.clone() } else { json!({ "keys": [keys] }) };
        set.to_string().into_bytes()
    }
}

fn read<T: DeserializeOwned>(name: &str) -> Option<File<T>> {
    let path: PathBuf = vectors::folder("wycheproof")?.join(name);
    Some(vectors::json(&path))
}

/// The two lists of algorithms that a configuration may have: secrets are never mixed with public
/// keys.
fn configurations() -> [Vec<Algorithm>; 2] {
    let (secret, public) =
        Algorithm::all().partition(|algorithm| algorithm.name().starts_with("HS"));
    [secret, public]
}

fn is_accepted(key_set: &[u8], jws: &str) -> bool {
    configurations().iter().any(|allowed| {
        KeySet::configured(key_set, allowed).is_ok_and(|set| set.verify(jws).is_ok())
    })
}

/// Cases in which the label is wrong, and what is right by the RFCs.
const CORRECTED: [(u32, bool, &str); 8] = [
    (346, false, "a token of PS384 and a key for PS256"),
    (347, false, "a key for \"ES521\", which is no algorithm"),
    (350, false, "a token of PS384 and a key for PS256"),
    (351, false, "a key for \"ES521\", which is no algorithm"),
    (367, true, "the same bytes as case 357, which is valid"),
    (370, true, "the same bytes as case 357, which is valid"),
    (372, false, "a ? in the base64url of the header"),
    (373, false, "a ? in the base64url of the payload"),
];

#[test]
fn json_web_signature() {
    let Some(file) = read::<JwsGroup>("json_web_signature_test.json") else { return };
    let (mut as_labelled, mut corrected, mut valid) = (0, 0, 0);
    for group in &file.test_groups {
        let key_set = group.key_set();
        for case in &group.tests {
            let label = case.result == Label::Valid;
            let correction = CORRECTED.iter().find(|(id, ..)| *id == case.tc_id);
            let right = correction.map_or(label, |(_, right, _)| *right);
            let accepted = is_accepted(&key_set, &case.token().unwrap());
            assert_eq!(accepted, right, "{}: {}", case.tc_id, case.comment);
            if accepted == label {
                as_labelled += 1
            } else {
                corrected += 1
            }
            valid += usize::from(accepted);
        }
    }
    println!(
        "json_web_signature: {as_labelled} of {} as labelled, {corrected} corrected",
        file.number_of_tests
    );
    assert_eq!((file.number_of_tests, as_labelled, corrected), (401, 393, 8));
    assert_eq!(valid, 42, "of 46 with that label 6 are wrong, and 2 without it are right");
}

#[test]
fn json_web_key() {
    let Some(file) = read::<JwsGroup>("json_web_key_test.json") else { return };
    let mut accepted = Vec::new();
    for group in &file.test_groups {
        let key_set = group.key_set();
        for case in &group.tests {
            let is_right = is_accepted(&key_set, &case.token().unwrap());
            assert_eq!(is_right, case.result == Label::Valid, "{}: {}", case.tc_id, case.comment);
            accepted.extend(is_right.then_some(case.tc_id));
        }
    }
    println!("json_web_key: {} of 26 as labelled, accepted {accepted:?}", file.number_of_tests);
    assert_eq!((file.number_of_tests, &accepted[..]), (26, &[2, 5, 13, 14, 15][..]));
}

/// The signature cases once more, in sets of several keys, and encrypted tokens between them.
#[test]
fn json_web_crypto() {
    let Some(file) = read::<JwsGroup>("json_web_crypto_test.json") else { return };
    let (mut valid, mut invalid) = (0, 0);
    for group in &file.test_groups {
        let key_set = group.key_set();
        for case in &group.tests {
            let Some(token) = case.token() else { continue };
            let accepted = is_accepted(&key_set, &token);
            assert_eq!(accepted, case.result == Label::Valid, "{}: {}", case.tc_id, case.comment);
            if accepted { valid += 1 } else { invalid += 1 }
        }
    }
    println!("json_web_crypto: {valid} valid and {invalid} invalid signatures as labelled");
    assert_eq!((valid, invalid), (4, 45));
}

#[derive(Deserialize)]
struct JweGroup {
    tests: Vec<Jwe>,
}

#[derive(Deserialize)]
struct Jwe {
    jwe: String,
}

#[test]
fn json_web_encryption_is_refused() {
    let Some(file) = read::<JweGroup>("json_web_encryption_test.json") else { return };
    let tokens = file.test_groups.iter().flat_map(|group| &group.tests);
    let refused = tokens.filter(|case| internals::compact_jws(&case.jwe).is_err()).count();
    println!("json_web_encryption: {refused} of {} refused", file.number_of_tests);
    assert_eq!((file.number_of_tests, refused), (139, 139));
}

/// Cases of one key of one algorithm; the file says which.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignatureGroup {
    public_key: Option<PublicKey>,
    #[serde(alias = "keyJwk")]
    public_key_jwk: Option<Value>,
    tests: Vec<Signature>,
}

#[derive(Deserialize)]
struct PublicKey {
    /// The point of an EC key.
    uncompressed: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    tc_id: u32,
    comment: String,
    msg: String,
    sig: String,
    result: Label,
}

fn hex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

impl SignatureGroup {
    /// Some EC groups have no JWK, so all EC keys are made from their points.
    fn jwk(&self, curve: Option<&str>) -> Value {
        let Some(curve) = curve else { return self.public_key_jwk.clone().unwrap() };
        let point = hex(self.public_key.as_ref().unwrap().uncompressed.as_ref().unwrap());
        let (x, y) = point[1..].split_at(point.len() / 2);
        let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
        json!({ "kty": "EC", "crv": curve, "x": x, "y": y })
    }
}

/// Every valid signature is accepted and every other one refused; counts both.
fn check_signatures(
    name: &str,
    algorithm: Algorithm,
    curve: Option<&str>,
) -> Option<(usize, usize)> {
    let file: File<SignatureGroup> = read(name)?;
    let (mut valid, mut refused) = (0, 0);
    for group in &file.test_groups {
        let key_set = json!({ "keys": [group.jwk(curve)] }).to_string();
        let set = KeySet::fetched(key_set.as_bytes(), &[algorithm]).unwrap();
        for case in &group.tests {
            let accepted = set.verifies(algorithm, &hex(&case.msg), &hex(&case.sig));
            assert_eq!(accepted, case.result == Label::Valid, "{}: {}", case.tc_id, case.comment);
            if accepted { valid += 1 } else { refused += 1 }
        }
    }
    println!("{name}: {valid} valid accepted, {refused} others refused");
    assert_eq!(valid + refused, file.number_of_tests);
    Some((valid, refused))
}

#[test]
fn ecdsa() {
    for (name, algorithm, curve, counts) in [
        ("ecdsa_secp256r1_sha256_p1363_test.json", Algorithm::ES256, "P-256", (173, 89)),
        ("ecdsa_secp384r1_sha384_p1363_test.json", Algorithm::ES384, "P-384", (193, 87)),
        ("ecdsa_secp521r1_sha512_p1363_test.json", Algorithm::ES512, "P-521", (231, 87)),
    ] {
        let Some(counted) = check_signatures(name, algorithm, Some(curve)) else { return };
        assert_eq!(counted, counts, "{name}");
    }
}

#[test]
fn ed25519() {
    for algorithm in [Algorithm::EdDSA, Algorithm::Ed25519] {
        let Some(counted) = check_signatures("ed25519_test.json", algorithm, None) else { return };
        assert_eq!(counted, (88, 63));
    }
}

#[test]
fn rsa() {
    // One case is "acceptable": a digest encoded without its NULL. RFC 8017 §9.2 has it there.
    for (name, algorithm, counts) in [
        ("rsa_signature_2048_sha256_test.json", Algorithm::RS256, (9, 250)),
        ("rsa_pss_2048_sha256_mgf1_32_test.json", Algorithm::PS256, (63, 45)),
    ] {
        let Some(counted) = check_signatures(name, algorithm, None) else { return };
        assert_eq!(counted, counts, "{name}");
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MacGroup {
    key_size: usize,
    tag_size: usize,
    tests: Vec<Mac>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mac {
    tc_id: u32,
    comment: String,
    key: String,
    msg: String,
    tag: String,
    result: Label,
}

#[test]
fn hmac() {
    let Some(file) = read::<MacGroup>("hmac_sha256_test.json") else { return };
    let (mut valid, mut refused) = (0, 0);
    for group in &file.test_groups {
        for case in &group.tests {
            let key = URL_SAFE_NO_PAD.encode(hex(&case.key));
            let document = json!({ "keys": [{ "kty": "oct", "alg": "HS256", "k": key }] });
            let set = KeySet::configured(document.to_string().as_bytes(), &[Algorithm::HS256]);
            let accepted = set
                .is_ok_and(|set| set.verifies(Algorithm::HS256, &hex(&case.msg), &hex(&case.tag)));
            // RFC 7518 §3.2: no shorter keys than the hash is long, and no truncated tags.
            let is_jwa = group.key_size >= 256 && group.tag_size == 256;
            let right = case.result == Label::Valid && is_jwa;
            assert_eq!(accepted, right, "{}: {}", case.tc_id, case.comment);
            if accepted { valid += 1 } else { refused += 1 }
        }
    }
    println!("hmac_sha256: {valid} valid accepted, {refused} others refused");
    assert_eq!(valid + refused, file.number_of_tests);
    assert!(valid > 0);
}
