//! Entrypage: every artifact is a client of its own, and audiences are client ids.

use portcullis::{Issuer, Preset, Requirement, ResourceServer, clients, policy, scope, users};
use serde_json::{Value, json};

use crate::stage::Fronts;
use crate::support::oidc_provider::{Login, OidcProvider, Tokens};

const REDIRECT: &str = "http://127.0.0.1/callback";
const API: &str = "shop-api";

/// The API is a client too; it asks for nothing here, and is what the others' tokens are for.
fn system(more: &Value) -> Value {
    let person = |id: &str, secret: Option<&str>, audience: Value| {
        let method = if secret.is_some() { "client_secret_basic" } else { "none" };
        json!({
            "client_id": id,
            "client_secret": secret,
            "token_endpoint_auth_method": method,
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "redirect_uris": [REDIRECT],
            "audience": audience,
        })
    };
    let machine = |id: &str, audience: Value| {
        json!({
            "client_id": id,
            "client_secret": "secret-of-its-own",
            "grant_types": ["client_credentials"],
            "response_types": [],
            "redirect_uris": [],
            "audience": audience,
        })
    };
    let mut system = json!({
        "scope": "orders.read orders.write",
        "person": {"role": "{tenant}"},
        "clients": [
            person("shop-spa", None, json!([API, "billing-api"])),
            person("shop-bff", Some("bff-secret"), json!([API])),
            machine(API, json!(["billing-api"])),
            machine("shop-worker", json!([API])),
        ],
    });
    let more = more.as_object().unwrap().clone();
    system.as_object_mut().unwrap().extend(more);
    system
}

/// The documentation leaves open whether `role` is one or a list.
fn admin() -> Requirement {
    policy(|token| match token.claim::<Value>("role") {
        Ok(Some(Value::String(role))) => role == "admin",
        Ok(Some(Value::Array(roles))) => roles.iter().any(|role| role == "admin"),
        _ => false,
    })
}

const RULES: &str = r#"
    [[rule]]
    path = "/orders"
    scopes = ["orders.read"]
    [[rule]]
    path = "/basket"
    scopes = ["orders.read"]
    callers = "users"
    [[rule]]
    path = "/nightly"
    scopes = ["orders.read"]
    callers = "clients"
    [[rule]]
    path = "/admin"
    claims = { role = "admin" }
"#;

async fn start(more: &Value) -> Option<(OidcProvider, Fronts)> {
    let provider = OidcProvider::start_system(&system(more)).await?;
    let issuer = Issuer::discover(provider.issuer()).preset(Preset::Entrypage).audience(API);
    let api = ResourceServer::builder().issuer(issuer).build().unwrap();
    let routes = [
        ("/orders", scope("orders.read")),
        ("/basket", scope("orders.read").and(users())),
        ("/nightly", scope("orders.read").and(clients())),
        ("/admin", admin()),
    ];
    let variables = [("PORTCULLIS_PRESET", "entrypage"), ("PORTCULLIS_AUDIENCE", API)];
    let fronts = Fronts::start(&api, &routes, provider.issuer(), &variables, RULES).await;
    Some((provider, fronts))
}

async fn sign_in(
    provider: &OidcProvider,
    client: &str,
    secret: Option<&str>,
    user: &str,
) -> Tokens {
    let resource = "https://resource.example";
    provider.sign_in(&Login { client, secret, user, resource, scope: "orders.read" }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn entrypage_people_and_workers_are_told_apart() {
    let Some((provider, fronts)) = start(&json!({})).await else { return };
    let spa = sign_in(&provider, "shop-spa", None, "alice@customer").await;
    let bff = sign_in(&provider, "shop-bff", Some("bff-secret"), "root@admin").await;
    let worker = provider.machine_token("shop-worker", "secret-of-its-own", "orders.read").await;
    let own = provider.machine_token(API, "secret-of-its-own", "orders.read").await;

    for token in [&spa.access_token, &bff.access_token] {
        fronts.allows("/orders", token).await;
        fronts.allows("/basket", token).await;
        fronts.refuses("/nightly", token, 403, None).await;
    }
    fronts.allows("/admin", &bff.access_token).await;
    fronts.refuses("/admin", &spa.access_token, 403, None).await;
    fronts.allows("/orders", &worker).await;
    fronts.allows("/nightly", &worker).await;
    fronts.refuses("/basket", &worker, 403, None).await;
    fronts.refuses("/admin", &worker, 403, None).await;
    // What this API got for calling another one is not for itself.
    fronts.refuses("/orders", &own, 401, Some("invalid_token")).await;
    fronts.refuses("/orders", &spa.id_token, 401, Some("invalid_token")).await;
    let scopeless =
        provider.machine_token("shop-worker", "secret-of-its-own", "orders.write").await;
    let short = fronts.get("/nightly", &scopeless).await;
    assert_eq!((short.status, short.scope.as_deref()), (403, Some("orders.read")));
}

/// Of the claims that are documented, none names the client. Then nobody is taken for anything.
#[tokio::test(flavor = "multi_thread")]
async fn entrypage_tokens_that_name_no_client_tell_no_callers() {
    let more = json!({"without": ["client_id"], "person": {"role": ["{tenant}", "staff"]}});
    let Some((provider, fronts)) = start(&more).await else { return };
    let spa = sign_in(&provider, "shop-spa", None, "root@admin").await.access_token;
    let worker = provider.machine_token("shop-worker", "secret-of-its-own", "orders.read").await;
    for token in [&spa, &worker] {
        fronts.allows("/orders", token).await;
        fronts.refuses("/basket", token, 403, None).await;
        fronts.refuses("/nightly", token, 403, None).await;
    }
    fronts.allows("/admin", &spa).await;
    fronts.refuses("/admin", &worker, 403, None).await;
}
