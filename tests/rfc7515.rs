//! Signed tokens (RFC 7515, SPEC §5 and §9): shape, header and signature, as a client sees it.

mod support;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::{Algorithm, Issuer, RejectionKind};
use serde_json::json;
use support::fixture::{Expected, Fixture, ISSUER, bearer, kind, send};
use support::keys::{Key, changed};

#[tokio::test]
async fn jws_rows_every_fault_of_shape_and_header_is_invalid_token_f16_to_f22_f27() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let at = fixture.good();
    let parts: Vec<&str> = at.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!() };
    let padded = format!("{at}=");
    let with_header_bytes =
        |bytes: &[u8]| fixture.key.sign_bytes(bytes, fixture.claims().to_string().as_bytes());
    let utf16: Vec<u8> =
        fixture.header().to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let kid_of = |length: usize| fixture.with_header(json!({ "kid": "k".repeat(length) }));
    let deep = format!(r#"{{"alg":"ES256","kid":"k1","x":{}}}"#, "[".repeat(10_000));
    use RejectionKind::*;
    let rows: Vec<(&str, String, RejectionKind)> = vec![
        ("JWS-01 F17", header.to_owned(), MalformedToken),
        ("JWS-01 F17", format!("{header}.{payload}"), MalformedToken),
        ("JWS-01 F17", format!("{at}.{signature}"), MalformedToken),
        ("BCP-02 BCP-03 F18", format!("{at}.{header}.{payload}"), EncryptedToken),
        ("JWS-02 F17", format!("{header}.{payload}.+{signature}"), MalformedToken),
        ("JWS-02 F17", format!("{header}.{payload}~.{signature}"), MalformedToken),
        ("JWS-03 F16", padded, MalformedToken),
        ("JWS-03 F16", format!("{header}.{payload}A.{signature}"), MalformedToken),
        ("JWS-04 F16", trailing_bit_flipped(&at), MalformedToken),
        ("JWS-05 F19", with_header_bytes(br#"{"alg":"ES256","kid":"k1"}ABCD"#), MalformedToken),
        ("JWS-05 F19", with_header_bytes(&utf16), MalformedToken),
        ("JWS-05 F19", with_header_bytes(br#"["ES256"]"#), MalformedToken),
        ("JWS-05 F19", with_header_bytes(b"\xEF\xBB\xBF{\"alg\":\"ES256\"}"), MalformedToken),
        (
            "JWS-06 F19",
            with_header_bytes(br#"{"alg":"none","\u0061lg":"ES256","kid":"k1"}"#),
            MalformedToken,
        ),
        ("JWS-07 F21", fixture.with_header(json!({ "alg": null })), AlgorithmNotAllowed),
        ("JWS-07 F21", fixture.with_header(json!({ "alg": "<null>" })), AlgorithmNotAllowed),
        ("JWS-07 F21", fixture.with_header(json!({ "alg": ["ES256"] })), AlgorithmNotAllowed),
        ("JWS-07 F21", fixture.with_header(json!({ "alg": "es256" })), AlgorithmNotAllowed),
        ("JWS-08 F27", fixture.with_header(json!({ "crit": ["exp"] })), UnsupportedExtension),
        ("JWS-08 F27", fixture.with_header(json!({ "crit": ["x"], "x": 1 })), UnsupportedExtension),
        ("JWS-09 F27", fixture.with_header(json!({ "crit": [] })), UnsupportedExtension),
        ("JWS-10 F27", fixture.with_header(json!({ "b64": false })), UnsupportedExtension),
        ("JWS-10 F27", fixture.with_header(json!({ "b64": true })), UnsupportedExtension),
        ("JWS-14", fixture.with_header(json!({ "cty": "JWT" })), UnsupportedExtension),
        ("JWS-15", fixture.with_header(json!({ "kid": 7 })), MalformedToken),
        ("JWS-15", fixture.with_header(json!({ "kid": "" })), MalformedToken),
        ("JWS-15", kid_of(257), MalformedToken),
        ("JWS-15", with_header_bytes(deep.as_bytes()), MalformedToken),
        ("JWS-16", fixture.with_header(json!({ "kid": "../../etc/passwd" })), UnknownKey),
        ("JWS-16", fixture.with_header(json!({ "kid": "' OR 1=1" })), UnknownKey),
        ("JWK-08 F24", fixture.with_header(json!({ "kid": "K1" })), UnknownKey),
        ("JWA-01 F21", fixture.with_header(json!({ "alg": "ES512" })), AlgorithmNotAllowed),
        ("JWA-02 F20", fixture.with_header(json!({ "alg": "none" })), AlgorithmNotAllowed),
        ("JWA-02 F20", fixture.with_header(json!({ "alg": "nOnE" })), AlgorithmNotAllowed),
        ("JWA-02 F20", unsigned(&fixture), AlgorithmNotAllowed),
        ("JWA-03 F22", fixture.with_header(json!({ "alg": "HS256" })), AlgorithmNotAllowed),
        ("JWK-06 F22", fixture.with_header(json!({ "alg": "ES384" })), UnknownKey),
        ("JWS-13 F26", reencoded(&fixture), BadSignature),
        ("F26", format!("{header}.{payload}.{}", "A".repeat(86)), BadSignature),
        ("F26 empty", format!("{header}.{payload}."), BadSignature),
        ("JWS-17 F31", fixture.at(json!({ "iss": "https://evil" })), UntrustedIssuer),
    ];
    for (row, token, expected) in rows {
        assert_eq!(kind(&server, &token).await, Err(expected), "{row} {token}");
        let row = format!("{row} {expected:?}");
        // `~` and `+` are token68, so the shape of the credentials is good.
        send(&server, bearer(&token)).await.is(Expected::InvalidToken, &row);
    }
    assert_eq!(kind(&server, &at).await, Ok(()));
}

/// Another spelling of the same signature: 86 characters carry 516 bits for 512.
fn trailing_bit_flipped(token: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = token.chars().last().unwrap();
    let index = ALPHABET.find(last).unwrap() ^ 1;
    format!("{}{}", &token[..token.len() - 1], &ALPHABET[index..=index])
}

fn unsigned(fixture: &Fixture) -> String {
    let header = changed(fixture.header(), json!({ "alg": "none" })).to_string();
    let claims = fixture.claims().to_string();
    format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// The same header with other white space under the old signature.
fn reencoded(fixture: &Fixture) -> String {
    let token = fixture.good();
    let (_, rest) = token.split_once('.').unwrap();
    let header = serde_json::to_string_pretty(&fixture.header()).unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
}

#[tokio::test]
async fn jws_11_keys_in_the_token_are_not_used() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let own = Key::new("k1");
    for header in [
        json!({ "jwk": own.jwk() }),
        json!({ "jku": "http://127.0.0.1:9/jwks" }),
        json!({ "x5u": "http://127.0.0.1:9/cert" }),
        json!({ "x5c": ["AA"] }),
    ] {
        let header = changed(fixture.header(), header);
        let forged = own.sign_json(&header, &fixture.claims());
        assert_eq!(kind(&server, &forged).await, Err(RejectionKind::BadSignature), "{header}");
        // The members themselves do no harm.
        let genuine = fixture.key.sign_json(&header, &fixture.claims());
        assert_eq!(kind(&server, &genuine).await, Ok(()), "{header}");
    }
}

#[tokio::test]
async fn jws_12_typ_in_any_case_and_with_or_without_application() {
    let fixture = Fixture::new();
    let issuer = fixture.issuer().profile(portcullis::Profile::Rfc9068);
    let server = fixture.builder_with(issuer).build().unwrap();
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "application/AT+jwt"] {
        let token = fixture.with_header(json!({ "typ": typ }));
        assert_eq!(kind(&server, &token).await, Ok(()), "{typ}");
    }
}

#[tokio::test]
async fn jwk_09_without_kid_every_fitting_key_is_tried_up_to_four() {
    let fixture = Fixture::new();
    let no_kid = |key: &Key| {
        let header = changed(fixture.header(), json!({ "kid": null }));
        key.sign_json(&header, &fixture.claims())
    };
    let keys: Vec<Key> = (0..6).map(|number| Key::new(&format!("k{number}"))).collect();
    let set = |keys: &[Key]| {
        let keys: Vec<_> = keys.iter().map(Key::jwk).collect();
        fixture.builder_with(Issuer::with_jwks(ISSUER, json!({ "keys": keys }).to_string()))
    };
    let one = set(&keys[..1]).build().unwrap();
    assert_eq!(kind(&one, &no_kid(&keys[0])).await, Ok(()));
    let six = set(&keys).build().unwrap();
    assert_eq!(kind(&six, &no_kid(&keys[3])).await, Ok(()));
    assert_eq!(kind(&six, &no_kid(&keys[5])).await, Err(RejectionKind::BadSignature));
}

#[tokio::test]
async fn jwa_05_f23_a_weak_rsa_key_that_is_the_only_match_is_no_key() {
    let fixture = Fixture::new();
    let weak = |bits: usize| {
        let n = URL_SAFE_NO_PAD.encode(vec![0xFF; bits / 8]);
        json!({ "kty": "RSA", "kid": "weak", "alg": "RS256", "n": n, "e": "AQAB" })
    };
    let token = fixture.with_header(json!({ "alg": "RS256", "kid": "weak" }));
    for (bits, expected) in [(1024, RejectionKind::UnknownKey), (2048, RejectionKind::BadSignature)]
    {
        let set = json!({ "keys": [fixture.key.jwk(), weak(bits)] }).to_string();
        let server = fixture.builder_with(Issuer::with_jwks(ISSUER, set)).build().unwrap();
        assert_eq!(kind(&server, &token).await, Err(expected), "{bits}");
        send(&server, bearer(&token)).await.is(Expected::InvalidToken, "F23");
        assert_eq!(kind(&server, &fixture.good()).await, Ok(()), "the other key goes on serving");
    }
}

#[tokio::test]
async fn jwt_11_f32_res_09_a_key_of_another_trusted_issuer_does_not_count() {
    let fixture = Fixture::new();
    let other = Key::new("k1");
    let b = Issuer::with_jwks("https://b.example", other.jwks());
    let server = fixture.builder().issuer(b).build().unwrap();
    let crossed = other.sign_json(&fixture.header(), &fixture.claims());
    assert_eq!(kind(&server, &crossed).await, Err(RejectionKind::BadSignature));
    let own = changed(fixture.claims(), json!({ "iss": "https://b.example" }));
    let own = other.sign_json(&fixture.header(), &own);
    assert_eq!(kind(&server, &own).await, Ok(()));
}

#[tokio::test]
async fn jwa_01_every_issuer_has_its_own_list_of_algorithms() {
    let fixture = Fixture::new();
    let other = Issuer::with_jwks_uri("https://b.example", "https://b.example/jwks")
        .algorithms([Algorithm::ES384]);
    let server = fixture.builder().issuer(other).build().unwrap();
    let for_other = changed(fixture.claims(), json!({ "iss": "https://b.example" }));
    // No fetch is tried for it: the list decides before keys are needed.
    let token = fixture.key.sign_json(&fixture.header(), &for_other);
    assert_eq!(kind(&server, &token).await, Err(RejectionKind::AlgorithmNotAllowed));
    // PIPE-01: what no issuer allows is refused before the issuer is looked for.
    let nobodys = changed(fixture.claims(), json!({ "iss": "https://evil" }));
    for header in [json!({ "alg": "ES512" }), json!({ "typ": "dpop+jwt" })] {
        let token = fixture.key.sign_json(&changed(fixture.header(), header), &nobodys);
        let judged = kind(&server, &token).await.unwrap_err();
        assert_ne!(judged, RejectionKind::UntrustedIssuer);
    }
}

#[tokio::test]
async fn hdr_12_a_token_that_comes_by_another_way_is_measured_too() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let large = fixture.at(json!({ "x": "x".repeat(17_000) }));
    assert_eq!(kind(&server, &large).await, Err(RejectionKind::TokenTooLarge));
    assert_eq!(kind(&server, "a b").await, Err(RejectionKind::MalformedCredentials));
    assert_eq!(kind(&server, "").await, Err(RejectionKind::MalformedCredentials));
}

#[tokio::test]
async fn jwa_04_jwa_10_bcp_01_algorithms_are_configuration() {
    let fixture = Fixture::new();
    let es384_only = fixture.issuer().algorithms([Algorithm::ES384]);
    let error = fixture.builder_with(es384_only).build().unwrap_err();
    assert!(error.to_string().contains("no key in the set can be used"), "{error}");

    let secret = |bytes: usize| {
        let k = URL_SAFE_NO_PAD.encode(vec![7; bytes]);
        let set = json!({ "keys": [{ "kty": "oct", "alg": "HS256", "kid": "s", "k": k }] });
        Issuer::with_jwks(ISSUER, set.to_string())
    };
    let hs256 = [Algorithm::HS256];
    assert!(fixture.builder_with(secret(32).algorithms(hs256)).build().is_ok());
    for (row, issuer) in [
        ("JWA-04 31 bytes", secret(31).algorithms(hs256)),
        ("BCP-01 secrets not declared", secret(32)),
        ("BCP-01 mixed", secret(32).algorithms([Algorithm::HS256, Algorithm::ES256])),
        ("BCP-01 published", Issuer::discover("https://as.example").algorithms(hs256)),
        ("no algorithm", fixture.issuer().algorithms([])),
    ] {
        assert!(fixture.builder_with(issuer).build().is_err(), "{row}");
    }
}

#[tokio::test]
async fn bcp_06_signature_faults_cannot_be_told_apart() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let unknown = fixture.with_header(json!({ "kid": "k9" }));
    let forged = Key::new("k1").sign_json(&fixture.header(), &fixture.claims());
    let unknown = send(&server, bearer(&unknown)).await;
    let forged = send(&server, bearer(&forged)).await;
    assert_eq!(unknown.response.headers(), forged.response.headers());
    assert_eq!(unknown.response.body(), forged.response.body());
}
