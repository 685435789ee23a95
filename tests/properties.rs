//! What holds for whatever clients send and operators configure: nothing panics, nothing is
//! answered with a 500, every refusal explains itself, and nothing passes that must not.

mod support;
#[allow(dead_code, unreachable_pub)]
#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use http::HeaderValue;
use portcullis::ResourceServer;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::fixture::{self, Answer, Fixture, ISSUER, NOW, RESOURCE};
use support::{challenge, json_facts};

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::new);
static SERVER: LazyLock<ResourceServer> = LazyLock::new(|| FIXTURE.builder().build().unwrap());

/// Sends these `Authorization` fields. With keys in the configuration there is nothing to wait
/// for, and no runtime either.
fn send(fields: &[&[u8]]) -> Answer {
    let answer = pin!(fixture::send(&SERVER, fixture::get(fields)));
    match answer.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("static keys leave nothing to wait for"),
    }
}

/// Whether the request passed. If not, its refusal is one of those that clients understand.
fn passes(fields: &[&[u8]]) -> Result<bool, TestCaseError> {
    let answer = send(fields);
    if answer.status() == 200 {
        return Ok(true);
    }
    prop_assert!(matches!(answer.status(), 400 | 401 | 403), "{answer:?}");
    let challenge = answer.challenge();
    prop_assert_eq!(challenge.scheme.as_str(), "Bearer");
    prop_assert!(!challenge.parameters.is_empty());
    Ok(false)
}

/// Everything that a field value can hold, with a tendency to credentials.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let any_byte = prop_oneof![Just(b'\t'), b' '..=b'~', 0x80..=0xFF_u8];
    let anything = prop::collection::vec(any_byte, 0..40);
    let scheme = prop::sample::select(&["", "Bearer", "bearer ", "Bearer  ", "Bearer\t", "DPoP "]);
    (scheme, prop_oneof![anything, "[A-Za-z0-9._~+/=-]{0,40}".prop_map(String::into_bytes)])
        .prop_map(|(scheme, rest)| [scheme.as_bytes(), &rest].concat())
}

/// JSON of any shape, with a tendency to values that mean something.
fn json_value() -> impl Strategy<Value = Value> {
    let known = [
        json!(ISSUER),
        json!(RESOURCE),
        json!("read"),
        json!("read write"),
        json!("at+jwt"),
        json!("JWT"),
        json!("ES256"),
        json!("none"),
        json!("k1"),
        json!(""),
        json!(null),
        json!(NOW - 60),
        json!(NOW - 59),
        json!(NOW + 60),
        json!(NOW + 61),
        json!(1e300),
        json!(-1),
        json!([]),
        json!({}),
        json!([RESOURCE]),
        json!(["x", RESOURCE]),
        json!(["read"]),
        json!({ "jkt": "t" }),
    ];
    let leaf = prop_oneof![
        3 => prop::sample::select(known.to_vec()),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{0,3}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A few members of these names put into an object, or taken out of it.
fn changes(names: &'static [&'static str]) -> impl Strategy<Value = Vec<(String, Option<Value>)>> {
    let name = prop_oneof![
        4 => prop::sample::select(names).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec((name, prop::option::weighted(0.9, json_value())), 0..3)
}

fn changed(object: Value, changes: Vec<(String, Option<Value>)>) -> Map<String, Value> {
    let Value::Object(mut object) = object else { panic!("not an object") };
    for (name, value) in changes {
        match value {
            Some(value) => drop(object.insert(name, value)),
            None => drop(object.remove(&name)),
        }
    }
    object
}

/// Seconds from now, around the leeway of a minute; a quarter is exact in floating point.
fn quarters() -> impl Strategy<Value = f64> {
    prop_oneof![-250..=250_i32, -241..=-239_i32, 239..=241_i32]
        .prop_map(|quarters| f64::from(quarters) / 4.0)
}

const HEADER: &[&str] =
    &["alg", "kid", "typ", "cty", "crit", "b64", "jku", "jwk", "x5c", "x5u", "zip"];
const CLAIMS: &[&str] = &[
    "iss",
    "aud",
    "exp",
    "nbf",
    "iat",
    "sub",
    "client_id",
    "azp",
    "jti",
    "scope",
    "scp",
    "cnf",
    "nonce",
    "at_hash",
    "c_hash",
    "events",
    "typ",
];

/// What any token has to bring that passes, told by its header and claims.
fn may_pass(header: &Map<String, Value>, claims: &Map<String, Value>) -> bool {
    let number = |name: &str| claims.get(name).map(|claim| claim.as_f64().unwrap_or(f64::NAN));
    let now = NOW as f64;
    let in_time = number("exp").is_some_and(|exp| exp > now - 60.0)
        && number("nbf").is_none_or(|nbf| nbf <= now + 60.0)
        && number("iat").is_none_or(|iat| iat <= now + 60.0);
    let for_us = match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.contains(&json!(RESOURCE)),
        Some(audience) => audience == RESOURCE,
        None => false,
    };
    let has_scope = ["scope", "scp"].iter().find_map(|name| claims.get(*name)).is_some_and(
        |scope| match scope {
            Value::String(scope) => scope.split(' ').any(|element| element == "read"),
            Value::Array(elements) => elements.contains(&json!("read")),
            _ => false,
        },
    );
    let of_another_kind = ["cnf", "nonce", "at_hash", "c_hash", "events"]
        .iter()
        .any(|name| claims.contains_key(*name));
    header.get("alg") == Some(&json!("ES256"))
        && header.get("kid").is_none_or(|kid| kid == "k1")
        && !header.contains_key("crit")
        && !header.contains_key("b64")
        && claims.get("iss") == Some(&json!(ISSUER))
        && in_time
        && for_us
        && has_scope
        && !of_another_kind
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn chal_01_chal_09_any_field_is_answered(fields in prop::collection::vec(field(), 0..3)) {
        let fields: Vec<_> = fields.iter().map(Vec::as_slice).collect();
        prop_assert!(fields.iter().all(|field| HeaderValue::from_bytes(field).is_ok()));
        prop_assert!(!passes(&fields)?);
    }

    #[test]
    fn chal_01_chal_09_any_signed_token_is_answered(
        header in changes(HEADER),
        claims in changes(CLAIMS),
    ) {
        let header = changed(FIXTURE.header(), header);
        let claims = changed(FIXTURE.claims(), claims);
        let token = FIXTURE.key.sign_json(&header.clone().into(), &claims.clone().into());
        let passed = passes(&[format!("Bearer {token}").as_bytes()])?;
        prop_assert!(!passed || may_pass(&header, &claims), "{header:?} {claims:?}");
    }

    #[test]
    fn jwt_01_jwt_02_jwt_03_lifetimes_are_judged_to_the_fraction(
        expires in quarters(),
        others in prop::collection::hash_map(prop::sample::select(&["nbf", "iat"]), quarters(), 0..3),
    ) {
        let mut claims = FIXTURE.claims();
        claims["exp"] = json!(NOW as f64 + expires);
        for (name, start) in &others {
            claims[name] = json!(NOW as f64 + start);
        }
        let token = FIXTURE.key.sign_json(&FIXTURE.header(), &claims);
        let in_time = expires > -60.0 && others.values().all(|start| *start <= 60.0);
        prop_assert_eq!(passes(&[format!("Bearer {token}").as_bytes()])?, in_time);
    }

    #[test]
    fn jwt_07_any_signed_bytes_are_answered(
        header in prop_oneof![
            Just(FIXTURE.header().to_string().into_bytes()),
            any::<Vec<u8>>(),
            r#"\{"alg":"ES256","[a-z]{0,2}":[\[\]{}",:0-9a-z\\]{0,20}\}"#.prop_map(String::into_bytes),
        ],
        claims in prop_oneof![
            Just(FIXTURE.claims().to_string().into_bytes()),
            any::<Vec<u8>>(),
            r#"\{"iss":"https://as.example","[a-z]{0,2}":[\[\]{}",:0-9a-z\\]{0,20}\}"#
                .prop_map(String::into_bytes),
        ],
    ) {
        let is_good = header == FIXTURE.header().to_string().as_bytes()
            && claims == FIXTURE.claims().to_string().as_bytes();
        let token = FIXTURE.key.sign_bytes(&header, &claims);
        // Other headers may happen to be good, other claims lack an audience.
        let passed = passes(&[format!("Bearer {token}").as_bytes()])?;
        prop_assert!(!is_good || passed);
        prop_assert!(!passed || claims == FIXTURE.claims().to_string().as_bytes());
    }

    #[test]
    fn jws_04_jws_13_any_change_of_a_good_token_is_noticed(
        at in any::<prop::sample::Index>(),
        removed in 0..2_usize,
        inserted in "[A-Za-z0-9_.-]{0,2}",
    ) {
        static GOOD: LazyLock<String> = LazyLock::new(|| FIXTURE.good());
        let at = at.index(GOOD.len());
        let mut token = GOOD.clone();
        token.replace_range(at..at + removed, &inserted);
        let passed = passes(&[format!("Bearer {token}").as_bytes()])?;
        prop_assert_eq!(passed, token == *GOOD);
    }

    #[test]
    fn chal_03_chal_08_challenges_read_back(
        realm in prop_oneof![4 => "[ -~]{1,40}", 1 => any::<String>()],
        error_uri in prop::option::of(prop_oneof!["[!#-\\[\\]-~]{1,40}", "[ -~é]{1,40}"]),
        scopes in prop::collection::vec("[!#-\\[\\]-~]{1,8}", 0..4),
    ) {
        let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
        targets::challenges_read_back(&realm, error_uri.as_deref(), &scopes);
    }
}
