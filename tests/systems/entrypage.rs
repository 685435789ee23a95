//! Entrypage: every artifact is a client of its own, and audiences are client ids.

use portcullis::{Issuer, Preset, Requirement, ResourceServer, clients, policy, scope, users};
use serde_json::{Value, json};

use crate::stage::Fronts;
use crate::support::oidc_provider::{Login, OidcProvider};

const REDIRECT: &str = "http://127.0.0.1/callback";
const API: &str = "shop-api";

/// The API is a client too; it asks for nothing here, and is what the others' tokens are for.
fn system() -> Value {
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
    json!({
        "scope": "orders.read orders.write",
        "person": {"role": "{tenant}"},
        "clients": [
            person("shop-spa", None, json!([API, "billing-api"])),
            person("shop-bff", Some("bff-secret"), json!([API])),
            machine(API, json!(["billing-api"])),
            machine("shop-worker", json!([API])),
        ],
    })
}

fn admin() -> Requirement {
    policy(|token| token.claim::<String>("role").is_ok_and(|role| role.as_deref() == Some("admin")))
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

#[tokio::test(flavor = "multi_thread")]
async fn entrypage_people_and_workers_are_told_apart() {
    let Some(provider) = OidcProvider::start_system(&system()).await else { return };
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

    let sign_in = async |client, secret, user| {
        let resource = "https://resource.example";
        let login = Login { client, secret, user, resource, scope: "orders.read" };
        provider.sign_in(&login).await
    };
    let spa = sign_in("shop-spa", None, "alice@customer").await;
    let bff = sign_in("shop-bff", Some("bff-secret"), "root@admin").await;
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
