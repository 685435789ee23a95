//! Decisions and what they advertise. `properties.rs` checks the same against their definitions.

mod properties;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;
use crate::access_token::{AccessToken, Caller, ServerMark, Verified};
use crate::clock::{Clock, NumericDate};
use crate::scope::{
    Ceiling, GrantRules, GrantedScopes, Hierarchy, InvalidScope, Scope, ScopePattern, Wildcards,
};

const PASS: Result<(), Denial> = Ok(());
const INSUFFICIENT: Result<(), Denial> = Err(Denial::InsufficientScope);
const FORBIDDEN: Result<(), Denial> = Err(Denial::Forbidden);

/// A token of the person `subject`, got through the client `c1`.
fn token_of(subject: &str, granted: GrantedScopes, claims: &str) -> AccessToken {
    AccessToken::assertion(Verified {
        server: ServerMark::new(Arc::new(())),
        issuer: "https://as.example".into(),
        subject: Some(subject.into()),
        client_id: Some("c1".into()),
        caller: if subject == "c1" { Caller::Client } else { Caller::User }.into(),
        expires_at: NumericDate::new(2e9).unwrap(),
        good_until: NumericDate::new(2e9).unwrap(),
        granted,
        binding: None,
        claims: claims.into(),
    })
}

/// It is 1970, with a second for each of the clock's.
struct At(u64);

impl Clock for At {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0)
    }
}

fn authorize(requirement: &Requirement, token: &AccessToken) -> Result<(), Denial> {
    super::authorize(requirement, token, &At(0))
}

fn token_with(text: &str, rules: GrantRules) -> AccessToken {
    token_of("u1", GrantedScopes::from_text(text, &Arc::new(rules)).unwrap(), "{}")
}

fn token(text: &str) -> AccessToken {
    token_with(text, GrantRules::default())
}

fn ceiling(text: &str) -> GrantRules {
    GrantRules { ceiling: Some(Ceiling::from_config(text).unwrap()), ..GrantRules::default() }
}

fn advertised(requirement: &Requirement) -> String {
    requirement.advertised().unwrap_or_default()
}

#[test]
fn scope_02_all_required_elements_in_any_order() {
    let both = scope("read").and(scope("write"));
    assert_eq!(authorize(&both, &token("write x read")), PASS);
    assert_eq!(authorize(&both, &token("write x")), INSUFFICIENT);
}

#[test]
fn scope_01_08_too_little_scope_is_insufficient_scope() {
    for text in ["write", "READ", "reads", "", "x\tread", "x\u{a0}read", "r\"ead"] {
        assert_eq!(authorize(&scope("read"), &token(text)), INSUFFICIENT, "{text:?}");
    }
}

#[test]
fn scope_05_a_token_without_scope_passes_where_none_is_required() {
    assert_eq!(authorize(&Requirement::default(), &token("")), PASS);
    assert_eq!(authorize(&all_of([] as [Requirement; 0]), &token("")), PASS);
}

#[test]
fn list_vectors_l08_to_l18() {
    let p2 = || GrantRules { wildcards: Wildcards::Overlap, ..GrantRules::default() };
    let p2_below_a = || GrantRules { wildcards: Wildcards::Overlap, ..ceiling("a*") };
    let none = GrantRules::default;
    for (row, rules, text, required, expected) in [
        ("L08", none(), "read\u{a0}admin", scope("admin"), INSUFFICIENT),
        ("L09", none(), "read\tadmin", scope("admin"), INSUFFICIENT),
        ("L10", none(), " read  write ", scope("write"), PASS),
        ("L11", none(), "files:*", scope("files:read"), INSUFFICIENT),
        ("L12", none(), "files:*", scope("files:*"), PASS),
        ("L13", none(), "*", scope("read"), INSUFFICIENT),
        ("L14 issuer A", p2(), "files:*", scope("files:read"), PASS),
        ("L14 issuer B", none(), "files:*", scope("files:read"), INSUFFICIENT),
        ("L15 abc", ceiling("a*"), "abc xyz", scope("abc"), PASS),
        ("L15 xyz", ceiling("a*"), "abc xyz", scope("xyz"), FORBIDDEN),
        ("L16 abc", p2_below_a(), "*", scope("abc"), PASS),
        ("L16 xyz", p2_below_a(), "*", scope("xyz"), FORBIDDEN),
        ("L17", none(), "push.send", scope_pattern("push.*"), PASS),
        ("L18", none(), "", scope_pattern("*"), INSUFFICIENT),
    ] {
        assert_eq!(authorize(&required, &token_with(text, rules)), expected, "{row}");
    }
}

#[test]
fn scope_11_a_declared_hierarchy_is_applied_and_not_advertised() {
    let element = |text| Scope::new(text).unwrap();
    let rules = |wildcards| GrantRules {
        wildcards,
        hierarchy: Hierarchy::new([(element("admin"), vec![element("read")])]),
        ceiling: None,
    };
    let read = scope("read");
    assert_eq!(authorize(&read, &token_with("admin", rules(Wildcards::Off))), PASS);
    assert_eq!(authorize(&read, &token_with("x", rules(Wildcards::Off))), INSUFFICIENT);
    assert_eq!(advertised(&read), "read");
}

#[test]
fn at_11_the_kind_of_caller_may_be_demanded() {
    let granted = GrantedScopes::default;
    let person = token_of("u1", granted(), "{}");
    let client = token_of("c1", granted(), "{}");
    for (required, by_person, by_client) in [
        (users(), PASS, FORBIDDEN),
        (clients(), FORBIDDEN, PASS),
        (users().or(clients()), PASS, PASS),
        (users().or(scope("machine")), PASS, INSUFFICIENT),
        (users().and(scope("read")), INSUFFICIENT, INSUFFICIENT),
    ] {
        assert_eq!(authorize(&required, &person), by_person, "{required:?}, a person");
        assert_eq!(authorize(&required, &client), by_client, "{required:?}, a client");
    }
}

#[test]
fn at_12_roles_are_for_policies_and_never_scope() {
    let claims = r#"{"scope":"","roles":["read"]}"#;
    let token = token_of("u1", GrantedScopes::default(), claims);
    let has_role = policy(|token| {
        token.claim("roles").is_ok_and(|roles: Option<Vec<String>>| {
            roles.is_some_and(|roles| roles.iter().any(|role| role == "read"))
        })
    });
    assert_eq!(authorize(&scope("read"), &token), INSUFFICIENT);
    assert_eq!(authorize(&has_role, &token), PASS);
}

#[test]
fn pipe_01_f62_f67_scope_is_judged_before_rules() {
    let (yes, no) = (|| policy(|_| true), || policy(|_| false));
    for (required, text, expected) in [
        (scope("a").and(yes()), "a", PASS),
        (scope("a").and(yes()), "b", INSUFFICIENT),
        (scope("a").and(no()), "a", FORBIDDEN),
        (scope("a").and(no()), "b", INSUFFICIENT),
        (no().and(scope("a")), "b", INSUFFICIENT),
        (scope("a").or(no()), "b", INSUFFICIENT),
        (no().or(scope("a")), "a", PASS),
        (scope("a").and(no()).or(scope("b")), "c", INSUFFICIENT),
        (any_of([] as [Requirement; 0]), "a", FORBIDDEN),
        (no().or(Requirement::none()), "", PASS),
    ] {
        assert_eq!(authorize(&required, &token(text)), expected, "{required:?}, {text:?}");
    }
}

#[test]
fn wild_13_a_refusal_by_the_ceiling_asks_for_nothing() {
    for (allowed, text, required, expected) in [
        ("a*", "xyz", scope("xyz"), FORBIDDEN),
        ("a*", "", scope("xyz"), FORBIDDEN),
        ("a*", "", scope("abc"), INSUFFICIENT),
        ("a*", "abc", scope("abc").and(scope("xyz")), FORBIDDEN),
        ("a*", "xyz", scope("abc").or(scope("xyz")), INSUFFICIENT),
        ("a*", "xyz", scope_pattern("x*"), FORBIDDEN),
        ("b", "", any_of([scope_pattern("*"), scope("ab")]).and(scope_pattern("*b")), FORBIDDEN),
        ("push.send", "push.delete", scope_pattern("push.*"), INSUFFICIENT),
    ] {
        let verdict = authorize(&required, &token_with(text, ceiling(allowed)));
        assert_eq!(verdict, expected, "allowed {allowed}, token {text:?}, {required:?}");
    }
}

#[test]
fn a_policy_is_not_asked_where_scope_decides() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let counting = policy(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        true
    });
    assert_eq!(authorize(&scope("a").and(counting.clone()), &token("")), INSUFFICIENT);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(authorize(&scope("a").or(counting), &token("a")), PASS);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[test]
fn scope_09_10_12_wild_10_12_what_is_advertised() {
    let list = |text| Requirement::from_config(text).unwrap();
    for (row, required, expected) in [
        ("SCOPE-09: the whole set", list("read write"), "read write"),
        ("SCOPE-09: configured order", list("write read"), "write read"),
        ("SCOPE-09: no duplicates", list("b a b").and(list("a c")), "b a c"),
        ("SCOPE-12: before any token is seen", scope("read"), "read"),
        ("nothing required", Requirement::none(), ""),
        ("no scope required", users().and(policy(|_| true)), ""),
        ("SCOPE-10: the first", list("a b").or(scope("c")), "a b"),
        ("SCOPE-10: in place", any_of([list("a b"), list("c")]).and(scope("d")), "a b d"),
        ("SCOPE-10: the next concrete one", list("push.*").or(scope("root")), "root"),
        ("SCOPE-10: wholly before partly", list("a push.*").or(list("b")), "b"),
        ("SCOPE-10: partly before nothing", list("push.*").or(list("a b.*")), "a"),
        ("SCOPE-10: no alternative is concrete", list("push.*").or(list("b.*")), ""),
        ("SCOPE-10: callers name no scope", users().or(scope("machine")), "machine"),
        ("WILD-10", list("push.application.a"), "push.application.a"),
        ("WILD-12: only a pattern", list("push.*"), ""),
        ("WILD-12: beside a pattern", list("read push.*"), "read"),
        ("a literal star can be asked for", scope("files:*"), "files:*"),
        ("a pattern without star is a scope", scope_pattern("read"), "read"),
    ] {
        assert_eq!(advertised(&required), expected, "{row}");
    }
}

#[test]
fn wild_11_challenge_scope_stands_in_for_patterns() {
    let list = |text| Requirement::from_config(text).unwrap();
    let push = || scope_pattern("push.*");
    for (row, required, expected) in [
        ("WILD-11", push().challenge_scope("push.send"), "push.send"),
        ("in its place", list("push.* read").challenge_scope("push.send"), "push.send read"),
        ("the whole set", list("read push.*").challenge_scope("read push.send"), "read push.send"),
        ("more than is needed", push().challenge_scope("push.send openid"), "push.send openid"),
        ("two patterns", list("a.* b.*").challenge_scope("a.x b.y"), "a.x b.y"),
        ("one for both", list("a* *b").challenge_scope("ab"), "ab"),
        ("first alternative", push().or(scope("root")).challenge_scope("push.send"), "push.send"),
        ("second one", list("a.*").or(push()).challenge_scope("push.send"), "push.send"),
        ("of one part", push().challenge_scope("push.send").and(list("b.*")), "push.send"),
        (
            "nested",
            push().challenge_scope("push.send").and(list("b.*")).challenge_scope("b.x"),
            "push.send b.x",
        ),
        (
            "flattening keeps it with its own part",
            all_of([list("a b.*"), push().challenge_scope("push.send")]),
            "a push.send",
        ),
    ] {
        assert_eq!(advertised(&required), expected, "{row}");
        // It changes what is advertised, not what is required.
        assert_eq!(authorize(&required, &token("")), INSUFFICIENT, "{row}");
    }
}

#[test]
fn wild_11_challenge_scope_has_to_satisfy_the_requirement() {
    let fault = |required: Requirement, scopes| {
        required.try_challenge_scope(scopes).unwrap_err().to_string()
    };
    let list = |text| Requirement::from_config(text).unwrap();
    let no_pattern = "no pattern of the requirement matches any of these";
    let not_enough = "a token with the advertised scopes would not meet the requirement";
    assert_eq!(fault(list("push.*"), "pull.send"), no_pattern);
    assert_eq!(fault(list("push.*"), ""), no_pattern);
    assert_eq!(fault(list("read"), "read"), no_pattern);
    assert_eq!(fault(scope("root").or(list("push.*")), "nonsense"), no_pattern);
    assert_eq!(fault(list("push.* b.*"), "push.send"), not_enough);
    assert_eq!(fault(list("b.* push.*"), "push.send"), not_enough);
    assert_eq!(
        fault(list("push.*"), "push.send a\"b é"),
        "element 2: character 2 is a double quote, which no scope element may hold; \
         element 3: character 1 is outside US-ASCII, which no scope element may hold"
    );
}

#[test]
fn configured_lists_hold_patterns_and_report_every_fault() {
    let required = Requirement::from_config("read\tpush.*\n").unwrap();
    assert_eq!(authorize(&required, &token("read push.x")), PASS);
    assert_eq!(authorize(&required, &token("read push.*")), PASS);
    assert_eq!(authorize(&required, &token("read push")), INSUFFICIENT);
    assert_eq!(authorize(&Requirement::from_config(" \t").unwrap(), &token("")), PASS);

    let faults = Requirement::from_config("é ok a\"b*").unwrap_err();
    let faults: Vec<String> = faults.iter().map(InvalidScope::to_string).collect();
    assert_eq!(faults.len(), 2);
    assert!(faults[0].starts_with("element 1: ") && faults[1].starts_with("element 3: "));
}

#[test]
fn wild_08_a_requirement_lists_at_most_64_patterns() {
    assert!(Requirement::list(["a*"; 64]).is_ok());
    assert!(Requirement::list(["a"; 65]).is_ok());
    let faults = Requirement::list(["a*"; 65]).unwrap_err();
    assert_eq!(faults[0].to_string(), "a list of 65 scope patterns; 64 are allowed");
}

#[test]
fn text_known_at_run_time_is_checked_and_taken_literally() {
    let literal = Requirement::from(Scope::new("a*").unwrap());
    assert_eq!(authorize(&literal, &token("ab")), INSUFFICIENT);
    let pattern = Requirement::from(ScopePattern::new("a*").unwrap());
    assert_eq!(authorize(&pattern, &token("ab")), PASS);
    assert_eq!(authorize(&users().and(Scope::new("b").unwrap()), &token("b")), PASS);
}

#[test]
#[should_panic(expected = "\"a b\": character 2 is a space")]
fn a_bad_scope_literal_panics() {
    let _ = scope("a b");
}

#[test]
#[should_panic(expected = "\"é*\": character 1 is outside US-ASCII")]
fn a_bad_pattern_literal_panics() {
    let _ = scope_pattern("é*");
}

#[test]
#[should_panic(expected = "\"pull.x\": no pattern of the requirement matches")]
fn a_challenge_scope_literal_that_does_not_fit_panics() {
    let _ = scope_pattern("push.*").challenge_scope("pull.x");
}

#[test]
fn debug_shows_the_tree() {
    let required = users().and(policy(|_| true));
    assert_eq!(format!("{required:?}"), "Requirement(AllOf([Fact(User), Policy(policy)]))");
}
