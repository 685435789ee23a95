//! Tokens of a real authorization server, through the sidecar to a real socket.

use crate::support::oidc_provider::{MACHINE, OidcProvider, USER, WEB};
use crate::support::{Answer, Sidecar, Upstream, get};

const API: &str = "https://api.example.com";

const RULES: &str = r#"
    [[rule]]
    path = "/healthz"
    public = true
    [[rule]]
    methods = ["GET"]
    path = "/orders/{id}"
    scopes = ["orders.read"]
    [[rule]]
    path = "/orders/{id}"
    scopes = ["orders.write"]
    [[rule]]
    path = "/users/{*rest}"
    callers = "users"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn hdr_15_hdr_16_a_real_servers_tokens_are_judged_and_told() {
    let Some(provider) = OidcProvider::start().await else { return };
    let upstream = Upstream::start().await;
    let sidecar = Sidecar::trusting(provider.issuer(), upstream.address())
        .with("PORTCULLIS_AUDIENCE", API)
        .rules(RULES)
        .start();
    let ask = |path: &str, token: &str| -> Answer {
        get(
            sidecar.address(),
            path,
            &format!("Authorization: Bearer {token}\r\nX-Auth-Subject: root\r\n"),
        )
    };
    let machine = provider.client_credentials(API, "orders.read").await;
    let user = provider.authorization_code(API, "orders.read orders.write").await;
    for (token, path, subject, client, scope) in [
        (&machine, "/orders/7", MACHINE, MACHINE, "orders.read"),
        (&user.access_token, "/orders/7", USER, WEB, "orders.read orders.write"),
        (&user.access_token, "/users/me", USER, WEB, "orders.read orders.write"),
    ] {
        assert_eq!(ask(path, token).status, 200, "{path}");
        let seen = upstream.take_one();
        assert_eq!(seen.field("x-auth-subject"), Some(subject));
        assert_eq!(seen.field("x-auth-client-id"), Some(client));
        assert_eq!(seen.field("x-auth-issuer"), Some(provider.issuer()));
        assert_eq!(seen.field("x-auth-scope"), Some(scope));
        assert_eq!(seen.field("authorization"), None);
    }
    let scopeless = provider.client_credentials(API, "profile.read").await;
    let elsewhere = provider.client_credentials("https://other.example.com", "orders.read").await;
    for (token, path, status, error) in [
        (&scopeless, "/orders/7", 403, Some("insufficient_scope")),
        (&machine, "/users/me", 403, None),
        (&user.id_token, "/orders/7", 401, Some("invalid_token")),
        (&elsewhere, "/orders/7", 401, Some("invalid_token")),
    ] {
        let answer = ask(path, token);
        assert_eq!(answer.status, status, "{path}");
        let challenge = answer.field("www-authenticate").unwrap();
        let told = error.map(|error| format!("error=\"{error}\""));
        assert_eq!(challenge.contains("error="), told.is_some(), "{challenge}");
        assert!(told.is_none_or(|told| challenge.contains(&told)), "{challenge}");
    }
    assert!(upstream.take().is_empty());
    assert_eq!(get(sidecar.address(), "/healthz", "").status, 200);
    assert_eq!(upstream.take_one().field("x-auth-subject"), None);

    provider.rotate_keys().await;
    let rotated = provider.client_credentials(API, "orders.read").await;
    assert_eq!(ask("/orders/7", &rotated).status, 200);
    assert_eq!(ask("/orders/7", &machine).status, 401);
}
