//! A request with a good token reaches the service, and nobody else's does.

use crate::support::{Answer, Connection, Sidecar, Upstream, authority, bearer, get};

/// Several threads, as clients here block.
#[tokio::test(flavor = "multi_thread")]
async fn hdr_16_good_requests_pass_without_their_token_and_others_are_answered_here() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).start();
    let token = bearer(&authority.token().subject("u1").scope("orders.read"));
    let answer = get(sidecar.address(), "/orders?page=2", &token);
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    let seen = upstream.take_one();
    assert_eq!(seen.uri, "/orders?page=2");
    assert_eq!(seen.field("authorization"), None);
    assert_eq!(seen.field("x-auth-subject"), Some("u1"));
    assert_eq!(seen.field("x-auth-scope"), Some("orders.read"));
    assert_eq!(seen.field("host"), Some("api.example"));

    let answer = get(sidecar.address(), "/orders", "");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.field("www-authenticate"), Some(r#"Bearer realm="resource""#));
    let expired = bearer(&authority.token().expired());
    let answer = get(sidecar.address(), "/orders", &expired);
    assert_eq!(answer.status, 401);
    assert!(answer.field("www-authenticate").unwrap().contains(r#"error="invalid_token""#));
    assert!(upstream.take().is_empty());
}

fn ask(sidecar: &Sidecar, head: &str) -> Answer {
    let mut connection = Connection::open(sidecar.address());
    connection.send(head.as_bytes());
    connection.answer().unwrap()
}

const PREFLIGHT: &str = "OPTIONS /orders/7 HTTP/1.1\r\nHost: api.example\r\n\
     Origin: https://spa.example\r\nAccess-Control-Request-Method: GET\r\n";

/// Some services make `DELETE` of `delete`, which rules for `DELETE` do not cover.
#[tokio::test(flavor = "multi_thread")]
async fn methods_in_lower_case_pass_no_rule() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority)
        .rules(
            r#"
            [[rule]]
            path = "/orders/{id}"
            methods = ["DELETE"]
            scopes = ["orders.write"]
            [[rule]]
            path = "/orders/{id}"
            public = true
            "#,
        )
        .start();
    for method in ["delete", "Delete", "DELETe", "get", "trace", "connect"] {
        let head = format!("{method} /orders/7 HTTP/1.1\r\nHost: api.example\r\n\r\n");
        assert_eq!(ask(&sidecar, &head).status, 405, "{method}");
    }
    assert!(upstream.take().is_empty());
    assert_eq!(get(sidecar.address(), "/orders/7", "").status, 200);
    upstream.take_one();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_opens_the_door_for_nothing_but_itself() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).start();
    assert_eq!(ask(&sidecar, &format!("{PREFLIGHT}\r\n")).status, 200);
    sidecar.wait_for_stdout(" OPTIONS /orders/7 200 preflight ");
    upstream.take_one();
    for more in [
        "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "Content-Length: 4\r\n\r\nbody",
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Authorization: Bearer x.y.z\r\n\r\n",
    ] {
        assert_eq!(ask(&sidecar, &format!("{PREFLIGHT}{more}")).status, 401, "{more}");
    }
    assert!(upstream.take().is_empty());
    let overridden = format!("{PREFLIGHT}X-HTTP-Method-Override: DELETE\r\n\r\n");
    assert_eq!(ask(&sidecar, &overridden).status, 200);
    assert_eq!(upstream.take_one().field("x-http-method-override"), None);
}

/// A service that decodes tokens without verifying them relies on the gate.
#[tokio::test(flavor = "multi_thread")]
async fn hdr_16_a_token_that_was_not_verified_is_never_forwarded() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority)
        .with("PORTCULLIS_FORWARD_TOKEN", "on")
        .rules("[[rule]]\npath = \"/public\"\npublic = true")
        .start();
    let forged = bearer(&authority.token().signed_by_stranger());
    assert_eq!(get(sidecar.address(), "/public", &forged).status, 200);
    assert_eq!(upstream.take_one().field("authorization"), None);
    let good = bearer(&authority.token());
    assert_eq!(get(sidecar.address(), "/orders", &good).status, 200);
    assert!(upstream.take_one().field("authorization").is_some());
}

/// The path is one thing and the query another, also where the path has to be rewritten.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_makes_no_difference_to_the_path() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority)
        .rules(
            r#"
            [[rule]]
            path = "/public/{*rest}"
            public = true
            [[rule]]
            path = "/café"
            scopes = ["admin"]
            "#,
        )
        .start();
    for path in ["/public/%2e%2e/a", "/public/../a", "/public//a", "/public/a%2fb", "/public/a;b"] {
        assert_eq!(get(sidecar.address(), path, "").status, 400, "{path}");
        assert_eq!(get(sidecar.address(), &format!("{path}?x=1"), "").status, 400, "{path}");
    }
    let token = bearer(&authority.token().scope("other"));
    for path in ["/caf%c3%a9?x", "/c%61f%C3%A9?x=%2e%2e/a"] {
        assert_eq!(get(sidecar.address(), path, &token).status, 403, "{path}");
    }
    assert!(upstream.take().is_empty());
    assert_eq!(get(sidecar.address(), "/public/%7e%41?x=%41/../b;c", "").status, 200);
    assert_eq!(upstream.take_one().uri, "/public/~A?x=%41/../b;c");
}

#[tokio::test(flavor = "multi_thread")]
async fn chal_20_f68_of_a_hidden_route_the_operator_is_told_and_nobody_else() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority)
        .rules("[[rule]]\npath = \"/audit\"\nscopes = [\"audit\"]\nhide = true")
        .start();
    let with_scope = |scope: &str| bearer(&authority.token().scope(scope));
    let answer = get(sidecar.address(), "/audit", &with_scope("x"));
    assert_eq!((answer.status, answer.field("www-authenticate")), (404, None));
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    let problem = r#"{"detail":"There is nothing here","status":404,"title":"Not Found"}"#;
    assert_eq!(answer.text(), problem);
    let (here, there) = (get(sidecar.address(), "/audit", ""), get(sidecar.address(), "/x", ""));
    assert_eq!((here.status, there.status), (401, 401));
    assert_eq!(here.field("www-authenticate"), there.field("www-authenticate"));
    assert_eq!(here.text(), there.text());
    assert!(upstream.take().is_empty());
    assert_eq!(get(sidecar.address(), "/audit", &with_scope("audit")).status, 200);

    sidecar.wait_for_stdout(" GET /audit 404 refused:insufficient_scope ");
    let sample = r#"portcullis_requests_total{outcome="refused",reason="insufficient_scope"}"#;
    assert_eq!(sidecar.metric(sample), 1);
}
