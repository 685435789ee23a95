//! One row for each thing that a client may send: what it gets, and what the service sees.

use std::net::TcpListener;

use portcullis::ClientCertificate;
use portcullis::testing::{Authority, Outage};

use super::gateway::{Gateway, asked_by_envoy};
use crate::support::{Upstream, authority, bearer, get};

const RULES: &str = r#"
[[rule]]
path = "/public"
public = true
[[rule]]
path = "/orders"
scopes = ["orders.read"]
[[rule]]
path = "/admin"
scopes = ["admin"]
"#;

const ALLOWED: &str = r#"portcullis_requests_total{outcome="allowed",reason=""}"#;

fn good(authority: &Authority) -> String {
    bearer(&authority.token().subject("u1").scope("orders.read"))
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_01_02_refusals_reach_clients_whole() {
    let authority = authority().await;
    let Some(gateway) = Gateway::start(&authority, RULES).await else { return };
    let token = || authority.token().scope("orders.read");
    let invalid =
        |error: &str, text: &str| format!(r#"error="{error}", error_description="{text}""#);
    let bad = |text| (401, invalid("invalid_token", text) + r#", scope="orders.read""#);
    let malformed = (400, invalid("invalid_request", "The Authorization header is malformed"));
    let weak = "The access token lacks scope that this request needs";
    for (row, lines, (status, challenge)) in [
        ("no token", String::new(), (401, r#"scope="orders.read""#.to_owned())),
        ("no JWT", "Authorization: Bearer x.y.z\r\n".into(), bad("The access token is malformed")),
        ("expired", bearer(&token().expired()), bad("The access token expired")),
        (
            "of a stranger",
            bearer(&token().signed_by_stranger()),
            bad("The signature of the access token cannot be verified"),
        ),
        (
            "envoy_04: bound to a certificate that was not shown",
            bearer(&token().bound_to(&ClientCertificate::from_der("own"))),
            bad("The access token is bound to a key that was not proven"),
        ),
        (
            "wrong scope",
            bearer(&authority.token().scope("other")),
            (403, invalid("insufficient_scope", weak) + r#", scope="orders.read""#),
        ),
        ("malformed", "Authorization: Bearer a b\r\n".into(), malformed.clone()),
        // Envoy joins them before it asks.
        ("two tokens", bearer(&token()).repeat(2), malformed.clone()),
    ] {
        let answer = get(gateway.address(), "/orders", &lines);
        assert_eq!(answer.status, status, "{row}");
        let challenge = format!(r#"Bearer realm="resource", {challenge}"#);
        assert_eq!(answer.field("www-authenticate"), Some(&*challenge), "{row}");
        assert_eq!(answer.field("content-type"), Some("application/problem+json"), "{row}");
        assert_eq!(answer.field("cache-control"), Some("no-store"), "{row}");
        assert!(
            answer.text().contains(&format!("\"status\":{status}")),
            "{row}: {}",
            answer.text()
        );
        assert!(gateway.seen().is_empty(), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_03_the_service_sees_who_calls_and_not_what_a_client_makes_up() {
    let authority = authority().await;
    let Some(gateway) = Gateway::start(&authority, RULES).await else { return };
    let spoofed = "X-Auth-Subject: admin\r\nX-Auth-Subject: root\r\nX-AUTH-SCOPE: admin\r\n\
                   X-Auth.Subject: admin\r\nX+Auth~Subject: admin\r\nDPoP: x\r\n\
                   X-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\nX-Forwarded-Uri: /admin\r\n\
                   X-Envoy-Original-Path: /admin\r\nX-HTTP-Method-Override: DELETE\r\n\
                   X-Forwarded-Host: evil.example\r\nX-Real-IP: 10.0.0.1\r\n\
                   Forwarded: for=10.0.0.1\r\nProxy: http://evil.example\r\n\
                   X-Remote-User: admin\r\nConnection: X-Auth-Subject\r\nAccept: text/plain\r\n";
    let lines = format!("{spoofed}{}", good(&authority));
    assert_eq!(get(gateway.address(), "/orders?x=%2F..&y", &lines).status, 200);
    let seen = gateway.service.take_one();
    assert_eq!(seen.uri, "/orders?x=%2F..&y");
    assert_eq!(seen.field("x-auth-subject"), Some("u1"));
    assert_eq!(seen.field("x-auth-scope"), Some("orders.read"));
    assert_eq!(seen.field("x-auth-issuer"), Some(authority.issuer_url()));
    assert_eq!(seen.field("accept"), Some("text/plain"));
    let own = ["host", "accept", "x-request-id", "x-forwarded-for", "x-forwarded-proto"];
    for name in seen.headers.keys().map(|name| name.as_str()) {
        let is_known = own.contains(&name) || name.starts_with("x-envoy-e");
        let is_ours = ["x-auth-subject", "x-auth-client-id", "x-auth-issuer", "x-auth-scope"];
        assert!(is_known || is_ours.contains(&name), "{name}: {:?}", seen.headers);
    }

    // Nobody is known on a public route, and nobody can say otherwise.
    assert_eq!(get(gateway.address(), "/public", &lines).status, 200);
    let seen = gateway.service.take_one();
    for name in ["x-auth-subject", "x-auth-scope", "x-auth.subject", "authorization", "dpop"] {
        assert_eq!(seen.field(name), None, "{name}");
    }
    // Which request it is, only its target says.
    for name in ["X-Original-URL", "X-Rewrite-URL", "X-Envoy-Original-Path", "X-Forwarded-Uri"] {
        let line = format!("{name}: /public\r\n");
        assert_eq!(get(gateway.address(), "/orders", &line).status, 401, "{name}");
        let line = format!("{name}: /orders\r\n{}", good(&authority));
        assert_eq!(get(gateway.address(), "/admin", &line).status, 403, "{name}");
    }
    let line = format!("X_Auth_Subject: admin\r\n{}", good(&authority));
    assert_eq!(get(gateway.address(), "/orders", &line).status, 400);
    assert!(gateway.seen().is_empty());
}

/// Without `headers_with_underscores_action`, and with fields that are not shown to us.
#[tokio::test(flavor = "multi_thread")]
async fn envoy_03_names_of_ours_go_even_where_envoy_does_not_show_them() {
    let authority = authority().await;
    let sidecar = asked_by_envoy(authority.issuer_url())
        .rules(RULES)
        .with("PORTCULLIS_FORWARD_TOKEN", "on")
        .start();
    let shown = "allowed_headers: { patterns: [{ exact: authorization, ignore_case: true }] }";
    let edit = |example: String| {
        let raw = "encode_raw_headers: true";
        example.replace(raw, shown).replace("REJECT_REQUEST\n\n", "ALLOW\n\n")
    };
    let Some(gateway) = Gateway::with(sidecar, Upstream::start().await, edit) else { return };
    let token = good(&authority);
    let lines = format!("X_Auth_Subject: admin\r\nX-Auth-Subject: admin\r\nDPoP: x\r\n{token}");
    for (path, subject) in [("/orders", Some("u1")), ("/public", None)] {
        assert_eq!(get(gateway.address(), path, &lines).status, 200);
        let seen = gateway.service.take_one();
        assert_eq!(seen.field("x-auth-subject"), subject, "{path}");
        assert_eq!(seen.field("x_auth_subject"), None, "{path}");
        // A token goes on where it was asked for, once it is verified.
        assert_eq!(seen.field("authorization").is_some(), subject.is_some(), "{path}");
        assert_eq!(seen.field("dpop").is_some(), subject.is_some(), "{path}");
    }
    // Two tokens come joined, which is none.
    assert_eq!(get(gateway.address(), "/orders", &token.repeat(2)).status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_05_without_keys_clients_get_503_and_never_pass() {
    let authority = authority().await;
    authority.set_outage(Outage::Everything);
    let sidecar = asked_by_envoy(authority.issuer_url()).rules(RULES).start_unready();
    let service = Upstream::start().await;
    let Some(gateway) = Gateway::with(sidecar, service, |example| example) else { return };
    let token = good(&authority);
    let answer = get(gateway.address(), "/orders", &token);
    assert_eq!(answer.status, 503);
    assert!(answer.field("retry-after").is_some());
    assert_eq!(answer.field("www-authenticate"), None);
    assert!(answer.text().contains("cannot be verified right now"), "{}", answer.text());
    // No key is needed for these.
    assert_eq!(get(gateway.address(), "/orders", "").status, 401);
    assert_eq!(get(gateway.address(), "/public", "").status, 200);
    assert_eq!(gateway.seen().len(), 1);
    authority.set_outage(Outage::None);
    gateway.sidecar.wait_for(|| gateway.sidecar.ask_admin("/readyz").status == 200, "ready");
    assert_eq!(get(gateway.address(), "/orders", &token).status, 200);
}

/// Envoy's own answer, after 200 ms, would be without `Retry-After`.
#[tokio::test(flavor = "multi_thread")]
async fn envoy_06_while_keys_are_slow_the_answer_is_still_ours() {
    let authority = authority().await;
    // Connections stay in its queue.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let keys = format!("http://{}/jwks", silent.local_addr().unwrap());
    let sidecar = asked_by_envoy(authority.issuer_url()).with("PORTCULLIS_JWKS_URI", &keys);
    let (sidecar, service) = (sidecar.start_unready(), Upstream::start().await);
    let Some(gateway) = Gateway::with(sidecar, service, |example| example) else { return };
    let answer = get(gateway.address(), "/orders", &good(&authority));
    assert_eq!(answer.status, 503);
    assert!(answer.field("retry-after").is_some(), "{:?}", answer.fields);
    assert!(answer.text().contains("cannot be verified right now"), "{}", answer.text());
    assert!(gateway.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_05_without_us_clients_get_503() {
    let authority = authority().await;
    let Some(mut gateway) = Gateway::start(&authority, RULES).await else { return };
    let token = good(&authority);
    assert_eq!(get(gateway.address(), "/orders", &token).status, 200);
    gateway.sidecar.signal("TERM");
    // What was decided before is answered, and then nothing is.
    assert!(gateway.sidecar.wait().success());
    gateway.seen();
    for path in ["/orders", "/public"] {
        assert_eq!(get(gateway.address(), path, &token).status, 503, "{path}");
    }
    assert!(gateway.seen().is_empty());
}

/// The log, the counts and the rules are as in every mode.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_is_told_as_of_any_request() {
    let authority = authority().await;
    let Some(gateway) = Gateway::start(&authority, RULES).await else { return };
    let token = format!("X-Request-Id: abc-1\r\n{}", good(&authority));
    assert_eq!(get(gateway.address(), "/orders?secret", &token).status, 200);
    assert_eq!(get(gateway.address(), "/public", "").status, 200);
    assert_eq!(get(gateway.address(), "/admin", &token).status, 403);
    for line in [
        " 127.0.0.1 GET /orders 200 allowed ",
        " 127.0.0.1 GET /public 200 public ",
        " 127.0.0.1 GET /admin 403 refused:insufficient_scope ",
    ] {
        gateway.sidecar.wait_for_stdout(line);
    }
    assert!(!gateway.sidecar.stdout().contains("secret"));
    assert_eq!(gateway.sidecar.metric(ALLOWED), 1);
    let rules = "[[rule]]\npath = \"/orders\"\npublic = true\n";
    std::fs::write(gateway.sidecar.file("PORTCULLIS_RULES"), rules).unwrap();
    gateway.sidecar.signal("HUP");
    gateway.sidecar.wait_for_stderr("rules: taken up");
    assert_eq!(get(gateway.address(), "/orders", "").status, 200);
    assert_eq!(get(gateway.address(), "/public", "").status, 401);
}
