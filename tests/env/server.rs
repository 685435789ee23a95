//! From variables to a verdict about a real token.

use std::io::Write;
use std::sync::{Arc, Mutex};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use portcullis::{RejectionKind, ResourceServer, ResourceServerBuilder};
use serde_json::{Value, json};

use super::support::fixture::{Fixture, NOW, Stopped};
use super::support::keys::{Key, changed};
use super::support::scripted_as::{Reply, ScriptedAs};
use super::{AUDIENCE, ISSUER, TempFile};

/// A secret, the bytes 0 to 31.
pub(crate) const HS256_KEYS: &str =
    r#"{"keys":[{"kty":"oct","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]}"#;
const SECRETS: [(&str, &str); 2] =
    [("PORTCULLIS_JWKS", HS256_KEYS), ("PORTCULLIS_ALGORITHMS", "HS256")];

fn build(vars: &[(&str, &str)]) -> ResourceServer {
    build_with(&[&[ISSUER, AUDIENCE], vars].concat())
}

/// No variable sets the clock, code does.
fn build_with(vars: &[(&str, &str)]) -> ResourceServer {
    let builder = ResourceServerBuilder::from_vars(vars.iter().copied()).unwrap();
    builder.clock(Stopped).build().unwrap()
}

async fn verdict(server: &ResourceServer, token: &str) -> Result<(), RejectionKind> {
    server.verify(token).await.map(drop).map_err(|rejection| rejection.kind())
}

fn hs256(claims: &Value) -> String {
    let secret: Vec<u8> = (0..32).collect();
    let header = Header::new(Algorithm::HS256);
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&secret)).unwrap()
}

#[tokio::test]
async fn public_keys_in_a_variable_verify_tokens() {
    let fixture = Fixture::new();
    let server = build(&[("PORTCULLIS_JWKS", &fixture.key.jwks())]);
    let token = server.verify(&fixture.good()).await.unwrap();
    assert_eq!(token.claim::<String>("client_id").unwrap().as_deref(), Some("c1"));
    let other = fixture.at(json!({ "aud": "https://other.example" }));
    assert_eq!(verdict(&server, &other).await, Err(RejectionKind::WrongAudience));
    let forged = Fixture::new().good();
    assert_eq!(verdict(&server, &forged).await, Err(RejectionKind::BadSignature));
}

#[tokio::test]
async fn tokens_are_remembered_unless_their_number_is_zero() {
    let fixture = Fixture::new();
    let (jwks, token) = (fixture.key.jwks(), fixture.good());
    for (tokens, is_remembered) in [(None, true), (Some("1"), true), (Some("0"), false)] {
        let mut vars = vec![("PORTCULLIS_JWKS", jwks.as_str())];
        vars.extend(tokens.map(|tokens| ("PORTCULLIS_TOKEN_CACHE", tokens)));
        let server = build(&vars);
        let first = server.verify(&token).await.unwrap();
        let second = server.verify(&token).await.unwrap();
        // Claims that were read once are in one place.
        let place = |token: &portcullis::AccessToken| token.client_id().unwrap().as_ptr();
        assert_eq!(place(&first) == place(&second), is_remembered, "{tokens:?}");
    }
}

#[tokio::test]
async fn secrets_in_a_variable_verify_tokens() {
    let server = build(&SECRETS);
    let claims = Fixture::new().claims();
    assert_eq!(verdict(&server, &hs256(&claims)).await, Ok(()));
    let public = Fixture::new().good();
    assert_eq!(verdict(&server, &public).await, Err(RejectionKind::AlgorithmNotAllowed));
}

/// Each setting changes the verdict about some token.
#[tokio::test]
async fn every_setting_takes_effect() {
    use RejectionKind::*;

    let fixture = Fixture::new();
    let keys = fixture.key.jwks();
    let expired = |seconds: u64| json!({ "exp": NOW - seconds });
    let patterns = || json!({ "scope": "orders.*" });
    let read = ("PORTCULLIS_REQUIRED_SCOPES", "orders.read");
    for (vars, changes, expected) in [
        (&[] as &[(&str, &str)], json!({}), Ok(())),
        (&[("PORTCULLIS_ALGORITHMS", "RS256 ES256")], json!({}), Ok(())),
        (&[], expired(59), Ok(())),
        (&[], expired(60), Err(Expired)),
        (&[("PORTCULLIS_LEEWAY", "500ms")], expired(1), Err(Expired)),
        (&[("PORTCULLIS_LEEWAY", "5m")], expired(299), Ok(())),
        (&[], json!({ "jti": null }), Ok(())),
        (&[("PORTCULLIS_PROFILE", "rfc9068")], json!({}), Ok(())),
        (&[("PORTCULLIS_PROFILE", "rfc9068")], json!({ "jti": null }), Err(MissingClaim)),
        (&[("PORTCULLIS_REQUIRED_SCOPES", "read wr*")], json!({}), Ok(())),
        (&[("PORTCULLIS_REQUIRED_SCOPES", "read\nadmin")], json!({}), Err(InsufficientScope)),
        (
            &[read, ("PORTCULLIS_ALLOWED_SCOPES", "*.read")],
            json!({ "scope": "orders.read" }),
            Ok(()),
        ),
        // More scope would not help.
        (
            &[read, ("PORTCULLIS_ALLOWED_SCOPES", "*.write")],
            json!({ "scope": "orders.read" }),
            Err(Forbidden),
        ),
        (&[read], patterns(), Err(InsufficientScope)),
        (&[read, ("PORTCULLIS_GRANTED_WILDCARDS", "off")], patterns(), Err(InsufficientScope)),
        (&[read, ("PORTCULLIS_GRANTED_WILDCARDS", "on")], patterns(), Ok(())),
        (&[read, ("PORTCULLIS_GRANTED_WILDCARDS", ISSUER.1)], patterns(), Ok(())),
        (
            &[read, ("PORTCULLIS_SCOPE_CLAIMS", "permissions scope")],
            json!({ "permissions": ["orders.read"] }),
            Ok(()),
        ),
        (
            &[("PORTCULLIS_REQUIRED_CLAIMS", "tnt_id=acme client_id=c1")],
            json!({ "tnt_id": "acme" }),
            Ok(()),
        ),
        (
            &[("PORTCULLIS_REQUIRED_CLAIMS", "tnt_id=acme client_id=c1")],
            json!({ "tnt_id": "other" }),
            Err(RequiredClaimNotMet),
        ),
        (
            &[
                ("PORTCULLIS_SKIP_AUDIENCE", "dangerously"),
                ("PORTCULLIS_REQUIRED_CLAIMS", "client_id=c1"),
            ],
            json!({ "aud": null }),
            Ok(()),
        ),
    ] {
        let server = build(&[&[("PORTCULLIS_JWKS", &*keys)], vars].concat());
        let token = fixture.at(changes.clone());
        assert_eq!(verdict(&server, &token).await, expected, "{vars:?} {changes}");
    }
}

async fn fake_as(key: &Key) -> ScriptedAs {
    let keys = key.jwks();
    ScriptedAs::start(move |asked| match asked.path() {
        "/.well-known/oauth-authorization-server" => {
            Reply::metadata(asked.origin(), &format!("{}/jwks", asked.origin()))
        }
        "/jwks" => Reply::json(keys.clone()),
        _ => Reply::hang(),
    })
    .await
}

#[tokio::test]
async fn several_issuers_are_discovered_and_each_grants_patterns_or_not() {
    let key = Key::new("k");
    let (plain, patterns) = (fake_as(&key).await, fake_as(&key).await);
    let issuers = format!("{}\n{}", plain.origin, patterns.origin);
    let server = build_with(&[
        ("PORTCULLIS_ISSUER", &issuers),
        ("PORTCULLIS_GRANTED_WILDCARDS", &patterns.origin),
        ("PORTCULLIS_REQUIRED_SCOPES", "orders.read"),
        AUDIENCE,
    ]);
    let token = |issuer: &str| {
        let changes = json!({ "iss": issuer, "scope": "orders.*" });
        key.sign(&changed(Fixture::new().claims(), changes))
    };
    assert_eq!(verdict(&server, &token(&patterns.origin)).await, Ok(()));
    let refused = verdict(&server, &token(&plain.origin)).await;
    assert_eq!(refused, Err(RejectionKind::InsufficientScope));
}

#[tokio::test]
async fn the_resource_is_the_default_audience_and_realm() {
    let fixture = Fixture::new();
    let keys = fixture.key.jwks();
    let resource = "https://rs.example/mcp";
    let vars = [ISSUER, ("PORTCULLIS_JWKS", &*keys), ("PORTCULLIS_RESOURCE", resource)];
    let server = build_with(&vars);
    assert_eq!(verdict(&server, &fixture.at(json!({ "aud": resource }))).await, Ok(()));
    assert_eq!(verdict(&server, &fixture.good()).await, Err(RejectionKind::WrongAudience));
}

#[tokio::test]
async fn a_key_file_is_read_again_when_it_changes() {
    let (first, second) = (Key::new("first"), Key::new("second"));
    let claims = Fixture::new().claims();
    let file = TempFile::new("rotated", first.jwks());
    let server = build(&[("PORTCULLIS_JWKS_FILE", file.path())]);
    assert_eq!(verdict(&server, &first.sign(&claims)).await, Ok(()));

    file.write(second.jwks());
    assert_eq!(verdict(&server, &second.sign(&claims)).await, Ok(()));
    assert_eq!(verdict(&server, &first.sign(&claims)).await, Err(RejectionKind::UnknownKey));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn logged(vars: &[(&str, &str)]) -> String {
    logged_by(|| drop(super::with(vars)))
}

fn logged_by(action: impl FnOnce()) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    tracing::subscriber::with_default(subscriber, action);
    let log = log.0.lock().unwrap();
    String::from_utf8_lossy(&log).into_owned()
}

#[test]
fn what_weakens_the_checks_is_warned_about_once_it_is_in_force() {
    let skip = ("PORTCULLIS_SKIP_AUDIENCE", "dangerously");
    let http = ("PORTCULLIS_ALLOW_HTTP", "dangerously");
    let claims = ("PORTCULLIS_REQUIRED_CLAIMS", "client_id=hunter2");
    let both = logged(&[skip, http, claims]);
    assert_eq!(both.matches("WARN").count(), 2, "{both}");
    assert!(both.contains("PORTCULLIS_SKIP_AUDIENCE=dangerously: "), "{both}");
    assert!(both.contains("PORTCULLIS_ALLOW_HTTP=dangerously: "), "{both}");
    assert!(!both.contains("hunter2"), "{both}");
    assert_eq!(logged(&[skip, http]), "", "refused");
    assert_eq!(logged(&[("PORTCULLIS_ALLOW_HTTP", "loopback")]), "");
    // Judging a key set leaves no line about keys that build() is going to log.
    assert_eq!(logged(&SECRETS), "");
}

/// Neither judging the variables nor a server that fetches no keys looks at it.
#[test]
fn the_file_of_last_good_keys_is_read_when_the_server_is_built() {
    let damaged = TempFile::new("damaged-snapshot", "{");
    let snapshot = ("PORTCULLIS_JWKS_SNAPSHOT", damaged.path());
    assert_eq!(logged(&[snapshot]), "");

    let built = |vars: &[_]| {
        let builder = super::with(vars).unwrap();
        logged_by(|| drop(builder.build().unwrap()))
    };
    let log = built(&[snapshot]);
    assert_eq!(log.matches("WARN").count(), 1, "{log}");
    assert!(log.contains(damaged.path()) && log.contains("not one JSON object"), "{log}");
    let log = built(&[&SECRETS[..], &[snapshot]].concat());
    assert!(!log.contains(damaged.path()), "{log}");
    assert_eq!(std::fs::read(damaged.path()).unwrap(), b"{");

    let log = built(&[("PORTCULLIS_JWKS_SNAPSHOT", "a-file-that-is-not-there-yet.json")]);
    assert!(!log.contains("WARN"), "{log}");
}

#[test]
fn mcp_02_mcp_09_mcp_10_the_document_is_as_the_variables_want_it() {
    let vars = [
        ISSUER,
        ("PORTCULLIS_RESOURCE", "HTTPS://RS.example/mcp/"),
        ("PORTCULLIS_SCOPES_SUPPORTED", "read\twrite offline_access"),
        ("PORTCULLIS_MCP", "on"),
    ];
    let server = ResourceServerBuilder::from_vars(vars).unwrap().build().unwrap();
    let metadata = server.metadata().unwrap();
    assert_eq!(metadata.url(), "https://rs.example/.well-known/oauth-protected-resource/mcp");
    assert_eq!(metadata.paths().count(), 2);
    assert!(metadata.json().contains(r#""resource":"https://rs.example/mcp","#));
    assert!(metadata.json().contains(r#""scopes_supported":["read","write"]"#));
}
