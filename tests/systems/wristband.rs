//! Wristband: one application, clients of its own and of its tenants, tokens without `aud`.

use axum::Router;
use axum::routing::get;
use portcullis::testing::Authority;
use portcullis::{
    Caller, Issuer, Preset, Requirement, ResourceServer, client_ids, clients, first_party, scope,
    tenant, users,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::stage::Fronts;
use crate::support::oidc_provider::{self, Login, OidcProvider};

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
            "application_type": if id == "native" { "native" } else { "web" },
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
    let verified = api.verify(&machine).await.unwrap();
    assert_eq!((verified.caller(), verified.client_id()), (Caller::Client, Some("m2m")));
    assert!(without_pkce(&provider, "native").await.contains("error=invalid_request"));

    for tokens in &people {
        let token = &tokens.access_token;
        fronts.allows("/tenants/acme/orders", token).await;
        fronts.allows("/profile", token).await;
        fronts.refuses("/jobs", token, 403, None).await;
        // Tenants that are there and those that are not are told alike.
        let other = fronts.get("/tenants/globex/orders", token).await;
        assert_eq!((other.status, other.error.as_deref()), (401, Some("invalid_token")));
        assert!(!other.holds("globex") && !other.holds("tenant"), "{other:?}");
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

/// Where a client is sent back to that forgets it.
async fn without_pkce(provider: &OidcProvider, client: &str) -> String {
    let query =
        format!("response_type=code&scope=openid&client_id={client}&redirect_uri={REDIRECT}");
    let address = format!("{}/auth?{query}", provider.issuer());
    let answer = oidc_provider::client().get(address).send().await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// The vanity domain of an application or tenant, and its keys.
fn vanity_domain(origin: &str, name: &str) -> Authority {
    Authority::builder().issuer(format!("{origin}/{name}")).build().unwrap()
}

/// What only our own authority does: ID tokens by type, other applications, vanity domains. Here they
/// are paths of one host, as no names but its own lead to this machine.
#[tokio::test(flavor = "multi_thread")]
async fn wristband_vanity_domains_and_tokens_that_are_for_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let [acme, globex] = ["acme-app", "globex-app"].map(|name| vanity_domain(&origin, name));
    let mut keys = Router::new();
    for domain in [&acme, &globex] {
        let (set, name) = (domain.jwks(), domain.issuer_url().strip_prefix(&origin).unwrap());
        keys = keys.route(&format!("{name}/api/v1/oauth2/jwks"), get(|| async { set }));
    }
    tokio::spawn(async move { axum::serve(listener, keys).await.unwrap() });

    let pattern = format!("{origin}/*");
    let issuer = Issuer::matching(&pattern).max_live(4).preset(Preset::Wristband);
    let api = ResourceServer::builder().issuer(issuer.audience(APPLICATION)).build().unwrap();
    let variables = [
        ("PORTCULLIS_PRESET", "wristband"),
        ("PORTCULLIS_MAX_ISSUERS", "4"),
        ("PORTCULLIS_AUDIENCE", APPLICATION),
        ("PORTCULLIS_FIRST_PARTY_CLIENTS", "server spa native m2m"),
    ];
    let routes = [("/profile", users())];
    let fronts = Fronts::start(&api, &routes, &pattern, &variables, RULES).await;

    let token = |domain: &Authority| {
        let token = domain.token().without("aud").header("typ", "at+JWT");
        let token = token.claim("app_id", APPLICATION).claim("sub_kind", "user");
        token.claim("tnt_id", "acme")
    };
    for domain in [&acme, &globex] {
        fronts.allows("/profile", &token(domain).mint()).await;
        fronts
            .refuses("/profile", &token(domain).claim("sub_kind", "client").mint(), 403, None)
            .await;
    }
    let own = token(&acme);
    for refused in [
        own.clone().header("typ", "id+JWT"),
        own.clone().header("typ", "rt+JWT"),
        own.clone().claim("app_id", "another-application"),
        own.clone().without("app_id"),
        own.clone().claim("aud", APPLICATION).without("app_id"),
        // One domain does not speak for another, nor anybody for one that is none of Wristband's.
        own.clone().issuer(globex.issuer_url()),
        own.clone().issuer("https://acme-app.example"),
        own.clone().issuer(&format!("{origin}/acme-app/more")),
    ] {
        fronts.refuses("/profile", &refused.mint(), 401, Some("invalid_token")).await;
    }
}
