//! What the client of a gateway sees, row by row, and what reaches the service.

use portcullis::testing::{Authority, Outage};

use super::asked_about;
use super::gateway::{Gateway, Kind};
use crate::support::{Answer, Connection, Sidecar, Upstream, authority, bearer, get};

const KINDS: [Kind; 2] = [Kind::Nginx, Kind::Caddy];

/// Everything that the rows need.
struct Scene {
    authority: Authority,
    service: Upstream,
    sidecar: Sidecar,
    gateway: Gateway,
}

impl Scene {
    async fn set(kind: Kind) -> Option<Self> {
        Self::with(kind, &[]).await
    }

    async fn with(kind: Kind, variables: &[(&str, &str)]) -> Option<Self> {
        let (authority, service) = (authority().await, Upstream::start().await);
        let settings = variables
            .iter()
            .fold(asked_about(&authority), |all, (name, value)| all.with(name, value));
        let sidecar = settings.start();
        let gateway = Gateway::start(kind, &sidecar, &service)?;
        Some(Self { authority, service, sidecar, gateway })
    }

    fn token(&self, scope: &str) -> String {
        bearer(&self.authority.token().subject("u1").scope(scope))
    }

    fn get(&self, path: &str, lines: &str) -> Answer {
        get(self.gateway.address(), path, lines)
    }

    fn ask(&self, method: &str, path: &str, lines: &str, body: &str) -> Answer {
        let mut client = Connection::open(self.gateway.address());
        let length = body.len();
        client.send(
            format!(
                "{method} {path} HTTP/1.1\r\nHost: api.example\r\nContent-Length: {length}\r\n\
                 {lines}\r\n{body}"
            )
            .as_bytes(),
        );
        client.answer_to(method == "HEAD").expect("an answer")
    }

    /// Refused with this status; the challenge, if any, has all of these parts.
    #[track_caller]
    fn refuses(&self, name: &str, answer: &Answer, status: u16, challenge: Option<&[&str]>) {
        let name = format!("{name}, {:?}\n{}", self.gateway.kind(), self.gateway.errors());
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        let found = answer.field("www-authenticate");
        assert_eq!(found.is_some(), challenge.is_some(), "{name}: {found:?}");
        for part in challenge.into_iter().flatten() {
            assert!(found.unwrap().contains(part), "{name}: {part} in {found:?}");
        }
        assert!(self.service.take().is_empty(), "{name}: the service was reached");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ngx_04_the_client_sees_what_a_client_of_the_proxy_sees() {
    for kind in KINDS {
        let Some(scene) = Scene::set(kind).await else { continue };
        let read = scene.token("orders.read");
        let forged = format!("{}x\r\n", read.trim_end());
        let expired = bearer(&scene.authority.token().scope("orders.read").expired());

        let answer = scene.get("/orders/7", "");
        scene.refuses("no token", &answer, 401, Some(&["Bearer realm=", "scope=\"orders.read\""]));
        assert!(!answer.field("www-authenticate").unwrap().contains("error"), "{answer:?}");
        for (name, token) in [("a forged token", &forged), ("an expired token", &expired)] {
            let challenge = ["error=\"invalid_token\"", "scope=\"orders.read\""];
            scene.refuses(name, &scene.get("/orders/7", token), 401, Some(&challenge));
        }
        let short = ["error=\"insufficient_scope\"", "scope=\"admin\""];
        scene.refuses("wrong scope", &scene.get("/admin/x", &read), 403, Some(&short));
        let short = ["error=\"insufficient_scope\"", "scope=\"orders.write\""];
        let answer = scene.ask("POST", "/orders/7", &read, "{}");
        scene.refuses("wrong scope for this method", &answer, 403, Some(&short));
        let answer = scene.ask("HEAD", "/orders/7", "", "");
        scene.refuses("HEAD without a token", &answer, 401, Some(&["Bearer"]));

        let answer = scene.get("/orders/7?a=b%20c", &read);
        assert_eq!((answer.status, answer.text().as_str()), (200, "hello"), "{kind:?}");
        let seen = scene.service.take_one();
        assert_eq!(
            (seen.method.as_str(), seen.uri.to_string().as_str()),
            ("GET", "/orders/7?a=b%20c")
        );
        assert_eq!(seen.field("x-auth-subject"), Some("u1"));
        assert_eq!(seen.field("x-auth-scope"), Some("orders.read"));
        assert_eq!(seen.field("x-auth-issuer"), Some(scene.authority.issuer_url()));
        assert_eq!(seen.field("x-request-id").unwrap().len(), 32);
        for gone in ["authorization", "x-original-uri", "x-forwarded-uri"] {
            assert_eq!(seen.field(gone), None, "{kind:?}: {gone}");
        }
        let write = scene.token("orders.write");
        assert_eq!(scene.ask("POST", "/orders/7", &write, "{\"a\":1}").status, 200);
        let seen = scene.service.take_one();
        assert_eq!((seen.method.as_str(), &seen.body[..]), ("POST", &b"{\"a\":1}"[..]));
        assert_eq!(scene.ask("HEAD", "/orders/7", &write, "").status, 403);
        assert_eq!(scene.get("/public", "").status, 200);

        // Logged is what clients have asked for.
        scene.sidecar.wait_for_stdout(" 127.0.0.1 POST /orders/7 204 allowed ");
        scene.sidecar.wait_for_stdout(" 127.0.0.1 GET /public 204 public ");
    }
}

/// What else is in it, a gateway does not tell.
#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_needs_a_token_like_any_other_request() {
    for kind in KINDS {
        let Some(scene) = Scene::set(kind).await else { continue };
        let preflight =
            "Origin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n".to_owned();
        let answer = scene.ask("OPTIONS", "/orders/7", &preflight, "");
        scene.refuses("a preflight", &answer, 401, Some(&["Bearer"]));
        let answer = scene.ask("OPTIONS", "/orders/7", &preflight, "{\"a\":1}");
        scene.refuses("a preflight with a body", &answer, 401, Some(&["Bearer"]));
        let with_token = preflight + &scene.token("orders.read");
        let answer = scene.ask("OPTIONS", "/orders/7", &with_token, "");
        scene.refuses("with a token", &answer, 403, Some(&["insufficient_scope"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f68_a_hidden_route_is_404_whatever_the_gateway_knows() {
    for kind in KINDS {
        let Some(scene) = Scene::set(kind).await else { continue };
        let answer = scene.get("/audit/2024", &scene.token("orders.read"));
        scene.refuses("a hidden route", &answer, 404, None);
        // No other refusal becomes one: with a challenge or without.
        let answer = scene.get("/admin/x", &scene.token("orders.read"));
        scene.refuses("wrong scope", &answer, 403, Some(&["insufficient_scope"]));
        let status = if matches!(kind, Kind::Nginx) { 403 } else { 400 };
        let answer = scene.get("/audit//2024", &scene.token("orders.read"));
        scene.refuses("an ambiguous path", &answer, status, None);
        let answer = scene.get("/audit/2024", "");
        scene.refuses("no token", &answer, 401, Some(&["Bearer"]));
        assert!(!answer.field("www-authenticate").unwrap().contains("scope"), "{answer:?}");
        assert_eq!(scene.get("/audit/2024", &scene.token("audit")).status, 200);
        scene.service.take_one();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ngx_03_without_keys_it_is_503_and_never_an_open_door() {
    for kind in KINDS {
        let (authority, service) = (authority().await, Upstream::start().await);
        authority.set_outage(Outage::Everything);
        let sidecar = asked_about(&authority).start_unready();
        let Some(gateway) = Gateway::start(kind, &sidecar, &service) else { continue };
        let token = bearer(&authority.token().scope("orders.read"));
        let mut scene = Scene { authority, service, sidecar, gateway };
        let answer = scene.get("/orders/7", &token);
        scene.refuses("no keys", &answer, 503, None);
        assert!(answer.field("retry-after").is_some(), "{answer:?}");
        scene.refuses("no keys, no token", &scene.get("/orders/7", ""), 401, Some(&["Bearer"]));
        assert_eq!(scene.get("/public", "").status, 200);
        scene.service.take_one();

        scene.authority.set_outage(Outage::None);
        scene.sidecar.wait_for(|| scene.sidecar.ask_admin("/readyz").status == 200, "ready");
        assert_eq!(scene.get("/orders/7", &token).status, 200);
        scene.service.take_one();

        // Nor is it one where nobody can be asked.
        scene.sidecar.signal("KILL");
        scene.sidecar.wait();
        let expected = if kind == Kind::Nginx { 503 } else { 502 };
        for (path, token) in [("/orders/7", token.as_str()), ("/public", "")] {
            scene.refuses("nobody to ask", &scene.get(path, token), expected, None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_15_a_spoofed_identity_field_does_not_survive() {
    for kind in KINDS {
        let Some(scene) = Scene::set(kind).await else { continue };
        let token = scene.token("orders.read");
        let spoofed: String = ["Subject", "Client-Id", "Issuer", "Scope"]
            .map(|name| format!("X-Auth-{name}: admin\r\nx-auth-{name}: root\r\n"))
            .concat();
        for (path, token, subject) in [
            ("/orders/7", token.as_str(), Some("u1")),
            ("/public", "", None),
            ("/public", &token, None),
        ] {
            assert_eq!(scene.get(path, &format!("{spoofed}{token}")).status, 200, "{kind:?}");
            let seen = scene.service.take_one();
            for name in ["subject", "client-id", "issuer", "scope"] {
                let values: Vec<_> =
                    seen.headers.get_all(format!("x-auth-{name}")).iter().collect();
                let is_spoofed = values.iter().any(|value| *value == "admin" || *value == "root");
                assert!(values.len() <= 1 && !is_spoofed, "{kind:?}: {name}: {values:?}");
            }
            let found = seen.field("x-auth-subject").filter(|value| !value.is_empty());
            assert_eq!(found, subject, "{kind:?} {path}");
        }
        // Nor can it be named as one for the gateway alone, so that ours is not passed on.
        let named = format!("Connection: keep-alive, X-Auth-Subject\r\n{token}");
        let answer = scene.get("/orders/7", &named);
        if kind == Kind::Nginx {
            assert_eq!(answer.status, 200);
            assert_eq!(scene.service.take_one().field("x-auth-subject"), Some("u1"));
        } else {
            scene.refuses("named by Connection", &answer, 400, None);
        }
        // Other spellings are dropped by nginx, and refused by us where the gateway passes them on.
        for alias in ["X_Auth_Subject", "x.auth.subject", "X-Auth_Scope", "X-Auth~Subject"] {
            let answer = scene.get("/orders/7", &format!("{alias}: admin\r\n{token}"));
            if kind == Kind::Nginx && answer.status == 200 {
                let seen = scene.service.take_one();
                assert!(!format!("{:?}", seen.headers).contains("admin"), "{alias}: {seen:?}");
            } else {
                let expected = if kind == Kind::Nginx { 403 } else { 400 };
                scene.refuses(alias, &answer, expected, None);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ngx_05_a_spoofed_original_uri_is_not_believed() {
    for kind in KINDS {
        let Some(scene) = Scene::set(kind).await else { continue };
        let read = scene.token("orders.read");
        for name in ["X-Original-URI", "X-Original-URL", "X-Forwarded-Uri", "X-Rewrite-URL"] {
            for target in ["/orders/7", "http://api.example/orders/7", "/public"] {
                let lines = format!("{name}: {target}\r\n{read}");
                let answer = scene.get("/admin/x", &lines);
                let name = format!("{name}: {target}");
                scene.refuses(&name, &answer, 403, Some(&["insufficient_scope", "\"admin\""]));
                // And takes nothing away from what was really asked for.
                assert_eq!(scene.get("/orders/7", &lines).status, 200, "{name} {kind:?}");
                assert_eq!(
                    scene.service.take_one().field(&name.split(':').next().unwrap().to_lowercase()),
                    None
                );
            }
        }
        for name in
            ["X-Original-Method", "X-Forwarded-Method", "X-HTTP-Method-Override", "X-HTTP-Method"]
        {
            let lines = format!("{name}: GET\r\n{read}");
            let answer = scene.ask("DELETE", "/orders/7", &lines, "");
            scene.refuses(name, &answer, 403, Some(&["insufficient_scope", "orders.write"]));
            let lines = format!("{name}: DELETE\r\n{read}");
            assert_eq!(scene.get("/orders/7", &lines).status, 200, "{name} {kind:?}");
            assert_eq!(scene.service.take_one().field(&name.to_lowercase()), None, "{name}");
        }
    }
}

/// HDR-16: services make addresses, links and paths of these.
#[tokio::test(flavor = "multi_thread")]
async fn hdr_16_the_client_does_not_say_where_the_request_comes_from() {
    let names = [
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Real-IP",
        "X-Original-Host",
        "X-Original-Proto",
    ];
    for kind in KINDS {
        let Some(scene) = Scene::set(kind).await else { continue };
        for name in names {
            let answer = scene.get("/public", &format!("{name}: spoofed.example\r\n"));
            assert_eq!(answer.status, 200, "{name} {kind:?}");
            let seen = scene.service.take_one();
            assert!(!format!("{:?}", seen.headers).contains("spoofed"), "{kind:?}: {seen:?}");
            assert_eq!(seen.field("x-forwarded-for"), Some("127.0.0.1"), "{kind:?}");
            assert_eq!(seen.field("x-forwarded-proto"), Some("http"), "{kind:?}");
        }
    }
}

/// Of two hosts in one request, the gateway chooses the service by that of the target (RFC 9112 §3.2.2).
#[tokio::test(flavor = "multi_thread")]
async fn res_08_the_tenant_is_that_of_the_host_that_the_gateway_goes_by() {
    for kind in KINDS {
        let Some(scene) = Scene::set(kind).await else { continue };
        let of = |tenant: &str| bearer(&scene.authority.token().claim("tnt_id", tenant));
        assert_eq!(scene.ask("GET", "/stock/7", &of("api"), "").status, 200, "{kind:?}");
        assert_eq!(scene.service.take_one().field("host"), Some("api.example"));
        let forged = ["error=\"invalid_token\""];
        for (path, lines) in [
            ("/stock/7", of("globex")),
            ("/stock/7", of("globex") + "X-Forwarded-Host: globex.example\r\n"),
            ("/stock/7", of("globex") + "X-Original-Host: globex.example\r\n"),
            ("http://globex.example/stock/7", of("api")),
        ] {
            scene.refuses(path, &scene.ask("GET", path, &lines, ""), 401, Some(&forged));
        }
        let answer = scene.ask("GET", "http://globex.example/stock/7", &of("globex"), "");
        assert_eq!(answer.status, 200, "{kind:?}");
        let seen = scene.service.take_one();
        assert_eq!(seen.field("host"), Some("globex.example"), "{kind:?}");
        assert_eq!(seen.field("x-forwarded-host"), Some("globex.example"), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_identifier_of_the_log() {
    for kind in KINDS {
        let Some(scene) = Scene::set(kind).await else { continue };
        let read = scene.token("orders.read");
        for (path, token, status) in
            [("/orders/7", "", 401), ("/admin/x", read.as_str(), 403), ("//public", "", 403)]
        {
            let answer = scene.get(path, token);
            if kind == Kind::Nginx || path != "//public" {
                assert_eq!(answer.status, status, "{kind:?}");
            }
            let id = answer.field("x-request-id").expect("an identifier").to_owned();
            scene.sidecar.wait_for_stdout(&format!(" id={id}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ngx_02_what_is_400_to_a_client_of_the_proxy() {
    for kind in KINDS {
        let Some(scene) = Scene::set(kind).await else { continue };
        let read = scene.token("orders.read");
        let expected = if kind == Kind::Nginx { 401 } else { 400 };
        let answer = scene.get("/orders/7", &format!("{read}{read}"));
        // Later versions of nginx refuse it themselves.
        if answer.status == 400 && kind == Kind::Nginx {
            scene.refuses("two tokens", &answer, 400, None);
        } else {
            scene.refuses("two tokens", &answer, expected, Some(&["error=\"invalid_request\""]));
        }
        let answer = scene.get("/orders/7", "Authorization: Bearer a b\r\n");
        scene.refuses("no token68", &answer, expected, Some(&["error=\"invalid_request\""]));

        let expected = if kind == Kind::Nginx { 403 } else { 400 };
        for path in
            ["/public/%2e%2e/admin/x", "/public%2f..%2fadmin/x", "/public;/../admin", "//public"]
        {
            scene.refuses(path, &scene.get(path, &read), expected, None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_wants_the_token_gets_it_from_nginx() {
    let variables = [("PORTCULLIS_FORWARD_TOKEN", "on")];
    let Some(scene) = Scene::with(Kind::Nginx, &variables).await else { return };
    let token = scene.token("orders.read");
    let value = token.trim_end().strip_prefix("Authorization: ").unwrap();
    assert_eq!(scene.get("/orders/7", &token).status, 200);
    assert_eq!(scene.service.take_one().field("authorization"), Some(value));
    // Not verified here, and so not for the service.
    assert_eq!(scene.get("/public", &token).status, 200);
    assert_eq!(scene.service.take_one().field("authorization"), None);
    assert!(!scene.sidecar.stdout().contains(value) && !scene.sidecar.stderr().contains(value));
}

/// Where nobody is asked, a client could ask itself, in the gateway's name.
#[tokio::test(flavor = "multi_thread")]
async fn ngx_05_the_metadata_document_is_no_way_to_ask_about_other_requests() {
    let resource = [("PORTCULLIS_RESOURCE", "https://api.example")];
    let Some(scene) = Scene::with(Kind::Nginx, &resource).await else { return };
    let document = "/.well-known/oauth-protected-resource";
    let hidden = "X-Original-Method: GET\r\nX-Original-URI: /audit/7\r\n";
    let same = "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /audit/7\r\n";
    let whole = "X-Original-Method: GET\r\nX-Original-URL: https://api.example/audit/7\r\n";
    for fields in ["", hidden, same, whole] {
        let lines = format!("{fields}{}", scene.token("orders.read"));
        let answer = scene.get(document, &lines);
        assert_eq!(answer.status, 200, "{fields}");
        assert!(answer.text().contains("authorization_servers"), "{fields}");
        assert_eq!(answer.field("x-portcullis-status"), None, "{fields}");
    }
    assert_eq!(scene.gateway.errors(), "");
}
