//! Every caller, method and spelling, before every service.

use bytes::Bytes;
use http_body_util::Empty;

use super::services::Service;
use super::spellings::{OF_ADMIN, OF_ORDERS};
use crate::support::{Connection, Http2, Sidecar, authority, bearer, request};

const RULES: &str = r#"
    [[rule]]
    path = "/public/{*rest}"
    public = true
    [[rule]]
    path = "/public"
    public = true
    [[rule]]
    methods = ["GET"]
    path = "/orders/{id}"
    scopes = ["orders.read"]
    [[rule]]
    path = "/orders/{*rest}"
    scopes = ["orders.write"]
    [[rule]]
    path = "/orders"
    scopes = ["orders.write"]
    [[rule]]
    path = "/admin/{*rest}"
    scopes = ["admin"]
    [[rule]]
    path = "/admin"
    scopes = ["admin"]
"#;

/// Whose requests are sent, and what they may get to.
struct Caller {
    token: String,
    may: &'static [&'static str],
}

/// Methods, and fields that would make others of them.
fn methods() -> Vec<(&'static str, String)> {
    let plain = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", "PROPFIND"];
    let mut methods: Vec<_> = plain.map(|method| (method, String::new())).into();
    for name in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "x_http_method_override",
        "X.Http_Method-Override",
        "X_METHOD_OVERRIDE",
    ] {
        methods.push(("GET", format!("{name}: DELETE\r\n")));
        methods.push(("POST", format!("{name}: GET\r\n")));
    }
    for name in ["X-Original-URL", "X-Rewrite-URL", "X_Original_URL", "X.Rewrite_URL"] {
        methods.push(("GET", format!("{name}: /admin/users\r\n")));
    }
    methods
}

/// Asks for everything in every way. A target that is refused ends its connection.
async fn ask(sidecar: &Sidecar, caller: &Caller) {
    let spellings = || OF_ADMIN.iter().chain(OF_ORDERS).copied();
    for (method, lines) in methods() {
        // All spellings by plain methods, one by those that pretend.
        let few: &[&[u8]] = &[b"/orders/7", b"/public/a", b"/other"];
        let targets: Vec<_> = if lines.is_empty() { spellings().collect() } else { few.to_vec() };
        let mut connection = Connection::open(sidecar.address());
        for target in targets {
            let head = format!(" HTTP/1.1\r\nHost: api.example\r\n{}{lines}\r\n", caller.token);
            let bytes = [method.as_bytes(), b" ", target, head.as_bytes()].concat();
            connection.send(&bytes);
            let answer = connection.answer_to(method == "HEAD");
            let answer = answer.unwrap_or_else(|| panic!("no answer to {bytes:?}"));
            let is_end = answer.field("connection") == Some("close");
            if is_end || matches!(answer.status, 400 | 405) {
                connection = Connection::open(sidecar.address());
            }
        }
    }
    let mut http2 = Http2::open(sidecar.address()).await;
    for target in spellings().filter_map(|target| std::str::from_utf8(target).ok()) {
        // What cannot be written by a good client is for http2.rs.
        let Ok(uri) = format!("http://api.example{target}").parse::<http::Uri>() else { continue };
        for method in ["GET", "HEAD", "POST"] {
            let mut request =
                request(method, "/", &caller.token).body(Empty::<Bytes>::new()).unwrap();
            *request.uri_mut() = uri.clone();
            http2.send(request).await;
        }
    }
}

/// What each caller gets to, but for what is `forgiven` to those who may do everything else.
async fn hits(service: &mut Service, forgiven: &[&str]) {
    let authority = authority().await;
    let sidecar = Sidecar::before_address(service.address(), &authority)
        .with("PORTCULLIS_REQUIRED_SCOPES", "basic")
        .rules(RULES)
        .start();
    let token = |scope: &str| bearer(&authority.token().scope(scope));
    for caller in [
        Caller { token: String::new(), may: &["public"] },
        Caller {
            token: bearer(&authority.token().scope("admin basic").expired()),
            may: &["public"],
        },
        Caller { token: token("admin"), may: &["public"] },
        Caller { token: token("basic"), may: &["public", "other"] },
        Caller { token: token("basic orders.read"), may: &["public", "other", "orders"] },
        Caller {
            token: token("basic orders.write"),
            may: &["public", "other", "orders", "orders-write"],
        },
    ] {
        ask(&sidecar, &caller).await;
        let hits = service.hits();
        assert!(hits.iter().any(|hit| hit == "public"), "{hits:?}");
        let is_forgiven = |hit: &str| caller.may.contains(&"other") && forgiven.contains(&hit);
        let wrong = |hit: &&String| !caller.may.contains(&hit.as_str()) && !is_forgiven(hit);
        let wrong: Vec<_> = hits.iter().filter(wrong).collect();
        assert!(wrong.is_empty(), "{wrong:?} with {:?}", caller.may);
    }
    // And those who may, do.
    let mut connection = Connection::open(sidecar.address());
    for target in ["/admin/users", "/%61dmin/users"] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{}\r\n", token("basic admin"));
        connection.send(head.as_bytes());
        let answer = connection.answer().unwrap();
        assert_eq!((answer.status, answer.field("x-resource")), (200, Some("admin")), "{target}");
    }
    assert_eq!(service.hits(), ["admin", "admin"]);
}

/// Without a gate, at least so many spellings get to what they are aimed at: the matrix aims well.
fn is_worth_it(service: &mut Service, least: usize) {
    for target in OF_ADMIN {
        let mut connection = Connection::open(service.address());
        connection.send(&[&b"GET "[..], target, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat());
        connection.answer();
    }
    let admin = service.hits().iter().filter(|hit| *hit == "admin").count();
    assert!(admin >= least, "{admin} of {}", OF_ADMIN.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_gets_past_the_rules_to_nginx() {
    let Some(mut service) = Service::nginx() else { return };
    is_worth_it(&mut service, 30);
    hits(&mut service, &[]).await;
}

async fn before_node(reading: &str, least: usize) {
    let Some(mut service) = Service::node(reading) else { return };
    is_worth_it(&mut service, least);
    hits(&mut service, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_gets_past_the_rules_to_node_that_resolves_urls() {
    before_node("url", 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_gets_past_the_rules_to_node_that_decodes_and_normalises() {
    before_node("normal", 30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_gets_past_the_rules_to_node_that_decodes_twice() {
    before_node("twice", 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_gets_past_the_rules_to_hyper() {
    let mut service = Service::hyper().await;
    is_worth_it(&mut service, 8);
    hits(&mut service, &[]).await;
}

/// Rules tell upper case from lower case, as paths do (RFC 3986 §6.2.2.1). Express does not, so that
/// `/ADMIN` falls to no rule, and whoever has the scope for everything else gets to it. Without a
/// token nobody does. A last rule that asks for more than `PORTCULLIS_REQUIRED_SCOPES` closes that.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_ignores_case_is_open_to_those_who_may_do_everything_else() {
    let Some(mut service) = Service::node("express") else { return };
    hits(&mut service, &["admin", "orders", "orders-write"]).await;
    let authority = authority().await;
    let sidecar = Sidecar::before_address(service.address(), &authority)
        .rules(&format!("{RULES}[[rule]]\npath = \"/{{*rest}}\"\nscopes = [\"everything-else\"]\n"))
        .start();
    let caller = Caller { token: bearer(&authority.token().scope("basic")), may: &["public"] };
    ask(&sidecar, &caller).await;
    assert!(service.hits().iter().all(|hit| caller.may.contains(&hit.as_str())));
}
