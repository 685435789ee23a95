//! One function for each target: what must hold for any input, beyond that nothing panics.
//!
//! Wherever possible a second, simpler judge says what is right. This file is also a module of the
//! crate's own tests, so it names its neighbours by `super`.

// What must not happen has to stop the fuzzer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::str;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use portcullis::internals::{self, KeySet};
use portcullis::{
    Algorithm, Issuer, RejectionKind, Requirement, ResourceServer, ResourceServerBuilder, Scope,
    ScopePattern, all_of,
};
use serde_json::Value;

use super::challenge::parse;
use super::json_facts::JsonFacts;

/// Each line is a variable, `NAME=value`; the prefix is put before it.
pub fn environment(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    // What a fuzzer writes must not be read as a path.
    let variables: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| !name.ends_with("_FILE"))
        .map(|(name, value)| (format!("PORTCULLIS_{name}"), value))
        .collect();
    if let Err(error) = ResourceServerBuilder::from_vars(variables.iter().cloned()) {
        let report = error.to_string();
        assert!(!error.faults().is_empty());
        // One line each, under the name of a variable.
        assert_eq!(report.lines().count(), error.faults().len(), "{report}");
        assert!(report.lines().all(|line| line.starts_with("PORTCULLIS_")), "{report}");
        // A key set may hold secrets.
        let is_key_set =
            |(name, value): &&(String, &str)| name == "PORTCULLIS_JWKS" && value.len() >= 16;
        for (_, value) in variables.iter().filter(is_key_set) {
            assert!(!report.contains(value), "{report}");
        }
    }
}

/// Each line is an `Authorization` field.
pub fn authorization_field(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for field in data.split(|byte| *byte == b'\n') {
        let Ok(field) = HeaderValue::from_bytes(field) else { return };
        headers.append(AUTHORIZATION, field);
    }
    let fields: Vec<_> = headers.values().map(|field| field.as_bytes().trim_ascii()).collect();
    let expected = match fields[..] {
        [field] => credentials(field),
        _ if fields.iter().all(|field| field.is_empty()) => Err(RejectionKind::MissingCredentials),
        _ => Err(RejectionKind::MultipleCredentials),
    };
    let token = internals::bearer_token(&headers, &Uri::from_static("/r"));
    assert_eq!(token, expected);
}

/// RFC 9110 §11.4, from the right: padding, characters, spaces, scheme.
fn credentials(field: &[u8]) -> Result<&[u8], RejectionKind> {
    let scheme_ends = field.iter().position(|byte| b" \t".contains(byte)).unwrap_or(field.len());
    let (scheme, rest) = field.split_at(scheme_ends);
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(RejectionKind::MissingCredentials);
    }
    let token_starts = rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len());
    let token = &rest[token_starts..];
    if token.len() > 16_384 {
        return Err(RejectionKind::TokenTooLarge);
    }
    let unpadded = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let is_good = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    if unpadded > 0 && token[..unpadded].iter().all(is_good) {
        Ok(token)
    } else {
        Err(RejectionKind::MalformedCredentials)
    }
}

/// A token; every one has a single spelling.
pub fn compact_jws(data: &[u8]) {
    let Ok(token) = str::from_utf8(data) else { return };
    let parts: Vec<_> = token.split('.').collect();
    match internals::compact_jws(token) {
        Ok(jws) => {
            let encode = |part| URL_SAFE_NO_PAD.encode(part);
            assert_eq!(parts, [encode(jws.header), encode(jws.payload), encode(jws.signature)]);
        }
        Err(RejectionKind::EncryptedToken) => assert_eq!(parts.len(), 5),
        Err(refusal) => {
            assert_eq!(refusal, RejectionKind::MalformedToken);
            let is_small = parts[0].len() * 3 / 4 <= 4096;
            let is_jws = parts.len() == 3 && parts.iter().all(|part| is_base64url(part));
            assert!(!is_jws || !is_small, "refused without a reason");
        }
    }
}

/// RFC 7515 §2 and RFC 4648 §3.5, without decoding anything.
fn is_base64url(part: &str) -> bool {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = part.chars().last().and_then(|last| ALPHABET.find(last)).unwrap_or(0);
    let is_canonical = match part.len() % 4 {
        0 => true,
        2 => last.is_multiple_of(16),
        3 => last.is_multiple_of(4),
        _ => false,
    };
    is_canonical && part.chars().all(|character| ALPHABET.contains(character))
}

/// A JOSE header.
pub fn header(data: &[u8]) {
    let Ok(header) = internals::jose_header(data) else { return };
    let object = internals::json_object(data).expect("a header is an object");
    assert!(data.len() <= 4096);
    assert_eq!(object["alg"], header.algorithm.name());
    assert!(!object.contains_key("crit") && !object.contains_key("b64"));
    assert_eq!(object.get("kid").map(|kid| kid.as_str().unwrap()), header.kid.as_deref());
    assert!(header.kid.is_none_or(|kid| (1..=256).contains(&kid.len())));
    let typ = object.get("typ").map(|typ| typ.as_str().unwrap().to_ascii_lowercase());
    let full = header.typ.as_ref().map(|typ| format!("application/{typ}"));
    assert!(typ == header.typ || typ == full);
    assert!(object.get("cty").is_none_or(|cty| !cty.as_str().unwrap().eq_ignore_ascii_case("JWT")));
}

/// A claims set; serde_json's own reading of it is the second opinion.
pub fn claims(data: &[u8]) {
    const RESERVED: &[u8] = b"serde_json::private::";
    let object = internals::json_object(data);
    if data.windows(RESERVED.len()).any(|window| window == RESERVED) {
        // Read as something else by serde_json where it is part of a name.
        return;
    }
    let expected = serde_json::from_slice(data)
        .ok()
        .filter(|value| JsonFacts::of(data, value).fits_as_document());
    assert_eq!(object.map(Value::Object), expected);
}

/// A key set as it is fetched and as it is configured.
pub fn jwk_set(data: &[u8]) {
    let (secret, public): (Vec<_>, Vec<_>) =
        Algorithm::all().partition(|algorithm| algorithm.name().starts_with("HS"));
    let all: Vec<_> = Algorithm::all().collect();
    assert!(KeySet::fetched(data, &secret).is_err(), "no secret comes over the network");
    let fetched = KeySet::fetched(data, &public);
    let configured = KeySet::configured(data, &public);
    assert_eq!(fetched.is_ok(), configured.is_ok(), "public keys are good wherever they come from");
    let secrets = KeySet::configured(data, &secret);
    assert!(secrets.is_err() || fetched.is_err(), "secrets and public keys do not mix");
    for set in [fetched, secrets, KeySet::configured(data, &all)].into_iter().flatten() {
        for algorithm in Algorithm::all() {
            assert!(!set.verifies(algorithm, b"message", &[1; 64]), "nobody signed this");
        }
        // Nesting that is skipped may be deeper than serde_json goes, and numbers larger.
        let Ok(document) = serde_json::from_slice::<Value>(data) else { continue };
        let entries = document["keys"].as_array().expect("a set has an array of keys");
        let read = entries.len().min(100);
        // An Ed25519 key answers to two names.
        assert!((1..=2 * read).contains(&set.keys()));
        assert!(set.keys() + set.skipped() >= read);
    }
}

/// A pattern, a line feed and a candidate.
pub fn scope_pattern(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (text, candidate) = text.split_once('\n').unwrap_or((text, ""));
    let in_alphabet = |byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
    let is_pattern = |text: &str| (1..=256).contains(&text.len()) && text.bytes().all(in_alphabet);
    let pattern = ScopePattern::new(text);
    assert_eq!(pattern.is_ok(), is_pattern(text));
    assert_eq!(Scope::new(text).is_ok(), is_pattern(text));
    let Ok(pattern) = pattern else { return };
    let matches = matches(text.as_bytes(), candidate.as_bytes());
    assert_eq!(pattern.matches(candidate), matches);

    let Ok(other) = ScopePattern::new(candidate) else { return };
    assert_eq!(pattern.covers(&other), matches);
    assert_eq!(pattern.overlaps(&other), other.overlaps(&pattern));
    if matches {
        assert!(pattern.overlaps(&other), "what both stand for: the candidate");
    }
    if other.is_literal() {
        assert_eq!(pattern.overlaps(&other), matches);
    }
}

/// The textbook's way: on a mismatch, the latest star takes one byte more.
fn matches(pattern: &[u8], candidate: &[u8]) -> bool {
    let (mut p, mut c, mut star) = (0, 0, None);
    while c < candidate.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, c));
            p += 1;
        } else if p < pattern.len() && pattern[p] == candidate[c] {
            (p, c) = (p + 1, c + 1);
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            (p, c) = (at + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Lines: a realm, an error URI, and scopes.
pub fn challenge(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let (realm, error_uri) = (lines.next().unwrap_or_default(), lines.next());
    let scopes: Vec<_> = lines.next().unwrap_or_default().split_whitespace().collect();
    challenges_read_back(realm, error_uri.filter(|uri| !uri.is_empty()), &scopes);
}

/// Every challenge of a server with this configuration says what it was told to, as far as the
/// independent parser can tell.
pub fn challenges_read_back(realm: &str, error_uri: Option<&str>, scopes: &[&str]) {
    const KEYS: &str = r#"{"keys":[{"kty":"oct","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]}"#;
    let Ok(required) = scopes.iter().map(|scope| Scope::new(scope)).collect::<Result<Vec<_>, _>>()
    else {
        return;
    };
    let issuer = Issuer::with_jwks("https://as.example", KEYS)
        .algorithms([Algorithm::HS256])
        .audience("https://rs.example");
    let mut builder = ResourceServer::builder()
        .issuer(issuer)
        .realm(realm)
        .required(all_of(required.into_iter().map(Requirement::from)));
    if let Some(uri) = error_uri {
        builder = builder.error_uri(uri);
    }
    let server = builder.build();
    let is_printable = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let is_uri = |text: &str| is_printable(text) && !text.contains([' ', '"', '\\']);
    let is_good = !realm.is_empty() && is_printable(realm) && error_uri.is_none_or(is_uri);
    assert_eq!(server.is_ok(), is_good);
    let Ok(server) = server else { return };
    for kind in RejectionKind::all() {
        let rejection = server.reject(kind);
        let Some(field) = rejection.challenge() else {
            let is_other = matches!(kind, RejectionKind::Conflict | RejectionKind::Hidden);
            assert!(rejection.status().is_server_error() || is_other);
            continue;
        };
        let challenge = parse(field.to_str().unwrap()).expect("a challenge");
        assert_eq!(challenge.scheme, "Bearer");
        assert_eq!(challenge.parameter("realm"), Some(realm));
        assert_eq!(challenge.parameter("error"), rejection.error());
        let has_error = rejection.error().is_some();
        assert_eq!(challenge.parameter("error_uri"), error_uri.filter(|_| has_error));
        let description = Some(rejection.description()).filter(|_| has_error);
        assert_eq!(challenge.parameter("error_description"), description);
        let names_scope = rejection.status() == StatusCode::UNAUTHORIZED
            || rejection.error() == Some("insufficient_scope");
        let scope = Some(without_duplicates(scopes)).filter(|all| names_scope && !all.is_empty());
        assert_eq!(challenge.parameter("scope"), scope.as_deref());
    }
}

fn without_duplicates(scopes: &[&str]) -> String {
    let mut seen = Vec::new();
    for scope in scopes {
        if !seen.contains(scope) {
            seen.push(scope);
        }
    }
    seen.join(" ")
}

/// A path has one form, which has no other meaning to anybody.
pub fn path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(canonical) = internals::canonical_path(text) else { return };
    assert_eq!(internals::canonical_path(&canonical).as_deref(), Some(canonical.as_str()));
    assert!(canonical.bytes().all(|byte| byte.is_ascii_graphic()), "{canonical}");
    assert!(!canonical.contains(['\\', ';', '?', '#']), "{canonical}");
    let meaning = internals::decoded_path(&canonical);
    let (segments, meant) = (canonical.split('/'), meaning.split('/'));
    assert_eq!(segments.count(), meant.clone().count(), "{canonical}");
    for segment in meant.clone() {
        assert!(!matches!(segment, "." | ".."), "{canonical}");
        assert!(
            !segment.contains(['\\', ';']) && !segment.contains(char::is_control),
            "{canonical}"
        );
    }
    let inner = meant.skip(1).collect::<Vec<_>>();
    assert!(inner.iter().rev().skip(1).all(|segment| !segment.is_empty()), "{canonical}");
    assert!(canonical.parse::<http::uri::PathAndQuery>().is_ok(), "{canonical}");
}

/// Any text is rules, or says why it is none.
pub fn rules(data: &[u8]) {
    static SERVER: std::sync::LazyLock<ResourceServer> = std::sync::LazyLock::new(|| {
        // Never asked for.
        let issuer = Issuer::with_jwks_uri("https://as.example", "https://as.example/keys");
        ResourceServer::builder().issuer(issuer.audience("a")).build().expect("a server")
    });
    let Ok(text) = std::str::from_utf8(data) else { return };
    for path in ["/", "/orders/7", "/admin/a/b", "/caf%C3%A9"] {
        match internals::rule_of(text, &SERVER, &http::Method::GET, path) {
            Ok(rule) => assert!(rule.is_none_or(|number| number > 0)),
            Err(faults) => {
                assert!(!faults.is_empty());
                for fault in faults {
                    assert_eq!(fault.lines().count(), 1, "{fault:?}");
                    assert!(!fault.contains(char::is_control), "{fault:?}");
                }
                return;
            }
        }
    }
}
