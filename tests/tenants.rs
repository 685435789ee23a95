//! Tokens of one tenant on the routes of another (SPEC RES-06 to RES-09, F61), over the layer.
#![cfg(feature = "testing")]

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use portcullis::testing::{Authority, Outage, TokenBuilder};
use portcullis::{RejectionKind, Requirement, ResourceServer, scope, tenant};
use tower::{Layer, ServiceExt, service_fn};

fn server(authority: &Authority) -> ResourceServer {
    authority.resource_server().build().unwrap()
}

/// The status, and the challenge where there is one.
async fn ask(
    server: &ResourceServer,
    needed: &Requirement,
    token: &TokenBuilder,
    request: http::request::Builder,
) -> (u16, Option<HeaderValue>) {
    let request = request.header("authorization", format!("Bearer {}", token.mint()));
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let service = server.require(needed.clone()).layer(inner);
    let response = service.oneshot(request.body(Full::default()).unwrap()).await.unwrap();
    (response.status().as_u16(), response.headers().get("www-authenticate").cloned())
}

fn get(uri: &str) -> http::request::Builder {
    Request::get(uri)
}

#[tokio::test]
async fn res_07_f61_the_tenant_of_the_path_is_that_of_the_token() {
    let authority = Authority::new();
    let server = server(&authority);
    let needed = tenant("tnt_id").in_path("/tenants/{tenant}/{*rest}").and(scope("read"));
    let acme = authority.token().claim("tnt_id", "acme").scope("read");
    let path = |tenant: &str| get(&format!("/tenants/{tenant}/orders?x=/"));
    assert_eq!(ask(&server, &needed, &acme, path("acme")).await.0, 200);
    // What is there and what is not are refused alike, whatever the scope.
    let existing = ask(&server, &needed, &acme, path("globex")).await;
    assert_eq!(existing.0, 401);
    let challenge = existing.1.as_ref().unwrap().to_str().unwrap().to_owned();
    assert!(challenge.contains("invalid_token") && !challenge.contains("globex"), "{challenge}");
    let bare = acme.clone().without("scope");
    for (token, request) in [
        (&acme, path("nobody")),
        (&acme, path("ac%6de")),
        (&acme, path("ACME")),
        (&acme, get("/other/acme/orders")),
        (&bare, path("globex")),
        (&acme.clone().without("tnt_id"), path("acme")),
        (&acme.clone().claim("tnt_id", ["acme"]), path("acme")),
    ] {
        assert_eq!(ask(&server, &needed, token, request).await, existing);
    }
    let short = ask(&server, &needed, &bare, path("acme")).await;
    assert_eq!(short.0, 403);
}

#[tokio::test]
async fn res_06_res_08_the_tenant_of_the_host_is_not_for_clients_to_say() {
    let authority = Authority::new();
    let server = server(&authority);
    let needed = tenant("tnt_id").in_host("{tenant}.api.example.com");
    let acme = authority.token().claim("tnt_id", "acme");
    let host = |host: &str| get("/orders").header("host", host);
    let status = async |request| ask(&server, &needed, &acme, request).await.0;
    assert_eq!(status(host("acme.api.example.com")).await, 200);
    assert_eq!(status(host("Acme.API.example.com:8443")).await, 200);
    assert_eq!(status(get("https://acme.api.example.com/orders")).await, 200);
    for request in [
        host("globex.api.example.com").header("x-tenant", "acme"),
        host("globex.api.example.com").header("x-forwarded-host", "acme.api.example.com"),
        host("api.example.com"),
        host("x.acme.api.example.com"),
        host("acme.api.example.com.evil.example"),
        host("acme.api.example.com").header("host", "acme.api.example.com"),
        get("https://globex.api.example.com/").header("host", "acme.api.example.com"),
        get("/orders"),
    ] {
        assert_eq!(status(request).await, 401);
    }
}

#[tokio::test]
async fn res_06_a_tenant_with_an_issuer_of_its_own_is_told_by_that() {
    let authority = Authority::builder().issuer("https://acme.id.example").build().unwrap();
    let server = server(&authority);
    let needed = tenant("iss").written("https://{tenant}.id.example").in_path("/{tenant}/orders");
    let token = authority.token();
    assert_eq!(ask(&server, &needed, &token, get("/acme/orders")).await.0, 200);
    assert_eq!(ask(&server, &needed, &token, get("/globex/orders")).await.0, 401);
}

#[tokio::test]
async fn a_tenant_stands_in_any_combination_and_survives_a_wait_for_keys() {
    let authority = Authority::new();
    let of_path = tenant("tnt_id").in_path("/{tenant}/orders");
    let needed = of_path.or(scope("support"));
    let acme = authority.token().claim("tnt_id", "acme");
    for (token, path, status) in [
        (&acme, "/acme/orders", 200),
        (&acme, "/globex/orders", 401),
        (&acme.clone().scope("support"), "/globex/orders", 200),
    ] {
        // The keys are fetched for each of them.
        let server = server(&authority);
        let (found, _) = ask(&server, &needed, token, get(path)).await;
        // Another scope would help as well as another tenant would; the first is asked for.
        assert_eq!(found, if status == 401 { 403 } else { status }, "{path}");
    }
    let alone = tenant("tnt_id").in_path("/{tenant}/orders");
    let fresh = server(&authority);
    assert_eq!(ask(&fresh, &alone, &acme, get("/globex/orders")).await.0, 401);
    assert_eq!(ask(&server(&authority), &alone, &acme, get("/acme/orders")).await.0, 200);

    // An outage says nothing about tenants.
    authority.set_outage(Outage::Everything);
    assert_eq!(ask(&server(&authority), &alone, &acme, get("/globex/orders")).await.0, 503);

    // Without a request, there is none to compare with.
    let token = fresh.verify(&acme.mint()).await.unwrap();
    assert!(!token.allows(&alone) && token.allows(&tenant("tnt_id").is("acme")));
    let everywhere = authority.resource_server().required(alone).build().unwrap();
    authority.set_outage(Outage::None);
    let refused = everywhere.verify(&acme.mint()).await.unwrap_err();
    assert_eq!(refused.kind(), RejectionKind::WrongTenant);
}

#[test]
fn a_tenant_rule_without_its_parameter_is_refused() {
    for path in ["/orders", "/{id}", "orders/{tenant}", "/x{tenant}"] {
        assert!(tenant("tnt_id").try_in_path(path).is_err(), "{path}");
    }
    for host in ["api.example.com", "{id}.example.com", "*.example.com"] {
        assert!(tenant("tnt_id").try_in_host(host).is_err(), "{host}");
    }
    let told =
        |fault: Result<_, portcullis::InvalidRequirement>| fault.map(drop).unwrap_err().to_string();
    let path = told(tenant("tnt_id").try_in_path("/orders"));
    let host = told(tenant("tnt_id").try_in_host("{id}.example.com"));
    assert!(path.contains("{tenant}") && host.contains("{tenant}"), "{path}; {host}");
}

#[test]
#[should_panic(expected = "has not {tenant} in it once")]
fn a_spelling_without_the_tenant_is_refused() {
    let _ = tenant("iss").written("https://id.example");
}
