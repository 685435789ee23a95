//! Sets in which something is wrong with one key: it is passed over, and costs no other.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::support::fixture::{Expected, Fixture, bearer, send};
use super::support::keys::{Key, changed};
use super::support::scripted_as::Reply;
use super::{always, complaint, server};

/// An entry that is bad, as text, and what the operator reads when there is no other.
type Case = (&'static str, String, &'static str);

/// All have the `kid` of the good key, and would be tried if they were keys.
fn bad_entries() -> Vec<Case> {
    const MALFORMED: &str = "not a JSON object, or one with duplicate members or deep nesting";
    const REFUSED: &str = "not valid on its curve or for its type";
    let other = Key::new("k1").jwk();
    let but = |changes: Value| changed(other.clone(), changes).to_string();
    let with_y = |y: &str| other.to_string().replacen('{', &format!("{{\"y\":{y},"), 1);
    let coordinate = |byte: u8| URL_SAFE_NO_PAD.encode([byte; 32]);
    let rsa = |n: Vec<u8>, e: &[u8]| {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "RSA", "kid": "k1", "n": encode(&n), "e": encode(e) }).to_string()
    };
    let (odd, even) = (vec![0xFF; 256], [vec![0xFF; 255], vec![0xFE]].concat());
    let exponent: &[u8] = &[1, 0, 1];
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    vec![
        ("a number", "7".into(), MALFORMED),
        ("null", "null".into(), MALFORMED),
        ("an array", format!("[{other}]"), MALFORMED),
        ("a string", "\"k1\"".into(), MALFORMED),
        (
            "a name of serde_json's own",
            r#"{"$serde_json::private::RawValue":"7"}"#.into(),
            MALFORMED,
        ),
        ("deep", format!(r#"{{"kty":"EC","x":{}}}"#, nested(17)), MALFORMED),
        ("very deep", nested(100_000), MALFORMED),
        ("a member twice (JWK-12)", with_y(&other["y"].to_string()), MALFORMED),
        ("a member twice, differing (JWK-12)", with_y("7"), MALFORMED),
        ("nothing", "{}".into(), "member \"kty\" is missing or malformed"),
        ("unknown kty", but(json!({ "kty": "XYZ" })), "key type is not"),
        ("kty in small letters", but(json!({ "kty": "ec" })), "key type is not"),
        ("unknown crv", but(json!({ "crv": "secp256k1" })), "curve is not"),
        ("key agreement", r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#.into(), "curve is not"),
        ("another curve's crv", but(json!({ "crv": "P-384" })), "member \"x\""),
        ("kid is a number", but(json!({ "kid": 1 })), "member \"kid\""),
        ("no y", but(json!({ "y": null })), "member \"y\""),
        ("no coordinates (infinity)", but(json!({ "x": "", "y": "" })), "member \"x\""),
        ("the point 0, 0", but(json!({ "x": coordinate(0), "y": coordinate(0) })), REFUSED),
        ("a point off the curve", but(json!({ "x": coordinate(1), "y": coordinate(1) })), REFUSED),
        ("beyond the field", but(json!({ "x": coordinate(0xFF) })), REFUSED),
        ("Ed25519, too short", r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.into(), REFUSED),
        ("RSA of 1024 bits", rsa(vec![0xFF; 128], exponent), "not within 2048 to 8192 bits"),
        ("RSA of 16384 bits", rsa(vec![0xFF; 2048], exponent), "not within 2048 to 8192 bits"),
        ("RSA with padding", rsa([vec![0; 128], vec![0xFF; 128]].concat(), exponent), "2048"),
        ("RSA, n = 0", rsa(vec![0; 256], exponent), "not within 2048 to 8192 bits"),
        ("RSA, n even", rsa(even, exponent), REFUSED),
        ("RSA, e = 0", rsa(odd.clone(), &[]), "RSA exponent"),
        ("RSA, e = 1", rsa(odd.clone(), &[1]), "RSA exponent"),
        ("RSA, e even", rsa(odd.clone(), &[2]), "RSA exponent"),
        ("RSA, e enormous", rsa(odd.clone(), &odd), "RSA exponent"),
        ("a secret (JWK-11)", secret(), "is a symmetric key"),
        ("a private key (JWK-11)", but(json!({ "d": coordinate(1) })), "holds a private key"),
        (
            "a private key that is null (JWK-11)",
            but(json!({ "d": "<null>" })),
            "holds a private key",
        ),
        ("use enc (JWK-03)", but(json!({ "use": "enc" })), "\"use\" is not \"sig\""),
        ("key_ops sign (JWK-04)", but(json!({ "key_ops": ["sign"] })), "\"key_ops\""),
        (
            "key_ops encrypt (JWK-05)",
            but(json!({ "key_ops": ["verify", "encrypt"] })),
            "\"key_ops\"",
        ),
        ("alg of another type (JWK-06)", but(json!({ "alg": "RS256" })), "\"alg\" does not fit"),
        ("alg none (JWK-06)", but(json!({ "alg": "none" })), "\"alg\" does not fit"),
        ("alg HS256 (JWK-06)", but(json!({ "alg": "HS256" })), "\"alg\" does not fit"),
    ]
}

/// 32 zero bytes.
fn secret() -> String {
    let k = URL_SAFE_NO_PAD.encode([0; 32]);
    json!({ "kty": "oct", "kid": "k1", "alg": "HS256", "k": k }).to_string()
}

fn set(entries: &[&str]) -> Reply {
    Reply::json(format!("{{\"keys\":[{}]}}", entries.join(",")))
}

#[tokio::test]
async fn jwk_01_jwk_11_jwk_12_a_bad_key_costs_no_other() {
    let fixture = Fixture::new();
    let good = fixture.key.jwk().to_string();
    for (name, bad, telling) in bad_entries() {
        let fake = always(set(&[&bad])).await;
        let server = server(&fixture, &fake);
        let said = complaint(server.load_keys().await, name);
        assert!(said.contains("no key in the set can be used"), "{name}: {said}");
        assert!(said.contains(telling), "{name}: {said}");
        send(&server, bearer(&fixture.good())).await.is(Expected::Unavailable, name);

        let beside = set(&[&bad, &good, &bad]);
        fake.answer_with(move |_| beside.clone());
        server.load_keys().await.expect(name);
        send(&server, bearer(&fixture.good())).await.is(Expected::Ok, name);
    }
}

#[tokio::test]
async fn jwk_11_a_published_secret_signs_nothing() {
    let fixture = Fixture::new();
    let good = fixture.key.jwk().to_string();
    let fake = always(set(&[&secret(), &good])).await;
    let server = server(&fixture, &fake);
    let mut header = Header::new(Algorithm::HS256);
    (header.typ, header.kid) = (Some("at+jwt".into()), Some("k1".into()));
    let by_secret = EncodingKey::from_secret(&[0; 32]);
    let forged = jsonwebtoken::encode(&header, &fixture.claims(), &by_secret).unwrap();
    send(&server, bearer(&forged)).await.is(Expected::InvalidToken, "by the secret");
    send(&server, bearer(&fixture.good())).await.is(Expected::Ok, "by the key");
}

/// What is no fault of a key, however odd it looks.
#[tokio::test]
async fn jwk_01_odd_keys_are_keys() {
    let fixture = Fixture::new();
    let jwk = fixture.key.jwk();
    let huge = changed(Key::new("k1").jwk(), json!({ "kid": "k".repeat(100_000) }));
    for (name, entries) in [
        ("a huge kid beside it", vec![huge.to_string(), jwk.to_string()]),
        ("the same key twice", vec![jwk.to_string(), jwk.to_string()]),
        (
            "members that nobody knows",
            vec![changed(jwk.clone(), json!({ "x": "<null>" })).to_string().replacen(
                "\"x\":null",
                &format!("\"x\":{},\"z\":[[{{}}]]", jwk["x"]),
                1,
            )],
        ),
    ] {
        let entries: Vec<_> = entries.iter().map(String::as_str).collect();
        let fake = always(set(&entries)).await;
        send(&server(&fixture, &fake), bearer(&fixture.good())).await.is(Expected::Ok, name);
    }
}

#[tokio::test]
async fn jwk_09_jwk_10_keys_of_one_name_are_all_tried() {
    let (fixture, namesake) = (Fixture::new(), Key::new("k1"));
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let okp = json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": "k1",
        "x": URL_SAFE_NO_PAD.encode(ed25519.public_key()),
    });
    let entries = [okp.to_string(), namesake.jwk().to_string(), fixture.key.jwk().to_string()];
    let fake = always(set(&entries.each_ref().map(String::as_str))).await;
    let server = server(&fixture, &fake);

    let mut header = Header::new(Algorithm::EdDSA);
    (header.typ, header.kid) = (Some("at+jwt".into()), Some("k1".into()));
    let der = ed25519.to_pkcs8().unwrap();
    let by_ed25519 = EncodingKey::from_ed_der(der.as_ref());
    let by_other_type = jsonwebtoken::encode(&header, &fixture.claims(), &by_ed25519).unwrap();
    send(&server, bearer(&fixture.good())).await.is(Expected::Ok, "the last");
    send(&server, bearer(&namesake.sign(&fixture.claims()))).await.is(Expected::Ok, "same type");
    send(&server, bearer(&by_other_type)).await.is(Expected::Ok, "other type");
    let stranger = Key::new("k1").sign(&fixture.claims());
    send(&server, bearer(&stranger)).await.is(Expected::InvalidToken, "neither");
}

#[tokio::test]
async fn jwk_13_only_a_hundred_entries_are_read() {
    let (fixture, last) = (Fixture::new(), Key::new("last"));
    let (first, last_entry) = (fixture.key.jwk().to_string(), last.jwk().to_string());
    for (entries, expected) in
        [(100, Expected::Ok), (101, Expected::InvalidToken), (10_000, Expected::InvalidToken)]
    {
        let name = format!("{entries} entries");
        let mut keys = vec![r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#; entries];
        (keys[0], keys[entries - 1]) = (&first, &last_entry);
        let fake = always(set(&keys)).await;
        let server = server(&fixture, &fake);
        server.load_keys().await.expect(&name);
        send(&server, bearer(&fixture.good())).await.is(Expected::Ok, &name);
        send(&server, bearer(&last.sign(&fixture.claims()))).await.is(expected, &name);
    }
}

#[tokio::test]
async fn jws_11_what_a_key_points_to_is_never_fetched() {
    let fixture = Fixture::new();
    let elsewhere = always(Reply::json(Key::new("k1").jwks())).await;
    let url = format!("{}/keys", elsewhere.origin);
    let pointing = changed(
        fixture.key.jwk(),
        json!({ "x5u": url, "jku": url, "x5c": [url], "x5t": "AA", "x5t#S256": "AA", "iss": url }),
    );
    let document = json!({ "keys": [pointing], "jwks_uri": url, "issuer": elsewhere.origin });
    let fake = always(Reply::json(document.to_string())).await;
    let server = server(&fixture, &fake);
    send(&server, bearer(&fixture.good())).await.is(Expected::Ok, "pointing");
    // Not for a key that cannot be found either.
    let unknown = Key::new("k2").sign(&fixture.claims());
    send(&server, bearer(&unknown)).await.is(Expected::InvalidToken, "unknown");
    fake.idle().await;
    assert_eq!(elsewhere.log(), [""; 0]);
}
