//! Asking with an access token of our own, as IBM MobileFirst wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis::{Introspection, Issuer, RejectionKind, ResourceServer};
use serde_json::json;
use tokio::task::JoinSet;

use super::support::fixture::{Expected, ISSUER, bearer, send};
use super::support::scripted_as::{Asked, Reply, ScriptedAs};
use super::{OPAQUE, PATH, active, answering, builder};

const TOKEN: &str = "/token";

/// Gives tokens `own-1`, `own-2` …, and takes only the newest.
async fn renewing(is_taken: impl Fn(usize) -> bool + Send + Sync + 'static) -> ScriptedAs {
    let newest = AtomicUsize::new(0);
    answering(move |asked| match asked.path() {
        TOKEN => {
            let number = newest.fetch_add(1, Ordering::Relaxed) + 1;
            own(number)
        }
        _ => {
            let number = newest.load(Ordering::Relaxed);
            let field = format!("Bearer own-{number}");
            if asked.header("authorization") == Some(&*field) && is_taken(number) {
                Reply::json(active(json!({})).to_string())
            } else {
                Reply::status(401)
            }
        }
    })
    .await
}

fn own(number: usize) -> Reply {
    let answer = json!({
        "access_token": format!("own-{number}"), "token_type": "bearer", "expires_in": 3599,
    });
    Reply::json(answer.to_string())
}

fn asking(fake: &ScriptedAs) -> Introspection {
    let (at, token) = (format!("{}{PATH}", fake.origin), format!("{}{TOKEN}", fake.origin));
    Introspection::at(at).bearer("rs", "rs-secret", token)
}

fn server(asking: Introspection) -> ResourceServer {
    builder(Issuer::introspected(ISSUER, asking)).token_cache(0).build().unwrap()
}

fn token_requests(fake: &ScriptedAs) -> Vec<Asked> {
    fake.requests().into_iter().filter(|asked| asked.path() == TOKEN).collect()
}

#[tokio::test]
async fn intro_03_our_own_token_is_got_once_and_used_for_every_question() {
    let fake = renewing(|_| true).await;
    let server = server(asking(&fake));
    for _ in 0..3 {
        server.verify(OPAQUE).await.unwrap();
    }
    let requests = token_requests(&fake);
    assert_eq!((requests.len(), fake.count(PATH)), (1, 3));
    let basic = format!("Basic {}", STANDARD.encode("rs:rs-secret"));
    assert_eq!(requests[0].method(), "POST");
    assert_eq!(requests[0].header("authorization"), Some(&*basic));
    assert_eq!(requests[0].form("grant_type").as_deref(), Some("client_credentials"));
    assert_eq!(requests[0].form("scope").as_deref(), Some("authorization.introspect"));
}

#[tokio::test]
async fn intro_03_the_scope_can_be_another_or_none() {
    for (scope, expected) in [("introspect.all", Some("introspect.all")), ("", None)] {
        let fake = renewing(|_| true).await;
        server(asking(&fake).service_scope(scope)).verify(OPAQUE).await.unwrap();
        assert_eq!(token_requests(&fake)[0].form("scope").as_deref(), expected);
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_and_the_question_asked_again() {
    let fake = renewing(|number| number == 2).await;
    server(asking(&fake)).verify(OPAQUE).await.unwrap();
    assert_eq!(fake.log(), [TOKEN, PATH, TOKEN, PATH]);
}

#[tokio::test]
async fn f41_a_second_401_is_an_outage() {
    let fake = renewing(|_| false).await;
    let server = server(asking(&fake));
    let kind = server.verify(OPAQUE).await.unwrap_err().kind();
    assert_eq!(kind, RejectionKind::IntrospectionUnavailable);
    assert_eq!(fake.log(), [TOKEN, PATH, TOKEN, PATH]);
    send(&server, bearer(OPAQUE)).await.is(Expected::Unavailable, "F41");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_at_once_shares_one_renewal() {
    let fake = renewing(|number| number == 2).await;
    let server = server(asking(&fake));
    let mut requests = JoinSet::new();
    for number in 0..40 {
        let server = server.clone();
        requests.spawn(async move { server.verify(&format!("token-{number}")).await.is_ok() });
    }
    assert!(requests.join_all().await.into_iter().all(|is_good| is_good));
    assert_eq!(fake.count(TOKEN), 2);
}

#[tokio::test]
async fn f41_no_token_of_our_own_is_an_outage_and_told_as_what_it_is() {
    super::support::log::start();
    let refused =
        |status: u16| Reply::new(status, "application/json", r#"{"error":"invalid_client"}"#);
    for (row, reply, told) in [
        ("400", refused(400), "refuses our credentials"),
        ("401", refused(401), "refuses our credentials"),
        ("500", Reply::status(500), "answered with status 500"),
        ("redirect", Reply::redirect(302, "/token"), "redirect"),
        ("HTML", Reply::new(200, "text/html", "<html>"), "without a usable bearer token"),
        ("no token", Reply::json("{}"), "without a usable bearer token"),
        (
            "another kind",
            Reply::json(r#"{"access_token":"x","token_type":"DPoP"}"#),
            "without a usable bearer token",
        ),
        ("line break", Reply::json(r#"{"access_token":"x\ny"}"#), "without a usable bearer token"),
    ] {
        let reply = Arc::new(reply);
        let fake = answering(move |asked| match asked.path() {
            TOKEN => Reply::clone(&reply),
            _ => Reply::json(active(json!({})).to_string()),
        })
        .await;
        let server = server(asking(&fake));
        let kind = server.verify(OPAQUE).await.unwrap_err().kind();
        assert_eq!(kind, RejectionKind::IntrospectionUnavailable, "{row}");
        assert_eq!(fake.count(PATH), 0, "{row}");
        let log = super::support::log::take().join("\n");
        assert!(log.contains(told), "{row}: {log}");
        assert!(!log.contains("rs-secret") && !log.contains("2Yotn"), "{row}: {log}");
    }
}

#[tokio::test]
async fn f41_credentials_that_are_refused_are_an_error_in_the_log_once() {
    super::support::log::start();
    let fake = answering(|_| Reply::status(401)).await;
    let issuer = Issuer::introspected(ISSUER, super::asking(&fake));
    let server = builder(issuer).token_cache(0).build().unwrap();
    for _ in 0..3 {
        server.verify(OPAQUE).await.unwrap_err();
    }
    let log = super::support::log::take().join("\n");
    assert_eq!(log.matches("ERROR").count(), 1, "{log}");
    assert!(log.contains("the introspection endpoint refuses our credentials"), "{log}");
    fake.answer_with(|_| Reply::json(active(json!({})).to_string()));
    server.verify(OPAQUE).await.unwrap();
    let log = super::support::log::take().join("\n");
    assert!(log.contains("tokens are introspected again"), "{log}");
}
