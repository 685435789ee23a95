//! JWK sets: which entries count, and which of them are tried for a token.

use super::*;
use crate::jose::jwk_set::MAX_BYTES;

const NO_KEY: Result<(), NotVerified> = Err(NotVerified::NoKey { kid_is_known: false });
const NO_SUCH_ALGORITHM: Result<(), NotVerified> = Err(NotVerified::NoKey { kid_is_known: true });

#[test]
fn jwk_01_unusable_entries_do_not_cost_the_others() {
    let signer = Signer::ec("P-256");
    let good = with(&signer.jwk(), json!({ "kid": "k1" }));
    let entries = [
        json!({ "kty": "XYZ", "kid": "k1" }),
        without(&good, "y"),
        json!(7),
        json!(null),
        json!([good]),
        json!({}),
        with(&good, json!({ "kid": 7 })),
        with(&good, json!({ "x": "AQ" })),
        with(&good, json!({ "x": format!("{}=", good["x"].as_str().unwrap()) })),
        with(&good, json!({ "crv": "secp256k1" })),
        with(&good, json!({ "kty": "ec" })),
        json!({ "kty": "RSA", "n": "AQAB" }),
        good,
    ];
    let set = fetched(&entries, &public()).unwrap();
    assert_eq!(set.len(), 1);
    assert_eq!(verify(&set, &signer.token("ES256", Some("k1"))), Ok(()));
    let reasons: Vec<_> = set.skipped().iter().map(|skipped| skipped.reason).collect();
    assert_eq!(
        reasons,
        [
            Unusable::KeyType,
            Unusable::Member("y"),
            Unusable::NotStrictJson,
            Unusable::NotStrictJson,
            Unusable::NotStrictJson,
            Unusable::Member("kty"),
            Unusable::Member("kid"),
            Unusable::Member("x"),
            Unusable::Member("x"),
            Unusable::Curve,
            Unusable::KeyType,
            Unusable::Member("e"),
        ]
    );
    assert_eq!(set.skipped()[1].index, 1);
}

#[test]
fn jwk_02_a_set_is_an_object_with_an_array_of_keys() {
    let key = Signer::ed25519().jwk();
    let parse =
        |text: &str| JwkSet::parse(text.as_bytes(), &public(), KeyOrigin::Fetched).map(|_| ());
    assert_eq!(parse(&format!(r#" {{"x":[[]],"keys":[{key}]}} "#)), Ok(()));
    for text in [
        "",
        "null",
        "{}",
        "[]",
        "{\"keys\":",
        "{\"keys\":null}",
        "{\"keys\":{}}",
        "{\"keys\":\"\"}",
        &key.to_string(),
        &format!("[{key}]"),
        &format!("[[{key}]]"),
        &format!(r#"{{"Keys":[{key}]}}"#),
        &format!(r#"{{"keys":{key}}}"#),
        &format!(r#"{{"keys":[{key}],"keys":[{key}]}}"#),
        &format!(r#"{{"keys":[{key}],"\u006beys":[{key}]}}"#),
        &format!(r#"{{"keys":[{key}]}}{{}}"#),
        &format!(r#"{{"keys":[{key},]}}"#),
        &format!("\u{feff}{{\"keys\":[{key}]}}"),
    ] {
        assert!(matches!(parse(text), Err(JwkSetError::NotASet(_))), "{text}");
    }
    let empty = Err(JwkSetError::NoUsableKey(Vec::new()));
    assert_eq!(parse("{\"keys\":[]}"), empty);
}

#[test]
fn jwk_02_a_set_is_utf_8_throughout() {
    let key = Signer::ed25519().jwk();
    for member in [&b"\"x\":\"\xFF\","[..], b"\"\xFF\":1,", b"\"x\":{\"y\":[\"\xC0\xAF\"]},"] {
        let text = [b"{", member, format!("\"keys\":[{key}]}}").as_bytes()].concat();
        let parsed = JwkSet::parse(&text, &public(), KeyOrigin::Fetched);
        assert!(matches!(parsed, Err(JwkSetError::NotASet(_))), "{member:?}");
    }
}

#[test]
fn jwk_03_only_signature_keys_are_used() {
    let signer = Signer::ec("P-256");
    let token = signer.token("ES256", None);
    assert!(verifies(&with(&signer.jwk(), json!({ "use": "sig" })), &token));
    for other in ["enc", "SIG", "", "sig "] {
        assert_eq!(unusable(with(&signer.jwk(), json!({ "use": other }))), Some(Unusable::Use));
    }
    let malformed = unusable(with(&signer.jwk(), json!({ "use": ["sig"] })));
    assert_eq!(malformed, Some(Unusable::Member("use")));
}

#[test]
fn jwk_04_key_ops_have_to_allow_verification() {
    let signer = Signer::ec("P-256");
    let token = signer.token("ES256", None);
    for operations in [json!(["verify"]), json!(["sign", "verify"]), json!(["encrypt", "verify"])] {
        assert!(verifies(&with(&signer.jwk(), json!({ "key_ops": operations })), &token));
    }
    for operations in [
        json!(["sign"]),
        json!([]),
        json!(["Verify"]),
        json!(["verify", "verify"]),
        json!(["verify", 7]),
        json!("verify"),
        json!(null),
    ] {
        let entry = with(&signer.jwk(), json!({ "key_ops": operations }));
        assert_eq!(unusable(entry), Some(Unusable::KeyOps), "{operations}");
    }
}

#[test]
fn jwk_05_use_and_key_ops_must_not_contradict_each_other() {
    let key = with(&Signer::ec("P-256").jwk(), json!({ "use": "sig" }));
    assert_eq!(unusable(with(&key, json!({ "key_ops": ["verify"] }))), None);
    for operations in [json!(["encrypt"]), json!(["verify", "encrypt"]), json!(["deriveKey"])] {
        let entry = with(&key, json!({ "key_ops": operations }));
        assert_eq!(unusable(entry), Some(Unusable::KeyOps), "{operations}");
    }
}

#[test]
fn jwk_06_alg_in_the_key_is_alg_in_the_token() {
    let key = with(&Signer::Rsa.jwk(), json!({ "alg": "RS256", "kid": "k2" }));
    let set = fetched(&[key], &public()).unwrap();
    assert_eq!(verify(&set, &Signer::Rsa.token("RS256", Some("k2"))), Ok(()));
    assert_eq!(verify(&set, &Signer::Rsa.token("PS256", Some("k2"))), NO_SUCH_ALGORITHM);
    assert_eq!(verify(&set, &Signer::Rsa.token("PS256", None)), NO_KEY);
}

#[test]
fn jwk_06_an_alg_that_does_not_fit_the_key_is_of_no_use() {
    for (signer, alg) in [
        (Signer::ec("P-256"), "ES384"),
        (Signer::ec("P-521"), "ES521"),
        (Signer::ec("P-256"), "RS256"),
        (Signer::ec("P-256"), "es256"),
        (Signer::ec("P-256"), ""),
        (Signer::ed25519(), "ES256"),
        (Signer::Rsa, "RSA-OAEP"),
        (Signer::Rsa, "HS256"),
        (Signer::Rsa, "none"),
    ] {
        let entry = with(&signer.jwk(), json!({ "alg": alg }));
        assert_eq!(unusable(entry), Some(Unusable::AlgorithmMismatch), "{alg}");
    }
}

#[test]
fn jwk_07_an_rsa_key_without_alg_follows_the_first_rsa_algorithm() {
    use Algorithm::{ES256, PS256, PS384, RS256, RS512};
    for (allowed, only) in [
        (&Algorithm::DEFAULT[..], "RS256"),
        (&[PS256, RS256], "PS256"),
        (&[ES256, RS512, PS384], "RS512"),
    ] {
        let set = fetched(&[Signer::Rsa.jwk()], allowed).unwrap();
        assert_eq!(set.len(), 1);
        for alg in ["RS256", "RS512", "PS256", "PS384"] {
            let expected = if alg == only { Ok(()) } else { NO_KEY };
            assert_eq!(verify(&set, &Signer::Rsa.token(alg, None)), expected, "{only}, {alg}");
        }
    }
    let refused = reason(fetched(&[Signer::Rsa.jwk()], &[ES256]));
    assert_eq!(refused, Some(Unusable::AlgorithmNotAllowed));
}

#[test]
fn jwk_08_kid_is_compared_exactly() {
    let signer = Signer::ec("P-256");
    let set = fetched(&[with(&signer.jwk(), json!({ "kid": "k1" }))], &public()).unwrap();
    assert_eq!(verify(&set, &signer.token("ES256", Some("k1"))), Ok(()));
    for kid in ["K1", "k1 ", "k", "k11", "k\u{200b}1"] {
        assert_eq!(verify(&set, &signer.token("ES256", Some(kid))), NO_KEY, "{kid}");
    }
    // A key without a name is not the one that was named.
    let nameless = fetched(&[signer.jwk()], &public()).unwrap();
    assert_eq!(verify(&nameless, &signer.token("ES256", Some("k1"))), NO_KEY);
    assert_eq!(verify(&nameless, &signer.token("ES256", None)), Ok(()));
}

#[test]
fn jwk_09_without_kid_at_most_four_fitting_keys_are_tried() {
    let right = Signer::ec("P-256");
    let token = right.token("ES256", None);
    let set_with_right_at = |index: usize, kid: bool| {
        let mut entries: Vec<_> = (0..6).map(|_| Signer::ec("P-256").jwk()).collect();
        // Keys that do not fit take nobody's place.
        entries.splice(0..0, [Signer::ec("P-384").jwk(), Signer::ed25519().jwk()]);
        entries[index + 2] = right.jwk();
        if kid {
            entries.iter_mut().for_each(|entry| *entry = with(entry, json!({ "kid": "k1" })));
        }
        fetched(&entries, &public()).unwrap()
    };
    for (index, verdict) in [
        (0, Ok(())),
        (3, Ok(())),
        (4, Err(NotVerified::BadSignature)),
        (5, Err(NotVerified::BadSignature)),
    ] {
        assert_eq!(verify(&set_with_right_at(index, false), &token), verdict, "{index}");
        let named = right.token("ES256", Some("k1"));
        assert_eq!(verify(&set_with_right_at(index, true), &named), verdict, "{index}, named");
    }
}

#[test]
fn jwk_10_one_kid_may_name_keys_of_several_types() {
    let named = json!({ "kid": "k1" });
    let (ec, ed) = (Signer::ec("P-256"), Signer::ed25519());
    let entries = [Signer::Rsa.jwk(), ec.jwk(), ed.jwk()].map(|entry| with(&entry, named.clone()));
    let set = fetched(&entries, &public()).unwrap();
    for (signer, alg) in [(&Signer::Rsa, "RS256"), (&ec, "ES256"), (&ed, "EdDSA")] {
        assert_eq!(verify(&set, &signer.token(alg, Some("k1"))), Ok(()), "{alg}");
    }
}

#[test]
fn jwk_11_secrets_and_private_keys_in_a_fetched_set_are_ignored() {
    let secret = json!({ "kty": "oct", "alg": "HS256", "kid": "k1", "k": encode([7; 32]) });
    for allowed in [public(), symmetric(), Algorithm::all().collect()] {
        let refused = reason(fetched(std::slice::from_ref(&secret), &allowed));
        assert_eq!(refused, Some(Unusable::Symmetric));
    }
    let key = Signer::ec("P-256").jwk();
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"] {
        for value in [json!("AQ"), json!(null)] {
            let entry = with(&key, json!({ member: value }));
            assert_eq!(unusable(entry.clone()), Some(Unusable::Private), "{member}");
            let configured = reason(configured(&[entry], &public()));
            assert_eq!(configured, Some(Unusable::Private), "{member}");
        }
    }
}

#[test]
fn jwk_11_a_configured_set_holds_distinct_secrets_or_none() {
    let secret =
        |kid: &str| json!({ "kty": "oct", "alg": "HS256", "kid": kid, "k": encode([7; 32]) });
    let set = configured(&[secret("k1"), secret("k2")], &symmetric()).unwrap();
    assert_eq!(set.len(), 2);
    for mixed in [[secret("k1"), secret("k1")], [secret("k1"), Signer::ec("P-256").jwk()]] {
        assert!(configured(&mixed, &symmetric()).is_err());
    }
}

#[test]
fn jwk_12_duplicate_members_cost_the_entry() {
    let key = Signer::ed25519().jwk();
    let text = key.to_string();
    let members = &text[1..text.len() - 1];
    for duplicate in [r#""x":"AQ""#, r#""\u0078":"AQ""#, r#""y":{"a":1,"a":1}"#, members] {
        let document = format!(r#"{{"keys":[{{{members},{duplicate}}},{key}]}}"#);
        let set = JwkSet::parse(document.as_bytes(), &public(), KeyOrigin::Fetched).unwrap();
        let reasons: Vec<_> = set.skipped().iter().map(|skipped| skipped.reason).collect();
        assert_eq!(reasons, [Unusable::NotStrictJson], "{duplicate}");
    }
}

#[test]
fn jwk_13_the_hundred_and_first_entry_is_not_read() {
    let last = Signer::ec("P-256");
    let mut entries: Vec<_> =
        (1..100).map(|n| json!({ "kty": "XYZ", "kid": n.to_string() })).collect();
    entries.push(last.jwk());
    assert_eq!(verify(&fetched(&entries, &public()).unwrap(), &last.token("ES256", None)), Ok(()));

    entries.insert(0, Signer::ec("P-256").jwk());
    let set = fetched(&entries, &public()).unwrap();
    let refused = verify(&set, &last.token("ES256", None));
    assert_eq!(refused, Err(NotVerified::BadSignature));
    let beyond = set.skipped().last().unwrap();
    assert_eq!((beyond.index, beyond.reason), (100, Unusable::TooMany));
}

#[test]
fn jwk_13_larger_documents_are_refused_whole() {
    let mut text = document(&[Signer::ed25519().jwk()]);
    text.resize(MAX_BYTES, b' ');
    assert!(JwkSet::parse(&text, &public(), KeyOrigin::Fetched).is_ok());
    text.push(b' ');
    let refused = JwkSet::parse(&text, &public(), KeyOrigin::Fetched).unwrap_err();
    assert_eq!(refused, JwkSetError::TooLarge);
}
