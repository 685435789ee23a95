//! Tokens never appear in any output (HDR-14, BEARER-04): every refusal is provoked while
//! everything is logged at trace level, and the log is searched.

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use portcullis::{Issuer, RejectionKind};
use serde_json::{Value, json};
use support::fixture::{Fixture, ISSUER, bearer, get, send};
use support::keys::Key;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Any sixteen characters of a token in the text.
fn leak<'a>(text: &str, token: &'a str) -> Option<&'a str> {
    let characters: Vec<(usize, char)> = token.char_indices().collect();
    characters
        .windows(16)
        .map(|window| &token[window[0].0..window[15].0 + window[15].1.len_utf8()])
        .find(|part| text.contains(part))
}

#[test]
fn the_search_finds_what_it_looks_for() {
    assert_eq!(leak("a 0123456789abcdef b", "x0123456789abcdef"), Some("0123456789abcdef"));
    assert_eq!(leak("a 0123456789abcde b", "x0123456789abcdef"), None);
}

#[tokio::test]
async fn hdr_14_bearer_04_no_part_of_a_token_is_in_any_output() {
    let log = Log::default();
    // For the whole process, with what other crates say through `log`.
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).init();

    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    // Nobody listens there.
    let unreachable = Issuer::with_jwks_uri(ISSUER, "http://127.0.0.1:1/jwks");
    let without_keys = fixture.builder_with(unreachable).build().unwrap();
    let mut tokens = vec![
        "not-a-jwt-but-long-enough-to-find".to_owned(),
        format!("{}.five.parts", fixture.good()),
        fixture.good() + ",",
        "x".repeat(17_000),
        Key::new("k1").sign_json(&fixture.header(), &fixture.claims()),
    ];
    for header in [
        json!({ "alg": "none" }),
        json!({ "crit": ["secret-extension-name"] }),
        json!({ "typ": "id+jwt" }),
        json!({ "kid": "a-key-that-does-not-exist" }),
    ] {
        tokens.push(fixture.with_header(header));
    }
    for claims in [
        json!({}),
        json!({ "iss": "https://evil-issuer.example" }),
        json!({ "aud": "https://another-audience.example" }),
        json!({ "aud": Value::Null }),
        json!({ "exp": 1 }),
        json!({ "nbf": 9_000_000_000_u64 }),
        json!({ "sub": 1_234_567_890_123_456_789_u64 }),
        json!({ "cnf": { "jkt": "0123456789abcdef0123456789" } }),
        json!({ "cnf": { "x5t#S256": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" } }),
        json!({ "scope": "something-else-entirely" }),
        json!({ "scope": 7 }),
    ] {
        tokens.push(fixture.at(claims));
    }

    let mut seen = Vec::new();
    for token in &tokens {
        for server in [&server, &without_keys] {
            let mut output = Vec::new();
            for request in [bearer(token), in_query(token), twice(token)] {
                let answer = send(server, request).await;
                if answer.status() != 200 {
                    output.push(format!("{answer:?}"));
                }
            }
            if let Err(rejection) = server.verify(token).await {
                seen.push(rejection.kind());
                output.push(format!("{rejection:?} {rejection}"));
            }
            for text in output {
                assert_eq!(leak(&text, token), None);
            }
        }
    }
    let accepted = server.verify(&fixture.good()).await.unwrap();
    assert_eq!(leak(&format!("{accepted:?}"), &fixture.good()), None);
    assert!(!format!("{accepted:?}").contains("u1"));
    let shape = accepted.claim::<u64>("jti").unwrap_err();
    assert!(!format!("{shape} {shape:?}").contains("j1"));

    let text = log.text();
    assert!(text.contains("request refused"), "the log holds our events: {text}");
    assert!(text.contains("keys cannot be loaded"), "{text}");
    assert!(text.contains("reqwest") && text.contains("hyper"), "and those of the HTTP client");
    for token in &tokens {
        assert_eq!(leak(&text, token), None);
        // The claims as they are written inside, too.
        for part in token.split('.') {
            use base64::Engine;
            let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part);
            let inside = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let inside = inside.unwrap_or_default().replace(ISSUER, "");
            assert_eq!(leak(&text, &inside), None);
        }
    }
    for kind in [
        RejectionKind::MalformedToken,
        RejectionKind::EncryptedToken,
        RejectionKind::AlgorithmNotAllowed,
        RejectionKind::UnsupportedExtension,
        RejectionKind::WrongTokenType,
        RejectionKind::UntrustedIssuer,
        RejectionKind::UnknownKey,
        RejectionKind::BadSignature,
        RejectionKind::MissingClaim,
        RejectionKind::MalformedClaim,
        RejectionKind::Expired,
        RejectionKind::NotYetValid,
        RejectionKind::WrongAudience,
        RejectionKind::SenderConstrained,
        RejectionKind::KeysUnavailable,
    ] {
        assert!(seen.contains(&kind), "{kind:?} was not provoked");
    }
}

fn in_query(token: &str) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    let mut request = bearer(token);
    if let Ok(uri) = format!("/r?access_token={token}").parse() {
        *request.uri_mut() = uri;
    }
    request
}

fn twice(token: &str) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    let field = format!("Bearer {token}");
    get(&[field.as_bytes(), field.as_bytes()])
}

#[test]
fn debug_of_configuration_shows_no_key() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA";
    let set = json!({ "keys": [{ "kty": "oct", "alg": "HS256", "k": secret }] }).to_string();
    let issuer = Issuer::with_jwks(ISSUER, set).audience("a");
    let builder = support::server::builder().issuer(issuer.clone());
    assert!(!format!("{issuer:?} {builder:?}").contains("c2VjcmV0"));
    let error = builder.build().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
}
