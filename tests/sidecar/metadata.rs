//! The metadata document (RFC 9728), in every mode.

use serde_json::{Value, json};

use crate::support::{Connection, Settings, Sidecar, Upstream, authority, bearer, get};

const RESOURCE: &str = "https://rs.example/v1?x=1";
const TARGET: &str = "/.well-known/oauth-protected-resource/v1?x=1";
const RULES: &str = "[[rule]]\npath = \"/{*rest}\"\nscopes = [\"all\"]\n";

fn with_resource(settings: Settings) -> Settings {
    settings
        .with("PORTCULLIS_AUDIENCE", "")
        .with("PORTCULLIS_RESOURCE", RESOURCE)
        .with("PORTCULLIS_SCOPES_SUPPORTED", "all")
}

#[track_caller]
fn is_the_document(sidecar: &Sidecar, issuer: &str) {
    let answer = get(sidecar.address(), TARGET, "Origin: https://app.example\r\n");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.field("content-type"), Some("application/json"));
    assert_eq!(answer.field("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.field("cache-control"), Some("public, max-age=3600"));
    let document: Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = json!({
        "resource": RESOURCE,
        "authorization_servers": [issuer],
        "scopes_supported": ["all"],
        "bearer_methods_supported": ["header"],
    });
    assert_eq!(document, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn prm_01_prm_02_the_proxy_answers_it_whatever_rules_say() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    for rules in [None, Some(RULES)] {
        let settings = with_resource(Sidecar::before(&upstream, &authority));
        let sidecar = match rules {
            Some(rules) => settings.rules(rules).start(),
            None => settings.start(),
        };
        is_the_document(&sidecar, authority.issuer_url());
        let refused = get(sidecar.address(), "/", "");
        let challenge = refused.field("www-authenticate").unwrap();
        assert!(challenge.contains(&format!("resource_metadata=\"https://rs.example{TARGET}\"")));
        for (method, status) in [("HEAD", 200), ("OPTIONS", 204), ("POST", 405)] {
            let mut connection = Connection::open(sidecar.address());
            let head =
                format!("{method} {TARGET} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
            connection.send(head.as_bytes());
            let answer = connection.answer_to(method == "HEAD");
            assert_eq!(answer.unwrap().status, status, "{method}");
        }
        // Other spellings are requests like any other.
        for other in [
            "/.well-known/oauth-protected-resource/v1",
            "/.well-known/oauth-protected-resource/%761?x=1",
        ] {
            assert_eq!(get(sidecar.address(), other, "").status, 401, "{other}");
        }
        assert!(upstream.take().is_empty());
        sidecar.wait_for_stdout(" 200 metadata ");
        let counted = "portcullis_requests_total{outcome=\"metadata\",reason=\"\"}";
        sidecar.wait_for(|| sidecar.metric(counted) == 4, "four requests for the document");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_resource_the_path_is_the_upstreams() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).start();
    assert_eq!(get(sidecar.address(), TARGET, "").status, 401);
    assert_eq!(get(sidecar.address(), TARGET, &bearer(&authority.token())).status, 200);
    assert_eq!(upstream.take().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_may_send_requests_for_it_here() {
    let authority = authority().await;
    for mode in ["forward-auth", "ext-authz"] {
        let settings = with_resource(Sidecar::asked_by_gateways(&authority));
        let settings = match mode {
            "ext-authz" => settings.with("PORTCULLIS_TRUSTED_PROXIES", ""),
            _ => settings,
        };
        let sidecar = settings.with("PORTCULLIS_MODE", mode).start();
        is_the_document(&sidecar, authority.issuer_url());
        if mode == "forward-auth" {
            // Whatever path it asks for, it is another request that it asks about.
            let about = "X-Original-Method: GET\r\nX-Original-URI: /orders\r\n";
            assert_eq!(get(sidecar.address(), TARGET, about).status, 401);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_08_tokens_for_an_mcp_server_are_not_passed_on() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let settings = || {
        with_resource(Sidecar::before(&upstream, &authority))
            .with("PORTCULLIS_RESOURCE", "https://rs.example/mcp")
            .with("PORTCULLIS_MCP", "on")
    };
    let refusal = settings().with("PORTCULLIS_FORWARD_TOKEN", "on").refused();
    assert_eq!(refusal.code, Some(78));
    assert!(refusal.stderr.contains("PORTCULLIS_FORWARD_TOKEN: cannot be on for an MCP server"));
    let sidecar = settings().start();
    let token = authority.token().audience("https://rs.example/mcp");
    assert_eq!(get(sidecar.address(), "/mcp", &bearer(&token)).status, 200);
    assert_eq!(upstream.take().pop().unwrap().field("authorization"), None);
    for path in
        ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"]
    {
        assert_eq!(get(sidecar.address(), path, "").status, 200, "{path}");
    }
}
