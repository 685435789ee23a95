//! Each preset, on tokens of the shape that its system documents.
#![cfg(all(feature = "testing", feature = "env"))]

use http::Request;
use http_body_util::Full;
use portcullis::testing::{Authority, TokenBuilder};
use portcullis::{
    Algorithm, Caller, Issuer, Preset, RejectionKind, ResourceServer, ResourceServerBuilder,
};
use serde_json::{Value, json};
use tower::ServiceBuilder;

fn authority(issuer: &str) -> Authority {
    Authority::builder().issuer(issuer).algorithms([Algorithm::RS256]).build().unwrap()
}

/// A token of these claims and no others but the times.
fn token(authority: &Authority, typ: Option<&str>, claims: &Value) -> TokenBuilder {
    let bare = ["aud", "sub", "client_id", "jti"];
    let token = bare.iter().fold(authority.token(), |token, name| token.without(name));
    let token = match typ {
        Some(typ) => token.header("typ", typ),
        None => token.without_header("typ"),
    };
    let claims = claims.as_object().unwrap().iter();
    claims.fold(token, |token, (name, value)| token.claim(name, value))
}

fn server(authority: &Authority, issuer: Issuer) -> ResourceServer {
    let builder = ResourceServer::builder().issuer(issuer).clock(authority.clock().clone());
    builder.http_client(authority.http_service()).build().unwrap()
}

/// The caller, the client and the scopes.
async fn seen(server: &ResourceServer, token: &TokenBuilder) -> (Caller, Option<String>, String) {
    let token = server.verify(&token.mint()).await.unwrap();
    let scopes: Vec<_> = token.scopes().collect();
    (token.caller(), token.client_id().map(str::to_owned), scopes.join(" "))
}

fn is(caller: Caller, client: &str, scopes: &str) -> (Caller, Option<String>, String) {
    (caller, Some(client.to_owned()), scopes.to_owned())
}

async fn refused(server: &ResourceServer, token: &TokenBuilder) -> RejectionKind {
    server.verify(&token.mint()).await.unwrap_err().kind()
}

/// `claims` without the members that are `null` in `changes`, and with the others.
fn with(claims: &Value, changes: Value) -> Value {
    let mut claims = claims.as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.remove(name),
            value => claims.insert(name.clone(), value.clone()),
        };
    }
    claims.into()
}

const AUTH0: &str = "https://example.eu.auth0.com/";

/// Of a person, in Auth0's own profile.
fn auth0_person() -> Value {
    json!({
        "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
        "aud": ["https://api.example", "https://example.eu.auth0.com/userinfo"],
        "azp": "my_client_id", "scope": "openid profile", "permissions": ["read:orders"],
    })
}

/// Of a machine, in Auth0's own profile.
fn auth0_machine() -> Value {
    json!({
        "sub": "my_client_id@clients", "aud": "https://api.example", "azp": "my_client_id",
        "gty": "client-credentials", "scope": "read:orders",
    })
}

#[tokio::test]
async fn auth0_permissions_and_machines() {
    let as_ = authority(AUTH0);
    let api = server(&as_, Issuer::auth0("example.eu.auth0.com").audience("https://api.example"));
    let person = token(&as_, Some("JWT"), &auth0_person());
    assert_eq!(seen(&api, &person).await, is(Caller::User, "my_client_id", "read:orders"));
    let machine = token(&as_, Some("JWT"), &auth0_machine());
    assert_eq!(seen(&api, &machine).await, is(Caller::Client, "my_client_id", "read:orders"));
    let without_slash = machine.issuer("https://example.eu.auth0.com");
    assert_eq!(refused(&api, &without_slash).await, RejectionKind::UntrustedIssuer);
}

/// The profile by RFC 9068 has `client_id` and `jti`, and neither `azp` nor `gty`.
#[tokio::test]
async fn auth0_machines_are_told_in_both_profiles_and_never_taken_for_people() {
    let as_ = authority(AUTH0);
    let api = server(&as_, Issuer::auth0("example.eu.auth0.com").audience("https://api.example"));
    let rfc9068 = |claims: &Value| {
        let changes = json!({"azp": null, "gty": null, "client_id": "my_client_id", "jti": "7"});
        with(claims, changes)
    };
    let (person, machine) = (auth0_person(), auth0_machine());
    for (typ, claims, caller) in [
        ("at+jwt", rfc9068(&person), Caller::User),
        ("at+jwt", rfc9068(&machine), Caller::Client),
        ("JWT", with(&machine, json!({"gty": null})), Caller::Client),
        ("JWT", with(&person, json!({"gty": "password"})), Caller::User),
        ("JWT", with(&person, json!({"gty": ["refresh_token", "password"]})), Caller::User),
        // The second part may be a name that its owner has chosen.
        ("JWT", with(&person, json!({"sub": "auth0|bob@clients"})), Caller::User),
        ("JWT", with(&person, json!({"sub": "google-oauth2|1"})), Caller::User),
        ("JWT", with(&person, json!({"sub": "my_client_id"})), Caller::Unknown),
    ] {
        let seen = seen(&api, &token(&as_, Some(typ), &claims)).await;
        assert_eq!((seen.0, seen.1.as_deref()), (caller, Some("my_client_id")), "{claims}");
    }
    // Without the preset such a machine is nobody's, and not a person.
    let plain = server(&as_, Issuer::discover(AUTH0).audience("https://api.example"));
    let machine = token(&as_, Some("at+jwt"), &rfc9068(&machine));
    assert_eq!(seen(&plain, &machine).await.0, Caller::Unknown);
}

#[tokio::test]
async fn keycloak_service_accounts() {
    let as_ = authority("https://sso.example.com/realms/shop");
    let issuer = Issuer::keycloak("https://sso.example.com/", "shop").audience("orders");
    let api = server(&as_, issuer);
    let claims = json!({
        "sub": "d952cf23-bf92-4c8f-a3ff-4972b4f2bc5b", "typ": "Bearer", "azp": "web", "acr": "1",
        "aud": ["orders", "account"], "sid": "b6a4", "scope": "openid orders.read",
        "realm_access": {"roles": ["offline_access"]}, "preferred_username": "alice",
    });
    let person = token(&as_, Some("JWT"), &claims);
    assert_eq!(seen(&api, &person).await, is(Caller::User, "web", "openid orders.read"));
    assert_eq!(refused(&api, &person.claim("typ", "ID")).await, RejectionKind::WrongTokenType);

    let machine = with(
        &claims,
        json!({
            "sid": null, "azp": "worker", "preferred_username": "service-account-worker",
            "client_id": "worker", "clientHost": "10.0.0.7", "clientAddress": "10.0.0.7",
        }),
    );
    let bare = json!({"client_id": null, "clientHost": null, "clientAddress": null});
    let old = json!({"client_id": null, "clientHost": null, "clientId": "worker"});
    for (claims, caller) in [
        (machine.clone(), Caller::Client),
        (with(&machine, old), Caller::Client),
        // With refresh tokens for service accounts there is a session.
        (with(&machine, json!({"sid": "b6a4"})), Caller::Client),
        // Without its mappers, with a session or not.
        (with(&machine, bare.clone()), Caller::Unknown),
        (with(&with(&machine, bare), json!({"sid": "b6a4"})), Caller::Unknown),
        // A lightweight token has none of this, whoever it is for.
        (with(&claims, json!({"preferred_username": null})), Caller::Unknown),
        // A person in an offline session, a name that pretends, client_id for RFC 9068.
        (with(&claims, json!({"sid": null})), Caller::User),
        (with(&claims, json!({"preferred_username": "service-account-x"})), Caller::Unknown),
        (with(&claims, json!({"client_id": "web"})), Caller::User),
    ] {
        assert_eq!(seen(&api, &token(&as_, Some("JWT"), &claims)).await.0, caller, "{claims}");
    }
    // Without the preset a service account is nobody's, and not a person.
    let plain = Issuer::discover("https://sso.example.com/realms/shop").audience("orders");
    let machine = token(&as_, Some("JWT"), &machine);
    assert_eq!(seen(&server(&as_, plain), &machine).await.0, Caller::Unknown);
}

#[tokio::test]
async fn entra_scopes_and_application_roles() {
    let tenant = "9122040d-6c67-4c5b-b112-36a304b66dad";
    let as_ = authority(&format!("https://login.microsoftonline.com/{tenant}/v2.0"));
    let api = server(&as_, Issuer::entra(tenant).audience("6e74172b-be56-4843-9ff4-e66a39bb12e3"));
    let person = token(
        &as_,
        Some("JWT"),
        &json!({
            "aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "azp": "client", "azpacr": "0",
            "oid": "690222be", "sub": "HKZpfaHyWadeOouYlitjrI", "tid": tenant, "ver": "2.0",
            "scp": "Orders.Read Orders.Write",
        }),
    );
    assert_eq!(seen(&api, &person).await, is(Caller::User, "client", "Orders.Read Orders.Write"));
    let application = person.clone().without("scp").claim("roles", ["Orders.Read.All"]);
    let told = application.clone().claim("idtyp", "app");
    assert_eq!(seen(&api, &told).await, is(Caller::Client, "client", "Orders.Read.All"));
    assert_eq!(seen(&api, &application).await.0, Caller::Unknown);
    // With include_user_token, and whatever else there may come to be.
    for (kind, caller) in
        [("user", Caller::User), ("app", Caller::Client), ("device", Caller::Unknown)]
    {
        assert_eq!(seen(&api, &person.clone().claim("idtyp", kind)).await.0, caller, "{kind}");
    }
}

#[tokio::test]
async fn okta_client_and_user_identifiers() {
    let as_ = authority("https://example.okta.com/oauth2/default");
    let api = server(&as_, Issuer::okta("example.okta.com", "default").audience("api://default"));
    let claims = json!({
        "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", "aud": "api://default",
        "sub": "alice@example.com", "cid": "0oa1", "uid": "00ujm", "scp": ["openid", "orders.read"],
    });
    let person = token(&as_, None, &claims);
    assert_eq!(seen(&api, &person).await, is(Caller::User, "0oa1", "openid orders.read"));
    let machine = person.clone().without("uid").subject("0oa1");
    assert_eq!(seen(&api, &machine).await.0, Caller::Client);
    // A person's name may be chosen to be a client's id.
    assert_eq!(seen(&api, &person.clone().subject("0oa1")).await.0, Caller::User);
    assert_eq!(seen(&api, &person.without("uid")).await.0, Caller::Unknown);
}

#[tokio::test]
async fn cognito_access_tokens_have_no_audience() {
    let as_ = authority("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123");
    let issuer = Issuer::cognito("eu-central-1", "eu-central-1_AbCdEf123").audience("app-client");
    let api = server(&as_, issuer);
    let claims = json!({
        "sub": "aaaaaaaa-bbbb", "token_use": "access", "client_id": "app-client",
        "username": "alice", "scope": "aws.cognito.signin.user.admin", "version": 2,
    });
    let person = token(&as_, None, &claims);
    let scope = "aws.cognito.signin.user.admin";
    assert_eq!(seen(&api, &person).await, is(Caller::User, "app-client", scope));
    let machine = person.clone().without("username").subject("app-client");
    assert_eq!(seen(&api, &machine).await.0, Caller::Client);
    let other = person.clone().client_id("other-client");
    assert_eq!(refused(&api, &other).await, RejectionKind::WrongAudience);
    let id_token = person.clone().claim("token_use", "id");
    assert_eq!(refused(&api, &id_token).await, RejectionKind::RequiredClaimNotMet);
    let aud_instead = person.without("client_id").audience("app-client");
    assert_eq!(refused(&api, &aud_instead).await, RejectionKind::MissingClaim);
}

#[tokio::test]
async fn google_service_accounts() {
    let as_ = authority("https://accounts.google.com");
    let api = server(&as_, Issuer::google().audience("https://orders-x.a.run.app"));
    let claims = json!({
        "aud": "https://orders-x.a.run.app", "azp": "112347", "sub": "112347",
        "email": "worker@project.iam.gserviceaccount.com", "email_verified": true,
    });
    let service = token(&as_, Some("JWT"), &claims);
    assert_eq!(seen(&api, &service).await, is(Caller::Client, "112347", ""));
    assert_eq!(seen(&api, &service.clone().subject("7")).await.0, Caller::Unknown);
    let sign_in = service.claim("nonce", "n");
    assert_eq!(refused(&api, &sign_in).await, RejectionKind::WrongTokenType);
}

#[tokio::test]
async fn wristband_applications_and_subject_kinds() {
    let as_ = authority("https://shop-acme.us.wristband.dev");
    let client = ServiceBuilder::new()
        .map_request(|request: Request<Full<bytes::Bytes>>| {
            assert_eq!(request.uri().path(), "/api/v1/oauth2/jwks");
            request
        })
        .service(as_.http_service());
    let issuer = Issuer::wristband("shop-acme.us.wristband.dev").audience("vl6jdobxy5gafkr3");
    let builder = ResourceServer::builder().issuer(issuer).http_client(client);
    let api = builder.clock(as_.clock().clone()).build().unwrap();
    let claims = json!({
        "sub": "pbiafsut7jg53jvjjp3o4ugvuu", "idp_name": "wristband", "amr": ["pwd"],
        "van_dom": "shop-acme.us.wristband.dev", "client_id": "uuvx2lzdzvhhjca5pe7nejwwdy",
        "tnt_id": "6qn3movx3fgtloh2qjut5s4nha", "scope": "openid offline_access email",
        "sub_kind": "user", "app_id": "vl6jdobxy5gafkr3", "jti": "2yzkcjdk25cl7e3uugzeo6kfha",
    });
    let person = token(&as_, Some("at+JWT"), &claims);
    let client = "uuvx2lzdzvhhjca5pe7nejwwdy";
    assert_eq!(seen(&api, &person).await, is(Caller::User, client, "openid offline_access email"));
    assert_eq!(seen(&api, &person.clone().claim("sub_kind", "client")).await.0, Caller::Client);
    assert_eq!(seen(&api, &person.clone().claim("sub_kind", "robot")).await.0, Caller::Unknown);
    let id_token = person.clone().header("typ", "id+JWT");
    assert_eq!(refused(&api, &id_token).await, RejectionKind::WrongTokenType);
    let other = person.clone().claim("app_id", "another");
    assert_eq!(refused(&api, &other).await, RejectionKind::WrongAudience);

    // All vanity domains.
    let issuer = Issuer::matching("https://*.us.wristband.dev").max_live(4);
    let issuer = issuer.preset(Preset::Wristband).audience("vl6jdobxy5gafkr3");
    let builder = ResourceServer::builder().issuer(issuer).http_client(as_.http_service());
    let api = builder.clock(as_.clock().clone()).build().unwrap();
    assert_eq!(seen(&api, &person).await.0, Caller::User);
    for (name, expected) in [
        ("https://shop-acme.us.wristband.dev.example", RejectionKind::UntrustedIssuer),
        ("https://a.b.us.wristband.dev", RejectionKind::UntrustedIssuer),
        // It is one, and not the one whose keys there are.
        ("https://other.us.wristband.dev", RejectionKind::KeysUnavailable),
    ] {
        assert_eq!(refused(&api, &person.clone().issuer(name)).await, expected, "{name}");
    }
}

/// An authority stands for the server too, at the server's addresses.
#[cfg(feature = "introspection")]
#[tokio::test]
async fn mobilefirst_is_asked_with_a_token_of_our_own() {
    let as_ = authority("https://mfp.example.com/mfp");
    let own = portcullis::testing::Client::new("orders-api", "hush");
    as_.register(own.allowed_scope("authorization.introspect")).unwrap();
    let issuer = Issuer::mobilefirst("https://mfp.example.com/mfp", "orders-api", "hush");
    let api = server(&as_, issuer.audience("https://api.example.com"));
    let claims = json!({"client_id": "test", "scope": "RegisteredClient messages.write"});
    let good = token(&as_, None, &claims).opaque();
    let seen = api.verify(&good).await.unwrap();
    assert_eq!((seen.caller(), seen.client_id()), (Caller::Unknown, Some("test")));
    assert_eq!(seen.scopes().collect::<Vec<_>>(), ["RegisteredClient", "messages.write"]);
    as_.revoke(&good);
    let api = server(
        &as_,
        Issuer::mobilefirst("https://mfp.example.com/mfp", "orders-api", "hush")
            .audience("https://api.example.com"),
    );
    assert_eq!(api.verify(&good).await.unwrap_err().kind(), RejectionKind::Inactive);
}

#[tokio::test]
async fn entrypage_audiences_are_clients() {
    let as_ = authority("https://example.entrypage.io");
    let api = server(&as_, Issuer::entrypage("https://example.entrypage.io").audience("shop-api"));
    let claims = json!({
        "sub": "u1", "role": ["admin"], "scope": "orders.read", "aud": ["shop-api", "billing-api"],
        "client_id": "shop-spa",
    });
    let person = token(&as_, Some("JWT"), &claims);
    assert_eq!(seen(&api, &person).await, is(Caller::User, "shop-spa", "orders.read"));
    let worker = person.clone().subject("worker").client_id("worker");
    assert_eq!(seen(&api, &worker).await.0, Caller::Client);
    assert_eq!(seen(&api, &person.clone().without("client_id")).await.0, Caller::Unknown);
    let other = person.claim("aud", ["billing-api"]);
    assert_eq!(refused(&api, &other).await, RejectionKind::WrongAudience);
}

#[test]
fn issuers_that_cannot_be_of_the_system_are_faults() {
    for (preset, bad, good) in [
        (Preset::Auth0, "https://x.auth0.com", "https://x.auth0.com/"),
        (Preset::Keycloak, "https://sso.example", "https://sso.example/auth/realms/shop"),
        (Preset::Keycloak, "https://sso.example/realms/shop/", "https://sso.example/realms/shop"),
        (Preset::Entra, "https://sts.windows.net/t/", "https://login.microsoftonline.com/t/v2.0"),
        (Preset::Okta, "https://x.okta.com", "https://x.okta.com/oauth2/aus1"),
        (Preset::Okta, "https://x.okta.com/oauth2/default/", "https://x.okta.com/oauth2/default"),
        (Preset::Google, "https://google.com", "https://accounts.google.com"),
        (Preset::Wristband, "https://a.wristband.dev/", "https://a.wristband.dev"),
    ] {
        let as_ = authority("https://as.example");
        let build = |name: &str| {
            let issuer = Issuer::discover(name).preset(preset).audience("a");
            ResourceServer::builder().issuer(issuer).http_client(as_.http_service()).build()
        };
        assert!(build(good).is_ok(), "{good}");
        assert_eq!(build(bad).unwrap_err().faults().len(), 1, "{bad}");
    }
}

#[tokio::test]
async fn variables_take_presets_and_what_is_set_besides_stands() {
    let names: Vec<_> = Preset::ALL.iter().map(|(name, _)| *name).collect();
    let as_ = authority("https://example.eu.auth0.com/");
    let read = |more: &[(&'static str, &'static str)]| {
        let basic = [
            ("PORTCULLIS_ISSUER", "https://example.eu.auth0.com/"),
            ("PORTCULLIS_AUDIENCE", "https://api.example"),
            ("PORTCULLIS_PRESET", "auth0"),
        ];
        ResourceServerBuilder::from_vars(basic.into_iter().chain(more.iter().copied()))
    };
    let build = |more| {
        let builder = read(more).unwrap().http_client(as_.http_service());
        builder.clock(as_.clock().clone()).build().unwrap()
    };
    let claims = json!({
        "sub": "x|u", "aud": "https://api.example", "azp": "c", "scope": "b", "permissions": ["a"],
    });
    let token = token(&as_, Some("JWT"), &claims);
    assert_eq!(seen(&build(&[]), &token).await, is(Caller::User, "c", "a"));
    let other = [
        ("PORTCULLIS_SCOPE_CLAIMS", "scope"),
        ("PORTCULLIS_CALLER_TABLE", "client:azp=c"),
        ("PORTCULLIS_CLIENT_CLAIMS", "sub"),
    ];
    assert_eq!(seen(&build(&other), &token).await, is(Caller::Client, "x|u", "b"));
    let unknown = ResourceServerBuilder::from_vars([
        ("PORTCULLIS_ISSUER", "https://as.example"),
        ("PORTCULLIS_AUDIENCE", "a"),
        ("PORTCULLIS_PRESET", "auth-zero"),
    ]);
    let expected = format!("PORTCULLIS_PRESET: must be {}", names.join(" or "));
    assert_eq!(unknown.map(drop).unwrap_err().to_string(), expected);
}

/// What `docs/systems.md` says for the sidecar, as far as it is about the engine.
#[cfg(feature = "introspection")]
#[test]
fn the_settings_on_the_page_about_systems_are_good() {
    let page = include_str!("../docs/systems.md");
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut presets = Vec::new();
    for block in blocks.filter(|block| block.contains("PORTCULLIS_ISSUER=")) {
        let variables = block.lines().map(|line| {
            let (name, value) = line.split_once('=').unwrap();
            let value = value.split("    #").next().unwrap().trim_matches('"');
            // There is no such file here.
            (name.strip_suffix("_FILE").unwrap_or(name), value)
        });
        let variables: Vec<_> = variables.collect();
        let read = ResourceServerBuilder::from_vars(variables.clone());
        assert_eq!(read.map(drop).map_err(|faults| faults.to_string()), Ok(()));
        presets.extend(variables.into_iter().filter(|(name, _)| *name == "PORTCULLIS_PRESET"));
    }
    let presets: Vec<_> = presets.into_iter().map(|(_, preset)| preset).collect();
    assert_eq!(presets, ["mobilefirst", "wristband", "entrypage", "auth0"]);
}
