//! Step-up (RFC 9470, SPEC §17): what a client sees when the person has to log in again.

mod support;

use std::time::Duration;

use portcullis::{RejectionKind, Requirement, acr, any_of, clients, max_age, policy, scope, users};
use serde_json::{Value, json};
use support::fixture::{Answer, Fixture, NOW, bearer, get, send_through};

const MINUTES: Duration = Duration::from_secs(300);

/// What the fixture says about a token with these claims to a route that needs this.
async fn ask(requirement: impl Into<Requirement>, claims: Value) -> Answer {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    send_through(&server, requirement, bearer(&fixture.at(claims))).await
}

#[track_caller]
fn steps_up(answer: &Answer, acr: Option<&str>, age: Option<&str>, scope: Option<&str>) {
    assert_eq!(answer.status(), 401, "{answer:?}");
    let challenge = answer.challenge();
    assert_eq!(challenge.parameter("error"), Some("insufficient_user_authentication"));
    assert_eq!(challenge.parameter("acr_values"), acr, "{challenge:?}");
    assert_eq!(challenge.parameter("max_age"), age, "{challenge:?}");
    assert_eq!(challenge.parameter("scope"), scope, "{challenge:?}");
    assert_eq!(challenge.parameter("realm"), Some("rs"));
    assert!(challenge.parameter("resource_metadata").is_some());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn step_01_f63_another_way_to_log_in_is_asked_for() {
    let answer = ask(acr("mfa"), json!({ "acr": "pwd" })).await;
    steps_up(&answer, Some("mfa"), None, None);
    assert_eq!(ask(acr("mfa"), json!({ "acr": "mfa" })).await.status(), 200);
}

#[tokio::test]
async fn step_02_any_one_of_the_values_will_do_and_all_are_told_in_order() {
    for (value, status) in [("a", 200), ("b", 200), ("c", 401), ("A", 401), ("a b", 401)] {
        let answer = ask(acr("b a"), json!({ "acr": value })).await;
        assert_eq!(answer.status(), status, "{value}");
        if status == 401 {
            steps_up(&answer, Some("b a"), None, None);
        }
    }
}

#[tokio::test]
async fn step_03_step_04_f63_a_login_may_be_so_old_and_no_older() {
    let fixture = Fixture::new();
    for (leeway, since, status) in [
        (0, 300, 200),
        (0, 301, 401),
        (0, 0, 200),
        (0, -1, 401),
        (60, 360, 200),
        (60, 361, 401),
        (60, -60, 200),
        (60, -61, 401),
    ] {
        let issuer = fixture.issuer().leeway(Duration::from_secs(leeway));
        let server = fixture.builder_with(issuer).build().unwrap();
        let token = fixture.at(json!({ "auth_time": i64::try_from(NOW).unwrap() - since }));
        let answer = send_through(&server, max_age(MINUTES), bearer(&token)).await;
        assert_eq!(answer.status(), status, "{leeway} {since}: {answer:?}");
        if status == 401 {
            steps_up(&answer, None, Some("300"), None);
        }
    }
}

#[tokio::test]
async fn step_05_what_is_missing_or_mistyped_is_not_enough() {
    for claim in [json!(null), json!(7), json!(["mfa"]), json!({ "mfa": true }), json!("")] {
        steps_up(&ask(acr("mfa"), json!({ "acr": claim })).await, Some("mfa"), None, None);
    }
    steps_up(&ask(acr("mfa"), json!({})).await, Some("mfa"), None, None);
    for claim in [json!(null), json!(NOW.to_string()), json!([NOW]), json!(-1), json!(true)] {
        let answer = ask(max_age(MINUTES), json!({ "auth_time": claim })).await;
        steps_up(&answer, None, Some("300"), None);
    }
    steps_up(&ask(max_age(MINUTES), json!({})).await, None, Some("300"), None);
}

#[tokio::test]
async fn step_06_f64_login_and_scope_are_asked_for_at_once() {
    let all = || scope("read").and(scope("admin")).and(acr("mfa")).and(max_age(MINUTES));
    let recent = json!(NOW - 10);
    let (ways, age, scopes) = (Some("mfa"), Some("300"), Some("read admin"));
    steps_up(&ask(all(), json!({ "scope": "read" })).await, ways, age, scopes);
    // A new login has to be all that is needed, and gets a token that has to grant all of it.
    let claims = json!({ "scope": "read admin", "acr": "mfa" });
    steps_up(&ask(all(), claims).await, ways, age, scopes);
    let claims = json!({ "scope": "read", "acr": "mfa", "auth_time": recent });
    let answer = ask(all(), claims).await;
    assert_eq!((answer.status(), answer.challenge().parameter("scope")), (403, scopes));
    assert_eq!(answer.challenge().parameter("error"), Some("insufficient_scope"));
    assert_eq!(answer.challenge().parameter("acr_values"), None);
    let claims = json!({ "scope": "admin read", "acr": "mfa", "auth_time": recent });
    assert_eq!(ask(all(), claims).await.status(), 200);
}

#[tokio::test]
async fn step_06_scope_is_named_even_where_other_401_do_not_name_it() {
    let fixture = Fixture::new();
    let server = fixture.builder().scope_on_401(false).build().unwrap();
    let needs = || scope("read").and(acr("mfa"));
    let answer = send_through(&server, needs(), bearer(&fixture.at(json!({ "scope": "x" })))).await;
    steps_up(&answer, Some("mfa"), None, Some("read"));
    let answer = send_through(&server, needs(), get(&[])).await;
    assert_eq!(answer.challenge().parameter("scope"), None);
}

#[tokio::test]
async fn step_07_strangers_do_not_learn_what_is_needed() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let needs = || acr("mfa").and(max_age(MINUTES)).and(scope("read"));
    let expired = fixture.at(json!({ "exp": NOW - 3_600, "acr": "pwd" }));
    let other = fixture.at(json!({ "aud": "https://other.example", "acr": "pwd" }));
    for request in [bearer(&expired), bearer(&other), get(&[]), get(&[b"Bearer"])] {
        let answer = send_through(&server, needs(), request).await;
        let challenge = answer.challenge();
        assert_ne!(challenge.parameter("error"), Some("insufficient_user_authentication"));
        assert_eq!(challenge.parameter("acr_values"), None, "{challenge:?}");
        assert_eq!(challenge.parameter("max_age"), None, "{challenge:?}");
    }
}

#[tokio::test]
async fn step_09_a_client_has_nobody_who_could_log_in() {
    for needs in [acr("mfa"), max_age(MINUTES), acr("mfa").and(scope("admin"))] {
        let answer = ask(needs, json!({ "sub": "c1" })).await;
        assert_eq!(answer.status(), 403, "{answer:?}");
        assert_eq!(answer.challenge().parameter("error"), None);
        assert_eq!(answer.challenge().parameter("acr_values"), None);
    }
    // What cannot be known is given a chance.
    assert_eq!(ask(acr("mfa"), json!({ "client_id": null })).await.status(), 401);
}

#[tokio::test]
async fn f67_rules_are_told_where_a_login_would_not_help() {
    let refused = ask(acr("mfa").and(policy(|_| false)), json!({ "acr": "mfa" })).await;
    assert_eq!((refused.status(), refused.challenge().parameter("error")), (403, None));
    let refused = ask(acr("mfa").and(clients()), json!({ "acr": "mfa" })).await;
    assert_eq!((refused.status(), refused.challenge().parameter("error")), (403, None));
}

#[tokio::test]
async fn alternatives_ask_for_what_is_easiest() {
    // More scope alone would do.
    let either = || any_of([scope("admin"), scope("read").and(acr("mfa"))]);
    let answer = ask(either(), json!({ "scope": "read" })).await;
    assert_eq!((answer.status(), answer.challenge().parameter("scope")), (403, Some("admin")));
    let claims = json!({ "scope": "read", "acr": "mfa" });
    assert_eq!(ask(either(), claims).await.status(), 200);
    // Nothing but logins: any one.
    let answer = ask(acr("a").or(acr("b a")).and(users()), json!({})).await;
    steps_up(&answer, Some("a b"), None, None);
    // Both ways of two demands, and the shorter time.
    let both = acr("a b").and(acr("b c")).and(max_age(MINUTES)).and(max_age(MINUTES * 2));
    steps_up(&ask(both, json!({})).await, Some("b"), Some("300"), None);
}

#[tokio::test]
async fn handlers_ask_as_layers_do() {
    let fixture = Fixture::new();
    let server = fixture.builder().required(scope("read")).build().unwrap();
    let token = server.verify(&fixture.at(json!({ "acr": "pwd" }))).await.unwrap();
    assert!(token.check(&acr("pwd")).is_ok() && token.allows(&acr("pwd")));
    assert!(!token.allows(&acr("mfa")));
    let refusal = token.check(&scope("write").and(acr("mfa")).and(scope("admin"))).unwrap_err();
    assert_eq!(refusal.kind(), RejectionKind::InsufficientUserAuthentication);
    assert_eq!((refusal.status().as_u16(), refusal.grpc_code()), (401, 16));
    let challenge = refusal.challenge().unwrap().to_str().unwrap();
    assert!(challenge.contains(r#"acr_values="mfa", scope="read write admin""#), "{challenge}");
}

#[test]
fn values_are_words_that_a_challenge_can_hold() {
    for (text, fault) in [
        ("", "there is no value"),
        (" ", "there is no value"),
        ("a \"b", "value 2: "),
        ("é", "value 1: "),
        ("a\\", "value 1: "),
    ] {
        let found = Requirement::try_acr(text).unwrap_err().to_string();
        assert!(found.starts_with(fault), "{text}: {found}");
    }
    assert!(Requirement::try_acr("urn:mace:incommon:iap:silver  phr").is_ok());
}

#[test]
#[should_panic(expected = "value 1")]
fn a_bad_literal_panics() {
    let _ = acr("é");
}
