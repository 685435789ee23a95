//! Faults of the metadata (RFC 8414): at first there are no keys, later the good ones stay.

use std::sync::Arc;
use std::time::Duration;

use portcullis::{Issuer, ResourceServer};
use serde_json::json;
use tokio::task::JoinSet;

use super::support::fixture::{Expected, Fixture, RESOURCE, bearer, send};
use super::support::scripted_as::{Asked, Reply, ScriptedAs};
use super::{JWKS, complaint, good_set};

/// A document of the authorization server at this origin, and what the operator reads about it.
type Case = (&'static str, fn(&str) -> Reply, &'static str);

const NOT_METADATA: &str = "not a JSON object with the strings \"issuer\" and \"jwks_uri\"";
const NOT_JSON: &str = "is not application/json";
const OTHER_ISSUER: &str = "names another issuer";
const NO_ADDRESS: &str = "its jwks_uri";
const ELSEWHERE: &str = "/elsewhere";

const CASES: [Case; 30] = [
    ("issuer with a slash", |at| naming(&format!("{at}/"), at), OTHER_ISSUER),
    ("issuer in capitals", |at| naming(&at.to_uppercase(), at), OTHER_ISSUER),
    ("issuer elsewhere", |at| naming("https://as.example", at), OTHER_ISSUER),
    ("no issuer", |at| Reply::json(json!({ "jwks_uri": at }).to_string()), NOT_METADATA),
    ("no jwks_uri", |at| Reply::json(json!({ "issuer": at }).to_string()), NOT_METADATA),
    (
        "http elsewhere",
        |at| Reply::metadata(at, "http://keys.example/jwks"),
        "its jwks_uri must be https",
    ),
    ("a file", |at| Reply::metadata(at, "file:///etc/passwd"), NO_ADDRESS),
    ("no URL", |at| Reply::metadata(at, JWKS), NO_ADDRESS),
    ("text/html", |at| Reply::new(200, "text/html", document(at)), NOT_JSON),
    ("garbage", |_| Reply::json("{\"issuer\":"), NOT_METADATA),
    ("nothing", |_| Reply::json(""), NOT_METADATA),
    ("null", |_| Reply::json("null"), NOT_METADATA),
    ("an array", |at| Reply::json(format!("[{}]", document(at))), NOT_METADATA),
    ("two documents", |at| Reply::json(document(at).repeat(2)), NOT_METADATA),
    ("a byte order mark", |at| Reply::json(format!("\u{feff}{}", document(at))), NOT_METADATA),
    (
        "issuer twice",
        |at| Reply::json(document(at).replacen('{', "{\"issuer\":\"\",", 1)),
        NOT_METADATA,
    ),
    ("not UTF-8", |at| Reply::json([document(at).as_bytes(), b"\xFF"].concat()), NOT_METADATA),
    (
        "too large",
        |at| Reply::json(document(at) + &" ".repeat(256 * 1024)),
        "larger than 262144 bytes",
    ),
    ("compressed", |at| good(at).header("content-encoding", "gzip"), "compressed body"),
    ("created", |at| Reply::new(201, "application/json", document(at)), "status 201"),
    ("not found", |_| Reply::status(404), "status 404"),
    ("busy", |_| Reply::status(503), "status 503"),
    ("redirect", |_| Reply::redirect(302, ELSEWHERE), "redirects are not followed"),
    ("cut short", |at| good(at).cut_short(), "end of file before message length"),
    ("hung up", |_| Reply::hang_up(), "closed before message completed"),
    ("another protocol", |_| Reply::raw("SSH-2.0-OpenSSH_9.6\r\n"), "invalid HTTP"),
    ("endless", |_| Reply::endless(" ".repeat(16 * 1024)), "larger than 262144 bytes"),
    ("no answer", |_| Reply::hang(), "within 5 s"),
    ("slow", |at| good(at).drip(Duration::from_millis(100)), "within 5 s"),
    ("late", |at| good(at).after(Duration::from_secs(60)), "within 5 s"),
];

fn naming(issuer: &str, at: &str) -> Reply {
    Reply::metadata(issuer, &format!("{at}{JWKS}"))
}

fn good(at: &str) -> Reply {
    naming(at, at)
}

fn document(at: &str) -> String {
    json!({ "issuer": at, "jwks_uri": format!("{at}{JWKS}") }).to_string()
}

/// Key sets are good throughout, and so is what a redirect leads to.
fn script(fixture: &Fixture, metadata: fn(&str) -> Reply) -> impl Fn(&Asked) -> Reply + use<> {
    let set = good_set(fixture);
    move |asked| match asked.path() {
        JWKS => set.clone(),
        ELSEWHERE => good(asked.origin()),
        _ => metadata(asked.origin()),
    }
}

fn discovering(fixture: &Fixture, fake: &ScriptedAs) -> (ResourceServer, String) {
    let issuer = Issuer::discover(&fake.origin).audience(RESOURCE);
    let token = fixture.at(json!({ "iss": fake.origin }));
    (fixture.builder_with(issuer).build().unwrap(), token)
}

async fn as_first_answer(fixture: Arc<Fixture>, (name, metadata, telling): Case) {
    let fake = ScriptedAs::start(script(&fixture, metadata)).await;
    let (server, token) = discovering(&fixture, &fake);
    send(&server, bearer(&token)).await.is(Expected::Unavailable, name);
    let said = complaint(server.load_keys().await, name);
    assert!(said.contains(telling), "{name}: {said}");
    assert!(said.contains("/.well-known/"), "{name}: {said}");
    assert_eq!((fake.count(JWKS), fake.count(ELSEWHERE)), (0, 0), "{name}");
    fake.idle().await;
}

async fn as_later_answer(fixture: Arc<Fixture>, (name, metadata, telling): Case) {
    let fake = ScriptedAs::start(script(&fixture, good)).await;
    let (server, token) = discovering(&fixture, &fake);
    server.load_keys().await.expect(name);
    fake.answer_with(script(&fixture, metadata));
    // The keys are still where they were.
    server.load_keys().await.expect(name);
    let told = loop {
        match server.keys().remove(0).metadata_error {
            Some(told) => break told,
            // Keys do not wait for metadata that takes its time.
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    assert!(told.contains(telling), "{name}: {told}");
    send(&server, bearer(&token)).await.is(Expected::Ok, name);
    assert_eq!(fake.count(ELSEWHERE), 0, "{name}");
}

#[tokio::test]
async fn disc_03_disc_04_disc_05_disc_07_f43_metadata_that_must_not_be_used() {
    let fixture = Arc::new(Fixture::new());
    let mut running = JoinSet::new();
    for case in CASES {
        running.spawn(as_first_answer(Arc::clone(&fixture), case));
        running.spawn(as_later_answer(Arc::clone(&fixture), case));
    }
    running.join_all().await;
}

#[tokio::test]
async fn the_first_document_that_is_wrong_is_the_one_that_is_told_of() {
    let fixture = Fixture::new();
    for (name, first, second, telling) in [
        ("wrong, then a page", "https://evil.example", Reply::new(200, "text/html", ""), "evil"),
        ("wrong, then not there", "https://evil.example", Reply::status(404), "evil"),
        ("not there, then a page", "", Reply::new(200, "text/html", ""), NOT_JSON),
    ] {
        let fake = ScriptedAs::start(move |asked| match asked.path() {
            "/.well-known/oauth-authorization-server" if first.is_empty() => Reply::status(404),
            "/.well-known/oauth-authorization-server" => naming(first, asked.origin()),
            _ => second.clone(),
        })
        .await;
        let (server, _) = discovering(&fixture, &fake);
        let said = complaint(server.load_keys().await, name);
        assert!(said.contains(telling), "{name}: {said}");
    }
}
