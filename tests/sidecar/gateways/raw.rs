//! What no gateway should send, byte by byte.

use bytes::Bytes;
use http_body_util::Full;
use portcullis::testing::Outage;

use super::asked_about;
use crate::support::{Connection, Http2, authority, bearer, get, request};

/// What nginx says of a request.
fn by_nginx(method: &str, uri: &str) -> String {
    format!("X-Original-Method: {method}\r\nX-Original-URI: {uri}\r\n")
}

/// What Traefik and Caddy say.
fn by_traefik(method: &str, uri: &str) -> String {
    format!("X-Forwarded-Method: {method}\r\nX-Forwarded-Uri: {uri}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_has_every_identity_field_empty_where_there_is_nothing_to_say() {
    let authority = authority().await;
    let sidecar = asked_about(&authority)
        .with("PORTCULLIS_CLAIM_HEADERS", "x-user=sub x-tenant=tnt_id x-roles=roles")
        .start();
    let token = authority.token().subject("u1").scope("orders.read").claim("roles", ["a", "b"]);
    let token = bearer(&token);
    // Whatever path it asks for.
    for endpoint in ["/", "/auth?x", "/public"] {
        let answer =
            get(sidecar.address(), endpoint, &format!("{token}{}", by_nginx("GET", "/orders/7")));
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        for (name, value) in [
            ("x-user", Some("u1")),
            ("x-tenant", Some("")),
            ("x-roles", Some(r#"["a","b"]"#)),
            ("authorization", None),
            ("cache-control", Some("no-store")),
        ] {
            assert_eq!(answer.field(name), value, "{name}");
        }
        assert_eq!(answer.field("x-request-id").unwrap().len(), 32);
    }
    let answer = get(
        sidecar.address(),
        "/",
        &format!("{token}X-User: root\r\n{}", by_nginx("GET", "/public")),
    );
    assert_eq!((answer.status, answer.field("x-user")), (204, Some("")));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_believed() {
    let authority = authority().await;
    let sidecar =
        asked_about(&authority).with("PORTCULLIS_TRUSTED_PROXIES", "192.0.2.0/24").start();
    let token = bearer(&authority.token().scope("orders.read"));
    for told in [by_nginx("GET", "/public"), by_traefik("GET", "/public"), String::new()] {
        let answer = get(sidecar.address(), "/public", &format!("{token}{told}"));
        assert_eq!(answer.status, 503);
        assert_eq!(answer.field("www-authenticate"), None);
        assert_eq!(answer.field("x-auth-subject"), None);
    }
    sidecar.wait_for_stderr("a gateway is refused: its word is not believed");
    let sample = r#"portcullis_requests_total{outcome="bad_request",reason="untrusted_gateway"}"#;
    assert_eq!(sidecar.metric(sample), 3);
    assert_eq!(sidecar.stderr().matches("a gateway is refused").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ngx_01_what_is_unclear_is_refused_with_a_reason() {
    let authority = authority().await;
    let sidecar = asked_about(&authority).start();
    let token = bearer(&authority.token().scope("orders.read"));
    let (nginx, traefik) = (by_nginx("GET", "/public"), by_traefik("GET", "/public"));
    // All over one connection, which other clients of the gateway use too.
    let mut connection = Connection::open(sidecar.address());
    let rows = [
        ("nothing", String::new(), 503, "original_missing"),
        ("no method", "X-Original-URI: /public\r\n".to_owned(), 503, "original_missing"),
        ("no path", "X-Forwarded-Method: GET\r\n".to_owned(), 503, "original_missing"),
        ("an empty path", by_traefik("GET", ""), 503, "original_missing"),
        ("both, and different", by_nginx("GET", "/a") + &traefik, 403, "original_contradictory"),
        ("two methods", by_nginx("PUT", "/public") + &traefik, 403, "original_contradictory"),
        ("two lines", nginx.clone() + &nginx, 403, "original_contradictory"),
        ("two lines", traefik.clone() + &traefik, 400, "original_contradictory"),
        (
            "another host",
            by_traefik("GET", "http://a.example/public") + "X-Forwarded-Host: b.example\r\n",
            400,
            "original_contradictory",
        ),
        (
            "another URL",
            nginx.clone() + "X-Original-URL: http://a.example/orders\r\n",
            403,
            "original_contradictory",
        ),
        ("no path", by_traefik("GET", "public"), 400, "original_malformed"),
        ("no path", by_nginx("OPTIONS", "*"), 403, "original_malformed"),
        ("a tab", by_traefik("GET", "/pub\tlic"), 400, "original_malformed"),
        ("a space", by_traefik("GET", "/public HTTP/1.1"), 400, "original_malformed"),
        ("a fragment", by_traefik("GET", "/public#x"), 400, "original_malformed"),
        ("no method", by_traefik("GET /", "/public"), 400, "original_malformed"),
        ("another method", by_traefik("TRACE", "/public"), 405, "method"),
        ("another method", by_nginx("connect", "/public"), 403, "method"),
        ("an escaped control byte", by_traefik("GET", "/public%00"), 400, "ambiguous_path"),
        ("a dot segment", by_traefik("GET", "/public/../admin"), 400, "ambiguous_path"),
        ("what is not canonical", by_traefik("GET", "/%70ublic"), 400, "ambiguous_path"),
        ("another spelling", traefik.clone() + "X_Auth_Scope: a\r\n", 400, "smuggled_field"),
        ("an override", traefik.clone() + "X-HTTP-Method: PUT\r\n", 400, "smuggled_field"),
    ];
    for (name, told, status, reason) in rows {
        let sample =
            format!("portcullis_requests_total{{outcome=\"bad_request\",reason=\"{reason}\"}}");
        let before = sidecar.metric(&sample);
        let line = format!("GET / HTTP/1.1\r\nHost: portcullis\r\n{token}{told}\r\n");
        connection.send(line.as_bytes());
        let answer = connection.answer().expect("the connection goes on");
        assert_eq!(answer.status, status, "{name}: {told}");
        assert_eq!(answer.field("www-authenticate"), None, "{name}: {told}");
        if status != 403 {
            assert!(answer.text().contains("\"detail\":\""), "{}", answer.text());
        }
        assert_eq!(sidecar.metric(&sample), before + 1, "{name}: {told}");
    }
    for told in [nginx, by_traefik("GET", "/orders/%c3%a4?a=%61/../;//")] {
        let request = format!("GET / HTTP/1.1\r\nHost: portcullis\r\n{token}{told}\r\n");
        connection.send(request.as_bytes());
        assert_eq!(connection.answer().unwrap().status, 204, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_or_too_long_is_refused() {
    let authority = authority().await;
    let sidecar = asked_about(&authority).start();
    for byte in ["\0", "\x01", "\x7f"] {
        let answer = get(sidecar.address(), "/", &by_traefik("GET", &format!("/public{byte}")));
        assert_eq!(answer.status, 400, "{byte:?}");
    }
    let long = by_traefik("GET", &format!("/public?{}", "a".repeat(65 * 1024)));
    assert_eq!(get(sidecar.address(), "/", &long).status, 431);
    let many = "X-Field: a\r\n".repeat(101) + &by_traefik("GET", "/public");
    assert_eq!(get(sidecar.address(), "/", &many).status, 431);
    let token = format!("Authorization: Bearer {}\r\n", "a".repeat(17 * 1024));
    for (told, status) in [(by_traefik("GET", "/x"), 400), (by_nginx("GET", "/x"), 401)] {
        let answer = get(sidecar.address(), "/", &format!("{token}{told}"));
        assert_eq!(answer.status, status);
        assert!(answer.field("www-authenticate").unwrap().contains("invalid_request"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_read_again_and_keys_waited_for_in_this_mode_too() {
    let authority = authority().await;
    authority.set_outage(Outage::Keys);
    let sidecar = asked_about(&authority).start_unready();
    let token = bearer(&authority.token().subject("u1").scope("orders.read"));
    let lines = token.clone() + &by_traefik("GET", "/orders/7");
    let answer = get(sidecar.address(), "/", &lines);
    assert_eq!((answer.status, answer.field("www-authenticate")), (503, None));
    assert!(answer.field("retry-after").is_some());
    authority.set_outage(Outage::None);
    sidecar.wait_for(|| get(sidecar.address(), "/", &lines).status == 204, "keys");

    let mut client = Http2::open(sidecar.address()).await;
    let request = request("GET", "/", &lines).body(Full::new(Bytes::new())).unwrap();
    let (answer, _) = client.send(request).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-auth-subject"]),
        (204, &"u1".parse().unwrap())
    );

    let rules = "[[rule]]\npath = \"/orders/{id}\"\nscopes = [\"more\"]\n";
    std::fs::write(sidecar.file("PORTCULLIS_RULES"), rules).unwrap();
    sidecar.signal("HUP");
    sidecar.wait_for(|| get(sidecar.address(), "/", &lines).status == 403, "the new rule");
    assert_eq!(get(sidecar.address(), "/", &by_traefik("GET", "/public")).status, 401);
}

/// There is no setting for them in any mode: a gateway sends no body along.
#[tokio::test(flavor = "multi_thread")]
async fn ngx_06_a_token_in_a_form_is_not_looked_for() {
    let authority = authority().await;
    let sidecar = asked_about(&authority).start();
    let body = format!("access_token={}", authority.token().scope("orders.write").mint());
    let mut connection = Connection::open(sidecar.address());
    let told = by_nginx("POST", "/orders/7");
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: portcullis\r\n{told}Content-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    );
    connection.send(format!("{head}{body}").as_bytes());
    let answer = connection.answer().unwrap();
    assert_eq!(answer.status, 401);
    assert!(!answer.field("www-authenticate").unwrap().contains("error"), "{answer:?}");
}
