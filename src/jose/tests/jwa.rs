//! Algorithms: which signatures verify, and with which keys.

use aws_lc_rs::hmac;

use super::*;

#[test]
fn jwa_01_and_jwa_10_the_list_of_algorithms_decides() {
    let (p256, p384, p521) = (Signer::ec("P-256"), Signer::ec("P-384"), Signer::ec("P-521"));
    let ed = Signer::ed25519();
    let entries = [Signer::Rsa.jwk(), p256.jwk(), p384.jwk(), p521.jwk(), ed.jwk()];
    for algorithm in public() {
        let alg = algorithm.name();
        let signer = match alg {
            "ES256" => &p256,
            "ES384" => &p384,
            "ES512" => &p521,
            "EdDSA" | "Ed25519" => &ed,
            _ => &Signer::Rsa,
        };
        let token = signer.token(alg, None);
        let only_this = fetched(&entries, &[algorithm]).unwrap();
        assert_eq!(verify(&only_this, &token), Ok(()), "{alg}");
        let others: Vec<_> = public().into_iter().filter(|other| *other != algorithm).collect();
        let all_but_this = fetched(&entries, &others).unwrap();
        assert!(verify(&all_but_this, &token).is_err(), "{alg}");
    }
}

#[test]
fn jwa_02_unsigned_tokens_have_no_key() {
    for alg in ["none", "None", "nOnE", "NONE"] {
        let header = json!({ "alg": alg }).to_string();
        assert_eq!(JoseHeader::parse(header.as_bytes()).unwrap_err(), JwsError::Algorithm);
    }
    let signer = Signer::ec("P-256");
    let unsigned = token("ES256", None, |_| Vec::new());
    assert!(!verifies(&signer.jwk(), &unsigned));
}

#[test]
fn jwa_03_a_public_key_is_no_mac_secret() {
    let jwk = with(&Signer::Rsa.jwk(), json!({ "kid": "k2" }));
    let der = aws_lc_rs::encoding::AsDer::as_der(RSA.public_key()).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD.encode(&*der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
    let n = jwk["n"].as_str().unwrap();
    let set = fetched(std::slice::from_ref(&jwk), &public()).unwrap();
    for secret in [jwk.to_string().as_bytes(), pem.as_bytes(), der.as_ref(), n.as_bytes()] {
        let mac = |message: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
        };
        assert!(verify(&set, &token("HS256", Some("k2"), mac)).is_err());
        assert!(verify(&set, &token("RS256", Some("k2"), mac)).is_err());
    }
    // With MACs allowed there is nothing in such a set to check them by.
    for allowed in [symmetric(), Algorithm::all().collect()] {
        let entry = with(&jwk, json!({ "alg": "HS256" }));
        let refused = reason(configured(&[entry], &allowed));
        assert_eq!(refused, Some(Unusable::AlgorithmMismatch));
    }
}

#[test]
fn jwa_04_a_secret_has_at_least_the_length_of_the_hash() {
    for (alg, mac, length) in [
        ("HS256", hmac::HMAC_SHA256, 32),
        ("HS384", hmac::HMAC_SHA384, 48),
        ("HS512", hmac::HMAC_SHA512, 64),
    ] {
        let secret = vec![7; length];
        let entry = |secret: &[u8]| json!({ "kty": "oct", "alg": alg, "k": encode(secret) });
        let set = configured(&[entry(&secret)], &symmetric()).unwrap();
        let signed =
            |message: &[u8]| hmac::sign(&hmac::Key::new(mac, &secret), message).as_ref().to_vec();
        assert_eq!(verify(&set, &token(alg, None, signed)), Ok(()), "{alg}");
        let truncated = |message: &[u8]| signed(message)[..length / 2].to_vec();
        assert!(verify(&set, &token(alg, None, truncated)).is_err(), "{alg}");
        for short in [&secret[1..], &[]] {
            let refused = reason(configured(&[entry(short)], &symmetric()));
            assert_eq!(refused, Some(Unusable::Refused), "{alg}");
        }
        let nameless = json!({ "kty": "oct", "k": encode(&secret) });
        let refused = reason(configured(&[nameless], &symmetric()));
        assert_eq!(refused, Some(Unusable::AlgorithmMismatch), "{alg}");
    }
}

/// An odd number of exactly so many bits. Nobody knows its factors, and nobody has to.
fn modulus(bits: usize) -> Vec<u8> {
    let mut n: Vec<u8> =
        (0..bits.div_ceil(8)).map(|index| (index * 167 + 89).to_le_bytes()[0]).collect();
    let top = (bits - 1) % 8;
    n[0] = (n[0] | 1 << top) & (0xFF >> (7 - top));
    *n.last_mut().unwrap() |= 1;
    n
}

#[test]
fn jwa_05_rsa_moduli_have_2048_to_8192_bits() {
    let judge =
        |n: Vec<u8>| unusable(json!({ "kty": "RSA", "alg": "RS256", "n": encode(n), "e": "AQAB" }));
    for bits in [2048, 2049, 3072, 4096, 8192] {
        assert_eq!(judge(modulus(bits)), None, "{bits}");
    }
    for bits in [1, 8, 1024, 2040, 2047, 8193, 16384] {
        assert_eq!(judge(modulus(bits)), Some(Unusable::RsaSize), "{bits}");
    }
    // Zeros in front are no bits.
    assert_eq!(judge([&[0; 8], &*modulus(2047)].concat()), Some(Unusable::RsaSize));
    assert_eq!(judge([&[0; 8], &*modulus(2048)].concat()), None);
    for zero in [vec![], vec![0; 256]] {
        assert_eq!(judge(zero), Some(Unusable::RsaSize));
    }
}

#[test]
fn jwa_05_rsa_exponents_are_odd_and_at_least_3() {
    let judge = |e: &[u8]| unusable(with(&Signer::Rsa.jwk(), json!({ "e": encode(e) })));
    for good in [&[3][..], &[1, 0, 1], &[0, 1, 0, 1], &[17], &[1, 0, 0, 0, 1]] {
        assert_eq!(judge(good), None, "{good:?}");
    }
    for bad in [&[][..], &[0], &[1], &[0, 0, 1], &[2], &[1, 0, 0], &[0xFF, 0xFE]] {
        assert_eq!(judge(bad), Some(Unusable::RsaExponent), "{bad:?}");
    }
    // Verification would take as long as signing.
    for large in [&modulus(34), &modulus(2048)] {
        assert_eq!(judge(large), Some(Unusable::RsaExponent), "{large:?}");
    }
}

#[test]
fn jwa_05_even_moduli_and_those_with_known_structure_are_refused() {
    let entry = |n: &[u8]| with(&Signer::Rsa.jwk(), json!({ "n": encode(n) }));
    let mut even = modulus(2048);
    *even.last_mut().unwrap() -= 1;
    assert_eq!(unusable(entry(&even)), Some(Unusable::Refused));

    // 65537^128 is a power of 65537 modulo every prime, as ROCA's moduli are.
    let power = (0..128).fold(vec![1_u8], |power, _| add(&[&*power, &[0, 0]].concat(), &power));
    assert_eq!(power.len(), 257);
    assert_eq!(unusable(entry(&power)), Some(Unusable::Roca));
}

/// The sum of two big-endian numbers, the first the longer one.
fn add(long: &[u8], short: &[u8]) -> Vec<u8> {
    let mut sum = long.to_vec();
    let mut carry = 0;
    let digits = short.iter().rev().chain(std::iter::repeat(&0));
    for (digit, other) in sum.iter_mut().rev().zip(digits) {
        let total = u16::from(*digit) + u16::from(*other) + carry;
        *digit = total.to_le_bytes()[0];
        carry = total >> 8;
    }
    if carry > 0 {
        sum.insert(0, 1);
    }
    sum
}

#[test]
fn jwa_06_ecdsa_signatures_have_fixed_length() {
    for (curve, alg, coordinate) in
        [("P-256", "ES256", 32), ("P-384", "ES384", 48), ("P-521", "ES512", 66)]
    {
        let signer = Signer::ec(curve);
        let key = signer.jwk();
        let fixed = |message: &[u8]| signer.sign(alg, message);
        assert!(verifies(&key, &token(alg, None, fixed)), "{alg}");
        let der = |message: &[u8]| {
            let signature = fixed(message);
            let (r, s) = signature.split_at(coordinate);
            let body = [integer(r), integer(s)].concat();
            [&[0x30][..], &length(body.len()), &body].concat()
        };
        let short = |message: &[u8]| fixed(message)[1..].to_vec();
        let cut = |message: &[u8]| fixed(message)[..2 * coordinate - 1].to_vec();
        let long = |message: &[u8]| [&[0], &*fixed(message)].concat();
        let padded = |message: &[u8]| [&*fixed(message), &[0]].concat();
        assert!(!verifies(&key, &token(alg, None, der)), "{alg}: DER");
        assert!(!verifies(&key, &token(alg, None, short)), "{alg}: a byte short");
        assert!(!verifies(&key, &token(alg, None, cut)), "{alg}: a byte short at the end");
        assert!(!verifies(&key, &token(alg, None, long)), "{alg}: a byte too long");
        assert!(!verifies(&key, &token(alg, None, padded)), "{alg}: a byte too long at the end");
    }
}

/// A DER INTEGER of a number that is not negative.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros..];
    let sign: &[u8] = if digits[0] >= 0x80 { &[0] } else { &[] };
    [&[2][..], &length(sign.len() + digits.len()), sign, digits].concat()
}

/// A DER length below 256.
fn length(bytes: usize) -> Vec<u8> {
    let short = bytes.to_le_bytes()[0];
    if short < 0x80 { vec![short] } else { vec![0x81, short] }
}

#[test]
fn jwa_06_the_curve_has_to_fit_the_algorithm() {
    let curves = [("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")];
    for (curve, fitting) in curves {
        let signer = Signer::ec(curve);
        for (_, alg) in curves {
            let verified = verifies(&signer.jwk(), &signer.token(alg, None));
            assert_eq!(verified, alg == fitting, "{curve}, {alg}");
        }
        let wrong = if curve == "P-256" { "P-384" } else { "P-256" };
        let relabelled = with(&signer.jwk(), json!({ "crv": wrong }));
        assert_eq!(unusable(relabelled), Some(Unusable::Member("x")), "{curve}");
    }
}

/// The order of P-256 (FIPS 186-5 names SP 800-186 §3.2.1.3 for it).
const P256_ORDER: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

/// `P256_ORDER - s`.
fn negated(s: &[u8]) -> Vec<u8> {
    let complement: Vec<u8> = s.iter().map(|byte| !byte).collect();
    let sum = add(&add(&complement, &P256_ORDER), &[1]);
    sum[sum.len() - 32..].to_vec()
}

#[test]
fn jwa_06_both_halves_of_s_verify() {
    let signer = Signer::ec("P-256");
    let other_half = |message: &[u8]| {
        let signature = signer.sign("ES256", message);
        let (r, s) = signature.split_at(32);
        [r, &negated(s)].concat()
    };
    assert!(verifies(&signer.jwk(), &token("ES256", None, other_half)));
}

#[test]
fn jwa_07_r_and_s_are_within_1_and_the_order() {
    let signer = Signer::ec("P-256");
    let (zero, one) = ([0; 32], add(&[0; 32], &[1]));
    for (r, s) in [
        (&zero[..], &zero[..]),
        (&zero, &one),
        (&one, &zero),
        (&P256_ORDER, &P256_ORDER),
        (&P256_ORDER, &one),
        (&one, &P256_ORDER),
        (&[0xFF; 32], &[0xFF; 32]),
    ] {
        let forged = token("ES256", None, |_| [r, s].concat());
        assert!(!verifies(&signer.jwk(), &forged), "{r:?} {s:?}");
    }
    // The same residue outside the range.
    let shifted = |message: &[u8]| {
        let signature = signer.sign("ES256", message);
        let (r, s) = signature.split_at(32);
        let sum = add(s, &P256_ORDER);
        [r, &sum[sum.len() - 32..]].concat()
    };
    assert!(!verifies(&signer.jwk(), &token("ES256", None, shifted)));
}

#[test]
fn jwa_07_points_off_the_curve_are_no_keys() {
    for (curve, coordinate) in [("P-256", 32), ("P-384", 48), ("P-521", 66)] {
        let key = Signer::ec(curve).jwk();
        let zero = encode(vec![0; coordinate]);
        let ones = encode(vec![0xFF; coordinate]);
        for (x, y) in [
            (key["x"].clone(), key["x"].clone()),
            (key["y"].clone(), key["x"].clone()),
            (json!(zero), json!(zero)),
            (key["x"].clone(), json!(zero)),
            (json!(ones), key["y"].clone()),
            (json!(ones), json!(ones)),
        ] {
            let entry = with(&key, json!({ "x": x, "y": y }));
            assert_eq!(unusable(entry), Some(Unusable::Refused), "{curve} {x} {y}");
        }
        let short = with(&key, json!({ "y": encode(vec![1; coordinate - 1]) }));
        assert_eq!(unusable(short), Some(Unusable::Member("y")), "{curve}");
    }
    for length in [0, 31, 33, 64] {
        let entry = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(vec![9; length]) });
        assert_eq!(unusable(entry), Some(Unusable::Refused), "{length}");
    }
}

/// A 2048-bit modulus, and what its owner (who has thrown the key away) signed as PS256:
/// `{"alg":"PS256"}` with the payload `{}`.
const PSS_MODULUS: &str = "\
    xwXxCNJhGt4EKKCM5lYSCMl7qYhhLnV0faDbsZ3q0J3qNctPn0TDJlAY28orWNdr1so14h6msyV6JekCO-kMsqYxI1\
    BeXzEU1wB1XDAuB1gsIPgG_E067KiQL0TnQsGADFEOQP6m864u2oA5PgpZOcmE-dONnBO2Lw-BsXw9JUwTsGRr35kj\
    7ybnc_a8nYBjH68kCPhE9UA5yl8gzS9KjkPbzyyBftpp4YcT4so5gsa4DRk7exNEpkd9xG_z7TR13De_0nqUlIp3OL\
    Bl7gM4AXHAyt1txbWXNGtJaUb6HY1h5aGUIJyJ-U3WWHYG7lzDh-UmyLAuDAPwNdpWLBQpfw";
const PSS_SALT_32: &str = "\
    gmrF1neETw-bt-Sxe28KiUmbBf1bSwruw2_5_uXDWmUsMVBJ8M0rOa6aeHt-S5EGSVgwK8JkaOh6PRo6feq2vKVEYQ\
    6IukBsIFc7VrhimH5CTqcbM5yczet7t6WTPFgFVqv-6mOAbHW8Gm0d5Dq6yiKebk_vxm3-VOurqG3-Y15prfyAKvwd\
    42t84rUIb9QBabVOx1tNHdn_FVjtBIQ7VLi_EQvS5T-JiGECxE4StjC_pGzE3GgWboyNADXj_QdW9Swr4a3_aiM12O\
    2HwVvsYP5r6aw3Q5KvlcvdzynjOOsyQAxy4fgvy2SLtUKOoRWspNqxa31fQc8dPqOgW4mFoA";
const PSS_SALT_20: &str = "\
    l1lwofb7Ai5tF9QWIkOdTNeQu9P5xzSD54wh1Q6oea6XxT4JLnCa9qWcq64AV8N-mwTbVDaZCvNvbBdygRbEJPehFW\
    XixYzPje8VPBRR690TEpUI9GSuGtOfNMcl1R1pF1YcLOTbp5Uv5YnGSgMX9P6EJBc4fGDn8M5ntMe30Rr9TDhZFVsL\
    zDRKtjCQi-1DqGizG6KwukcnDykXXusrydmpUobYvvX3WZK5a3R0xfWzvWUeKMP5uT2vz_p-YLP3BQnqBWaSRKzHik\
    2MEnkijxJY7cK4D42tQbDVF3Ti8--Vj2UI8dMSOMpN5O0UPvZXG2YK44FB3696abOc7d3nYQ";

#[test]
fn jwa_08_the_salt_is_as_long_as_the_hash() {
    let entry = json!({ "kty": "RSA", "alg": "PS256", "n": PSS_MODULUS, "e": "AQAB" });
    let message = format!("{}.{}", encode(r#"{"alg":"PS256"}"#), encode("{}"));
    assert!(verifies(&entry, &format!("{message}.{PSS_SALT_32}")));
    assert!(!verifies(&entry, &format!("{message}.{PSS_SALT_20}")));
}

#[test]
fn jwa_09_an_ed25519_key_answers_to_both_names() {
    let signer = Signer::ed25519();
    for alg in ["EdDSA", "Ed25519"] {
        assert!(verifies(&signer.jwk(), &signer.token(alg, None)), "{alg}");
        let only = with(&signer.jwk(), json!({ "alg": alg }));
        assert!(verifies(&only, &signer.token(alg, None)), "{alg}");
        let other = if alg == "EdDSA" { "Ed25519" } else { "EdDSA" };
        assert!(!verifies(&only, &signer.token(other, None)), "{alg}");
    }
    for curve in ["Ed448", "X25519", "ed25519", "P-256"] {
        let entry = with(&signer.jwk(), json!({ "crv": curve }));
        assert_eq!(unusable(entry), Some(Unusable::Curve), "{curve}");
    }
}
