//! Checks as they may come, and what is decided. `tests/sidecar/envoy` has the real ones.

use std::convert::Infallible;
use std::future::pending;

use bytes::Bytes;
use http::{Request as HttpClientRequest, Response};
use http_body_util::{Empty, Full};
use proptest::prelude::*;
use prost::Message as _;
use tokio::time::Instant;

use super::messages::{
    Address, Attributes, CheckRequest, CheckResponse, Field, Fields, HttpRequest, Peer, Request,
    SocketAddress,
};
use super::*;
use crate::client_certificate::ClientCertificate;
use crate::env::Source;
use crate::resource_server::ResourceServer;
use crate::sidecar::access_log::AccessLog;
use crate::sidecar::desk::Shared;
use crate::sidecar::rules::Rules;
use crate::sidecar::settings::{LogFormat, Settings};
use crate::sidecar::telemetry::Telemetry;
use crate::testing::Authority;

const RULES: &str = "[[rule]]\npath = \"/public\"\npublic = true\n\
                     [[rule]]\npath = \"/orders\"\nscopes = [\"orders.read\"]\n";

fn front(server: ResourceServer, rules: &str) -> ExtAuthz {
    let variables = [
        ("PORTCULLIS_ISSUER", "https://as.example"),
        ("PORTCULLIS_AUDIENCE", "x"),
        ("PORTCULLIS_MODE", "ext-authz"),
        ("PORTCULLIS_TRUSTED_PROXIES", "10.0.0.0/8"),
    ];
    let mut source = Source::new(variables.map(|(name, value)| (name.into(), value.into())));
    let (settings, _) = Settings::read(&mut source);
    let rules = if rules.is_empty() { Rules::none() } else { Rules::parse(rules).unwrap() };
    let routes = rules.compile(&server);
    let telemetry = Arc::new(Telemetry::new(server.clone()));
    let shared = Arc::new(Shared::new(&settings, server, routes, telemetry));
    ExtAuthz::new(Desk::new(shared, AccessLog::new(None, LogFormat::Text)))
}

fn field(name: &str, value: &str) -> Field {
    let (name, value) = (Bytes::from(name.to_owned()), Bytes::from(value.to_owned()));
    Field { name, value, raw_value: Bytes::new() }
}

/// As Envoy asks.
fn http(path: &str, fields: &[(&str, &str)]) -> HttpRequest {
    let pseudo =
        [(":method", "GET"), (":path", path), (":authority", "api.example"), (":scheme", "https")];
    HttpRequest {
        method: "GET".into(),
        headers: pseudo.iter().chain(fields).map(|(name, value)| field(name, value)).collect(),
        path: path.to_owned().into(),
        host: "api.example".into(),
        scheme: "https".into(),
        query: Bytes::new(),
        fragment: Bytes::new(),
        header_map: None,
    }
}

fn message(http: HttpRequest, client: &str) -> Bytes {
    message_of(http, client, "")
}

fn message_of(http: HttpRequest, client: &str, certificate: &str) -> Bytes {
    let socket = Some(SocketAddress { address: client.to_owned().into() });
    let address = Some(Address { socket });
    let source = Some(Peer { address, certificate: certificate.to_owned().into() });
    let attributes = Some(Attributes { source, request: Some(Request { http: Some(http) }) });
    CheckRequest { attributes }.encode_to_vec().into()
}

async fn decide(front: &ExtAuthz, message: Bytes) -> Decided {
    match Asked::read(message) {
        Ok(asked) => front.decide(asked, Instant::now() + PATIENCE, |_| {}).await,
        Err(fault) => Decided::unfit(fault, false),
    }
}

/// What the client gets, and the code beside it.
fn told(reply: &CheckResponse) -> (u16, i32) {
    assert_ne!(reply.allowed.is_some(), reply.denied.is_some());
    (reply::status(reply).as_u16(), reply.status.as_ref().unwrap().code)
}

fn denied_field(reply: &CheckResponse, name: &str) -> Option<Bytes> {
    let fields = reply.denied.as_ref().unwrap().headers.iter();
    let mut fields = fields.filter_map(|option| option.field.as_ref());
    fields.find(|field| field.name == name).map(|field| field.value.clone())
}

fn bearer(authority: &Authority, scope: &str) -> String {
    format!("Bearer {}", authority.token().scope(scope).mint())
}

#[tokio::test]
async fn envoy_01_codes_and_statuses_belong_together() {
    let authority = Authority::new();
    let server = authority.resource_server().build().unwrap();
    server.load_keys().await.unwrap();
    let front = front(server, RULES);
    let (good, weak) = (bearer(&authority, "orders.read"), bearer(&authority, "x"));
    for (fields, expected) in [
        (&[][..], (401, 16)),
        (&[("authorization", "Bearer x.y.z")], (401, 16)),
        (&[("authorization", "Bearer a b")], (400, 16)),
        (&[("authorization", &good), ("authorization", &good)], (400, 16)),
        (&[("authorization", &weak)], (403, 7)),
        (&[("authorization", &good)], (200, 0)),
    ] {
        let decided = decide(&front, message(http("/orders", fields), "192.0.2.1")).await;
        assert_eq!(told(&decided.reply), expected, "{expected:?}");
        let challenge = decided
            .reply
            .denied
            .is_some()
            .then(|| denied_field(&decided.reply, "www-authenticate").expect("a challenge"));
        assert_eq!(challenge.is_some(), expected.0 != 200);
    }
}

/// ENVOY-07: Envoy makes 13 of 400 and 16 of 401, and a `grpc-message` of the body.
#[tokio::test]
async fn envoy_07_grpc_clients_are_not_told_of_an_internal_error() {
    let authority = Authority::new();
    let front = front(authority.resource_server().build().unwrap(), RULES);
    for (kind, status) in [
        ("application/grpc", 401),
        ("application/grpc+proto", 401),
        ("application/grpc-web", 400),
        ("application/json", 400),
    ] {
        let fields = [("content-type", kind), ("authorization", "Bearer a b")];
        let decided = decide(&front, message(http("/orders", &fields), "")).await;
        assert_eq!(told(&decided.reply), (status, 16), "{kind}");
        let is_grpc = status == 401;
        assert_eq!(denied_field(&decided.reply, "content-type").is_none(), is_grpc, "{kind}");
        let body = decided.reply.denied.unwrap().body;
        assert_eq!(body == "The Authorization header is malformed", is_grpc, "{body:?}");
    }
}

/// ENVOY-06, with an authorization server that never answers.
#[tokio::test(start_paused = true)]
async fn envoy_06_a_decision_never_takes_longer_than_150_ms() {
    let authority = Authority::new();
    let hanging = tower::service_fn(|_: HttpClientRequest<Full<Bytes>>| {
        pending::<Result<Response<Empty<Bytes>>, Infallible>>()
    });
    let server = authority.resource_server().http_client(hanging).build().unwrap();
    let front = front(server, RULES);
    let token = bearer(&authority, "orders.read");
    let start = Instant::now();
    let asked = message(http("/orders", &[("authorization", &token)]), "");
    let decided = decide(&front, asked).await;
    assert_eq!(start.elapsed(), PATIENCE);
    assert!(PATIENCE < Duration::from_millis(150));
    assert_eq!(told(&decided.reply), (503, 14));
    assert!(denied_field(&decided.reply, "retry-after").is_some());
    assert_eq!(denied_field(&decided.reply, "www-authenticate"), None);
    assert_eq!(decided.outcome, Outcome::Refused(RejectionKind::KeysUnavailable));
}

#[tokio::test]
async fn envoy_04_what_contradicts_itself_is_no_request() {
    let authority = Authority::new();
    let front = front(authority.resource_server().build().unwrap(), RULES);
    use BadRequest as B;
    let with = |edit: fn(&mut HttpRequest)| {
        let mut http = http("/public", &[]);
        edit(&mut http);
        message(http, "")
    };
    let nothing = |attributes| Bytes::from(CheckRequest { attributes }.encode_to_vec());
    let no_http = Attributes { source: None, request: Some(Request { http: None }) };
    for (message, fault) in [
        (Bytes::new(), B::OriginalMissing),
        (Bytes::from_static(b"\x0A\xFF"), B::OriginalMissing),
        (nothing(None), B::OriginalMissing),
        (nothing(Some(Attributes { source: None, request: None })), B::OriginalMissing),
        (nothing(Some(no_http)), B::OriginalMissing),
        (with(|http| http.path = "/orders".into()), B::OriginalContradictory),
        (with(|http| http.path = Bytes::new()), B::OriginalContradictory),
        (with(|http| http.host = "other.example".into()), B::OriginalContradictory),
        (with(|http| http.host = Bytes::new()), B::OriginalContradictory),
        (with(|http| http.scheme = "http".into()), B::OriginalContradictory),
        (with(|http| http.method = "POST".into()), B::OriginalContradictory),
        (with(|http| http.query = "x".into()), B::OriginalContradictory),
        (with(|http| http.fragment = "x".into()), B::OriginalContradictory),
        (with(|http| http.headers.push(field(":path", "/other"))), B::OriginalContradictory),
        (with(|http| http.headers.push(field("host", "other.example"))), B::OriginalContradictory),
        (with(|http| http.headers.push(field("x y", "z"))), B::OriginalMalformed),
        (with(|http| http.headers.push(field("", "z"))), B::OriginalMalformed),
        (with(|http| http.headers.push(field("x", "a\r\nb"))), B::OriginalMalformed),
        (with(|http| http.headers.push(field("x", "a\0"))), B::OriginalMalformed),
        (with(|http| http.headers.push(field("x", &"a".repeat(65 * 1024)))), B::OriginalTooLarge),
        (with(|http| http.headers.extend((0..97).map(|_| field("x", "y")))), B::OriginalTooLarge),
    ] {
        let decided = decide(&front, message).await;
        assert_eq!(decided.outcome, Outcome::BadRequest(fault));
        let (status, code) = told(&decided.reply);
        let expected = if fault == B::OriginalMissing { (503, 14) } else { (status, 3) };
        assert_eq!((status, code), expected);
        assert!(status >= 400, "{status}");
    }
    // The one that they are made of passes.
    let decided = decide(&front, with(|_| {})).await;
    assert_eq!((told(&decided.reply), decided.outcome), ((200, 0), Outcome::Public));
    // Names and values come as bytes with encode_raw_headers.
    let raw = with(|http| {
        let fields = std::mem::take(&mut http.headers).into_iter();
        let fields =
            fields.map(|field| Field { raw_value: field.value, value: Bytes::new(), ..field });
        http.header_map = Some(Fields { fields: fields.collect() });
        http.header_map.as_mut().unwrap().fields.push(Field {
            name: "x-latin".into(),
            value: Bytes::new(),
            raw_value: Bytes::from_static(b"caf\xE9"),
        });
    });
    assert_eq!(decide(&front, raw).await.outcome, Outcome::Public);
    let methods = ["CONNECT", "TRACE", "get", "", "A B"];
    for method in methods {
        let mut http = http("/public", &[]);
        http.method = method.into();
        http.headers.retain(|field| field.name != ":method");
        let decided = decide(&front, message(http, "")).await;
        assert_eq!(decided.outcome, Outcome::BadRequest(B::Method), "{method}");
    }
}

fn attribute_of(pem: &str) -> String {
    pem.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B").replace('/', "%2F")
}

/// The second time, the token is remembered.
#[tokio::test]
async fn envoy_04_mtls_01_mtls_02_a_bound_token_is_good_with_its_certificate_alone() {
    let authority = Authority::new();
    let server = authority.resource_server().build().unwrap();
    server.load_keys().await.unwrap();
    let front = front(server, RULES);
    let [own, other] = ["own", "other"]
        .map(|name| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap().cert);
    let token = || authority.token().scope("orders.read");
    let bound = token().bound_to(&ClientCertificate::from_der(own.der()));
    let [bound, unbound] = [bound, token()].map(|token| format!("Bearer {}", token.mint()));
    let [own, other] = [own, other].map(|certificate| attribute_of(&certificate.pem()));
    let refused = Outcome::Refused(RejectionKind::SenderConstrained);
    let malformed = Outcome::BadRequest(BadRequest::OriginalMalformed);
    let too_large = Outcome::BadRequest(BadRequest::OriginalTooLarge);
    let long = own.repeat(100);
    for round in 1..=2 {
        for (token, certificate, expected, status) in [
            (&bound, &*own, Outcome::Allowed, 200),
            (&bound, &other, refused, 401),
            (&bound, "", refused, 401),
            (&bound, &own[..own.len() - 9], malformed, 400),
            (&bound, &long, too_large, 431),
            (&unbound, &own, Outcome::Allowed, 200),
            (&unbound, "", Outcome::Allowed, 200),
            (&unbound, "x", malformed, 400),
        ] {
            let fields = [("authorization", &**token)];
            let message = message_of(http("/orders", &fields), "192.0.2.1", certificate);
            let decided = decide(&front, message).await;
            assert_eq!(decided.outcome, expected, "{round}: {} bytes", certificate.len());
            assert_eq!(told(&decided.reply).0, status, "{round}: {} bytes", certificate.len());
        }
    }
    // No field of a request stands in for it.
    let field = own.replace("%0A", "");
    let fields = [
        ("authorization", &*bound),
        ("x-forwarded-client-cert", &field),
        ("client-cert", &field),
        ("ssl-client-cert", &field),
    ];
    let decided = decide(&front, message(http("/orders", &fields), "10.0.0.1")).await;
    assert_eq!(decided.outcome, refused);
}

/// Envoy sends on the path that it has. Without rules nothing depends on it.
#[tokio::test]
async fn a_path_is_canonical_as_it_is() {
    let authority = Authority::new();
    let server = authority.resource_server().build().unwrap();
    let (by_rules, without) = (front(server.clone(), RULES), front(server, ""));
    let ambiguous = Outcome::BadRequest(BadRequest::AmbiguousPath);
    for (path, expected) in [
        ("/public", Outcome::Public),
        ("/public?a=%61/../;//", Outcome::Public),
        ("/%70ublic", ambiguous),
        ("/public/../orders", ambiguous),
        ("//public", ambiguous),
        ("/public%2Fx", ambiguous),
        ("/public;x", ambiguous),
        ("/public%00", ambiguous),
        ("/a|b", ambiguous),
        ("/x%C3%A4%20y", Outcome::Refused(RejectionKind::MissingCredentials)),
        ("/x%c3%a4%3a", Outcome::Refused(RejectionKind::MissingCredentials)),
    ] {
        let decided = decide(&by_rules, message(http(path, &[]), "")).await;
        assert_eq!(decided.outcome, expected, "{path}");
        let decided = decide(&without, message(http(path, &[]), "")).await;
        assert_eq!(decided.outcome, Outcome::Refused(RejectionKind::MissingCredentials), "{path}");
    }
    for path in ["", "public", "*", "/a#b", "/a\0", "/a\nb", "/a b", "/a\x7F", "https://h/public"] {
        for front in [&by_rules, &without] {
            let decided = decide(front, message(http(path, &[]), "")).await;
            assert_eq!(
                decided.outcome,
                Outcome::BadRequest(BadRequest::OriginalMalformed),
                "{path:?}"
            );
        }
    }
}

fn removed(decided: &Decided) -> Vec<String> {
    let removed = &decided.reply.allowed.as_ref().unwrap().headers_to_remove;
    removed.iter().map(|name| String::from_utf8(name.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn envoy_03_hdr_15_hdr_16_what_goes_and_what_is_set() {
    let authority = Authority::new();
    let server = authority.resource_server().build().unwrap();
    server.load_keys().await.unwrap();
    let front = front(server, RULES);
    let token = bearer(&authority, "orders.read");
    let fields = [
        ("authorization", &*token),
        ("x.auth.subject", "admin"),
        ("x_forwarded_for", "1"),
        ("x-forwarded-for", "1"),
        ("x-forwarded-client-cert", "1"),
        ("x-forwarded-host", "1"),
        ("x-http-method-override", "DELETE"),
        ("te", "trailers"),
        ("accept", "*/*"),
    ];
    for (client, believed) in [("192.0.2.1", false), ("10.0.0.1", true), ("/run/socket", false)] {
        let decided = decide(&front, message(http("/orders", &fields), client)).await;
        let removed = removed(&decided);
        for name in [
            "authorization",
            "dpop",
            "x_auth_subject",
            "x.auth.subject",
            "x_forwarded_for",
            "x-http-method-override",
        ] {
            assert!(removed.iter().any(|found| found == name), "{name}: {removed:?}");
        }
        for name in ["x-auth-subject", "x-forwarded-for", "x-forwarded-client-cert", "te", "accept"]
        {
            assert!(!removed.iter().any(|found| found == name), "{name}: {removed:?}");
        }
        assert_eq!(!removed.iter().any(|found| found == "x-forwarded-host"), believed, "{client}");
        let set = &decided.reply.allowed.as_ref().unwrap().headers;
        assert!(set.iter().all(|option| option.append.as_ref().is_some_and(|flag| !flag.value)));
        let names: Vec<_> = set.iter().map(|option| &option.field.as_ref().unwrap().name).collect();
        assert!(names.iter().any(|name| **name == "x-auth-subject"), "{names:?}");
    }
    // Nobody's name on a public route.
    let decided = decide(&front, message(http("/public", &fields), "")).await;
    let removed = removed(&decided);
    for name in ["x-auth-subject", "x-auth-scope", "authorization"] {
        assert!(removed.iter().any(|found| found == name), "{name}: {removed:?}");
    }
    assert!(decided.reply.allowed.unwrap().headers.is_empty());
}

/// What it carries cannot be seen, and Envoy's own filter answers preflights.
#[tokio::test]
async fn a_preflight_needs_a_token_like_any_other_request() {
    let authority = Authority::new();
    let front = front(authority.resource_server().build().unwrap(), RULES);
    let fields = [("origin", "https://app.example"), ("access-control-request-method", "PUT")];
    let mut http = http("/orders", &fields);
    http.method = "OPTIONS".into();
    http.headers.retain(|field| field.name != ":method");
    let decided = decide(&front, message(http, "")).await;
    assert_eq!(decided.outcome, Outcome::Refused(RejectionKind::MissingCredentials));
}

#[test]
fn messages_show_nothing() {
    let check = http("/secret", &[("authorization", "Bearer secret")]);
    assert_eq!(format!("{check:?}"), "HttpRequest(…)");
}

fn any_http() -> impl Strategy<Value = HttpRequest> {
    let text = || prop_oneof!["[ -~]{0,12}", "/[a-z/.%;\\\\]{0,12}", "[a-z.:@]{0,8}"];
    let bytes =
        || prop_oneof![text().prop_map(Bytes::from), any::<Vec<u8>>().prop_map(Bytes::from)];
    let fields = prop::collection::vec((bytes(), bytes(), bytes()), 0..4).prop_map(|fields| {
        let field = |(name, value, raw_value)| Field { name, value, raw_value };
        fields.into_iter().map(field).collect::<Vec<_>>()
    });
    let parts = (bytes(), fields, bytes(), bytes(), bytes());
    parts.prop_map(|(method, headers, path, host, scheme)| HttpRequest {
        method,
        headers,
        path,
        host,
        scheme,
        query: Bytes::new(),
        fragment: Bytes::new(),
        header_map: None,
    })
}

proptest! {
    /// Whatever comes, nobody passes without a token where one is needed.
    #[test]
    fn nothing_passes_by_being_odd(
        http in any_http(), bytes in any::<Vec<u8>>(), is_http in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let authority = Authority::new();
            let front = front(authority.resource_server().build().unwrap(), "");
            let message = if is_http { message(http, "") } else { bytes.into() };
            let decided = decide(&front, message).await;
            prop_assert!(decided.reply.allowed.is_none());
            prop_assert!(decided.reply.status.unwrap().code != 0);
            Ok(())
        })?;
    }
}
