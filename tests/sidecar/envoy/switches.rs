//! Switches of Envoy that docs/envoy.md warns of, and what they do.

use super::gateway::{Gateway, asked_by_envoy};
use crate::support::{Connection, Upstream, authority, bearer, get};

/// The example with another line after `encode_raw_headers`, or in place of one.
async fn with(line: &str, instead: &str) -> Option<(Gateway, String)> {
    let authority = authority().await;
    let token = bearer(&authority.token().subject("u1"));
    let sidecar = asked_by_envoy(authority.issuer_url()).start();
    let edit = |example: String| {
        assert!(example.contains(instead), "{instead}");
        example.replace(instead, line)
    };
    Some((Gateway::with(sidecar, Upstream::start().await, edit)?, token))
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_05_failure_mode_allow_opens_the_door_when_we_are_gone() {
    let switch = ("failure_mode_allow: true", "failure_mode_allow: false");
    let Some((mut gateway, _)) = with(switch.0, switch.1).await else { return };
    // What we refuse stays refused.
    assert_eq!(get(gateway.address(), "/orders", "").status, 401);
    gateway.sidecar.signal("KILL");
    gateway.sidecar.wait();
    assert_eq!(get(gateway.address(), "/orders", "").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn mutation_rules_can_let_a_made_up_identity_pass() {
    let keep = "encode_raw_headers: true";
    let rules = "encode_raw_headers: true\n              decoder_header_mutation_rules: { disallow_all: true }";
    let Some((gateway, token)) = with(rules, keep).await else { return };
    let lines = format!("X-Auth-Subject: admin\r\n{token}");
    assert_eq!(get(gateway.address(), "/orders", &lines).status, 200);
    assert_eq!(gateway.service.take_one().field("x-auth-subject"), Some("admin"));
}

/// A body is of no use here. One that Envoy sends along is taken or refused, and opens nothing.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_come_along_are_limited() {
    let keep = "encode_raw_headers: true";
    let rules = "encode_raw_headers: true\n              with_request_body: { max_request_bytes: 1000000, allow_partial_message: true, pack_as_bytes: true }";
    let Some((gateway, token)) = with(rules, keep).await else { return };
    for (length, lines, status) in
        [(10_000, "", 401), (10_000, &*token, 200), (400_000, "", 431), (400_000, &token, 431)]
    {
        let mut connection = Connection::open(gateway.address());
        let head = format!(
            "POST /orders HTTP/1.1\r\nHost: api.example\r\nContent-Length: {length}\r\n{lines}\r\n"
        );
        connection.send(head.as_bytes());
        connection.send(&vec![b'a'; length]);
        assert_eq!(connection.answer().unwrap().status, status, "{length} {lines}");
        assert_eq!(gateway.seen().len(), usize::from(status == 200));
    }
}
