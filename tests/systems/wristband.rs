//! Wristband: one application, clients of its own and of its tenants, tokens without `aud`.

use portcullis::testing::Authority;
use portcullis::{
    AccessToken, Caller, Issuer, Preset, Requirement, ResourceServer, client_ids, clients,
    first_party, scope, tenant, users,
};
use serde_json::{Value, json};

use crate::stage::Fronts;
use crate::support::oidc_provider::{Login, OidcProvider};

const APPLICATION: &str = "vl6jdobxy5gafkr3dvztbvzrue";
const SCOPE: &str = "orders.read orders.write";
const REDIRECT: &str = "http://127.0.0.1/callback";

/// Four clients of the application, and one that the tenant globex has made.
fn system() -> Value {
    let person = |id: &str, secret: Option<&str>| {
        let method = if secret.is_some() { "client_secret_basic" } else { "none" };
        json!({
            "client_id": id,
            "client_secret": secret,
            "token_endpoint_auth_method": method,
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "redirect_uris": [REDIRECT],
        })
    };
    let machine = |id: &str, claims: Value| {
        json!({
            "client_id": id,
            "client_secret": "machine-secret",
            "grant_types": ["client_credentials"],
            "response_types": [],
            "redirect_uris": [],
            "claims": claims,
        })
    };
    json!({
        "scope": SCOPE,
        "jwksPath": "/api/v1/oauth2/jwks",
        "header": {"typ": "at+JWT"},
        "without": ["aud"],
        "claims": {"app_id": APPLICATION, "sub_kind": "client"},
        "person": {"sub_kind": "user", "tnt_id": "{tenant}", "idp_name": "wristband"},
        "clients": [
            person("server", Some("server-secret")),
            person("spa", None),
            person("native", None),
            machine("m2m", json!({})),
            machine("globex-m2m", json!({"tnt_id": "globex"})),
        ],
    })
}

fn routes() -> Vec<(&'static str, Requirement)> {
    let tenant = || tenant("tnt_id").in_path("/tenants/{tenant}/{*rest}");
    vec![
        ("/tenants/{tenant}/orders", tenant().and(scope("orders.read")).and(first_party())),
        ("/tenants/{tenant}/export", tenant().and(scope("orders.read"))),
        ("/profile", users()),
        ("/jobs", clients().and(client_ids(["m2m"]))),
    ]
}

const RULES: &str = r#"
    [[rule]]
    path = "/tenants/{tenant}/orders"
    tenant = { tnt_id = "{tenant}" }
    scopes = ["orders.read"]
    party = "first"
    [[rule]]
    path = "/tenants/{tenant}/export"
    tenant = { tnt_id = "{tenant}" }
    scopes = ["orders.read"]
    [[rule]]
    path = "/profile"
    callers = "users"
    [[rule]]
    path = "/jobs"
    callers = "clients"
    client_ids = ["m2m"]
"#;

const OWN: [&str; 4] = ["server", "spa", "native", "m2m"];

#[tokio::test(flavor = "multi_thread")]
async fn wristband_tenants_and_clients_keep_to_what_is_theirs() {
    let Some(provider) = OidcProvider::start_system(&system()).await else { return };
    let issuer = Issuer::discover(provider.issuer()).preset(Preset::Wristband);
    let issuer = issuer.audience(APPLICATION).first_party_clients(OWN);
    let api = ResourceServer::builder().issuer(issuer).build().unwrap();
    let variables = [
        ("PORTCULLIS_PRESET", "wristband"),
        ("PORTCULLIS_AUDIENCE", APPLICATION),
        ("PORTCULLIS_FIRST_PARTY_CLIENTS", "server spa native m2m"),
    ];
    let fronts = Fronts::start(&api, &routes(), provider.issuer(), &variables, RULES).await;

    let login = |client, secret, user| Login {
        client,
        secret,
        user,
        resource: "https://resource.example",
        scope: "orders.read",
    };
    let mut people = Vec::new();
    for (client, secret, user) in [
        ("server", Some("server-secret"), "alice@acme"),
        ("spa", None, "bob@acme"),
        ("native", None, "carol@acme"),
    ] {
        people.push(provider.sign_in(&login(client, secret, user)).await);
    }
    let globex = provider.sign_in(&login("spa", None, "dave@globex")).await;
    let machine = provider.machine_token("m2m", "machine-secret", "orders.read").await;
    let partner = provider.machine_token("globex-m2m", "machine-secret", "orders.read").await;

    let verified = api.verify(&people[0].access_token).await.unwrap();
    assert_eq!((verified.caller(), verified.caller_told_by()), user_by("sub_kind=user"));
    assert_eq!(verified.claim::<Value>("aud").unwrap(), None);

    for tokens in &people {
        let token = &tokens.access_token;
        fronts.allows("/tenants/acme/orders", token).await;
        fronts.allows("/profile", token).await;
        fronts.refuses("/jobs", token, 403, None).await;
        // Tenants that are there and those that are not are told alike.
        let other = fronts.get("/tenants/globex/orders", token).await;
        assert_eq!((other.status, other.error.as_deref()), (401, Some("invalid_token")));
        assert_eq!(other, fronts.get("/tenants/nobody/orders", token).await);
        fronts.refuses("/profile", &tokens.id_token, 401, Some("invalid_token")).await;
    }
    fronts.allows("/tenants/globex/orders", &globex.access_token).await;
    fronts.refuses("/tenants/acme/orders", &globex.access_token, 401, Some("invalid_token")).await;

    fronts.allows("/jobs", &machine).await;
    fronts.refuses("/profile", &machine, 403, None).await;
    fronts.refuses("/tenants/acme/orders", &machine, 401, Some("invalid_token")).await;

    // A client of the tenant's own is kept to its routes, and to its tenant on these.
    fronts.allows("/tenants/globex/export", &partner).await;
    fronts.refuses("/tenants/globex/orders", &partner, 403, None).await;
    fronts.refuses("/tenants/acme/export", &partner, 401, Some("invalid_token")).await;
    fronts.refuses("/jobs", &partner, 403, None).await;
}

fn user_by(sign: &str) -> (Caller, Option<&str>) {
    (Caller::User, Some(sign))
}

/// What only our own authority does: ID tokens by type, other applications, vanity domains.
#[tokio::test(flavor = "multi_thread")]
async fn wristband_id_tokens_and_tokens_of_other_applications_are_refused() {
    let authority = Authority::builder().issuer("http://x/acme-app").serve().await.unwrap();
    let own = authority
        .token()
        .without("aud")
        .header("typ", "at+JWT")
        .claim("app_id", APPLICATION)
        .claim("sub_kind", "user")
        .claim("tnt_id", "acme");
    // All vanity domains of this authorization server, of which it has one.
    let pattern = authority.issuer_url().replace("acme-app", "*");
    let issuer = Issuer::matching(&pattern).max_live(4).preset(Preset::Wristband);
    // Its keys are elsewhere than Wristband's are.
    let issuer = issuer.jwks_path("/jwks").audience(APPLICATION);
    let api = ResourceServer::builder().issuer(issuer).build().unwrap();
    let layer = async |token: &str| -> Result<AccessToken, u16> {
        api.verify(token).await.map_err(|rejection| rejection.status().as_u16())
    };
    assert!(layer(&own.mint()).await.is_ok());
    let refused = [
        own.clone().header("typ", "id+JWT"),
        own.clone().claim("app_id", "another-application"),
        own.clone().without("app_id"),
        own.clone().issuer("https://acme-app.example"),
        own.clone().claim("aud", APPLICATION).without("app_id"),
    ];
    for token in &refused {
        assert_eq!(layer(&token.mint()).await.unwrap_err(), 401, "{token:?}");
    }

    // The sidecar takes the keys by discovery, as by hand.
    let upstream = crate::sidecar_support::Upstream::start().await;
    let sidecar = crate::sidecar_support::Sidecar::trusting(&pattern, upstream.address())
        .with("PORTCULLIS_MAX_ISSUERS", "4")
        .with("PORTCULLIS_AUDIENCE", APPLICATION)
        .with("PORTCULLIS_AUDIENCE_CLAIM", "app_id")
        .with("PORTCULLIS_CALLER_TABLE", "client:sub_kind=client user:sub_kind=user")
        .start();
    let ask = |token: String| {
        let field = format!("Authorization: Bearer {token}\r\n");
        crate::sidecar_support::get(sidecar.address(), "/", &field).status
    };
    assert_eq!(ask(own.mint()), 200);
    for token in &refused {
        assert_eq!(ask(token.mint()), 401, "{token:?}");
    }
}
