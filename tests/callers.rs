//! Who is calling: people, clients, our own and others, and who acts for whom (SPEC F67, §19).
#![cfg(feature = "testing")]

use portcullis::testing::{Authority, TokenBuilder};
use portcullis::{
    Caller, CallerSign, CallerTable, Issuer, RejectionKind, Requirement, ResourceServer, actor,
    actor_of, any_of, client_ids, clients, first_party, no_actor, third_party, users,
};

const AUDIENCE: &str = "https://rs.example";

fn authority() -> Authority {
    Authority::builder().audience(AUDIENCE).build().unwrap()
}

fn server(authority: &Authority, issuer: Issuer) -> ResourceServer {
    ResourceServer::builder()
        .issuer(issuer)
        .clock(authority.clock().clone())
        .http_client(authority.http_service())
        .build()
        .unwrap()
}

async fn allowed(server: &ResourceServer, token: &TokenBuilder, needed: &Requirement) -> bool {
    server.verify(&token.mint()).await.unwrap().allows(needed)
}

#[tokio::test]
async fn a_table_of_its_own_tells_the_callers_of_an_issuer() {
    let authority = authority();
    let table = CallerTable::new()
        .client(CallerSign::is("gty", "client-credentials"))
        .user(CallerSign::different("sub", "azp"));
    let server = server(&authority, authority.issuer().callers(table));
    let token = authority.token().without("client_id").subject("x@clients");
    let machine = token.clone().claim("azp", "x").claim("gty", "client-credentials");
    let person = token.clone().subject("auth0|7").claim("azp", "x");
    for (token, caller, told_by, client) in [
        (&machine, Caller::Client, Some("gty=client-credentials"), Some("x")),
        (&person, Caller::User, Some("sub!=azp"), Some("x")),
        (&token, Caller::Unknown, None, None),
    ] {
        let verified = server.verify(&token.mint()).await.unwrap();
        assert_eq!((verified.caller(), verified.caller_told_by()), (caller, told_by));
        assert_eq!(verified.client_id(), client);
        assert_eq!(verified.allows(&users()), caller == Caller::User);
        assert_eq!(verified.allows(&clients()), caller == Caller::Client);
    }
}

#[tokio::test]
async fn clients_are_known_by_the_claims_that_name_them() {
    let authority = authority();
    let server = server(&authority, authority.issuer().client_claims(["cid", "client_id"]));
    let token = authority.token().client_id("standard");
    let other = token.clone().claim("cid", "other");
    assert!(allowed(&server, &token, &client_ids(["standard", "x"])).await);
    assert!(!allowed(&server, &token, &client_ids(["STANDARD", ""])).await);
    assert!(allowed(&server, &other, &client_ids(["other"])).await);
    assert!(!allowed(&server, &other, &client_ids(["standard"])).await);
    assert!(!allowed(&server, &token, &client_ids([] as [&str; 0])).await);
    let malformed = server.verify(&token.claim("cid", 7).mint()).await.unwrap_err();
    assert_eq!(malformed.kind(), RejectionKind::MalformedClaim);
}

#[tokio::test]
async fn our_own_clients_are_told_from_others_and_unknown_ones_are_neither() {
    let authority = authority();
    let by_list = server(&authority, authority.issuer().first_party_clients(["web"]));
    let by_claim = server(&authority, authority.issuer().first_party_claim("owner", "app"));
    let not_told = server(&authority, authority.issuer());
    let token = authority.token();
    let (web, partner) = (token.clone().client_id("web"), token.clone().client_id("partner"));
    let app = partner.clone().claim("owner", "app");
    let tenant = web.clone().claim("owner", "tenant");
    for (server, token, first, third) in [
        (&by_list, &web, true, false),
        (&by_list, &partner, false, true),
        (&by_list, &web.clone().without("client_id"), false, false),
        (&by_claim, &app, true, false),
        (&by_claim, &tenant, false, true),
        (&by_claim, &web, false, false),
        (&not_told, &web, false, false),
    ] {
        assert_eq!(allowed(server, token, &first_party()).await, first);
        assert_eq!(allowed(server, token, &third_party()).await, third);
    }
}

#[cfg(feature = "env")]
#[tokio::test]
async fn variables_tell_parties_by_list_or_by_claim() {
    let authority = authority();
    for (variable, value, first) in [
        ("PORTCULLIS_FIRST_PARTY_CLIENTS", "web spa", [true, false]),
        ("PORTCULLIS_FIRST_PARTY_CLAIM", "owner=app", [false, true]),
    ] {
        let variables = [
            ("PORTCULLIS_ISSUER", authority.issuer_url()),
            ("PORTCULLIS_AUDIENCE", "https://api.example.com"),
            (variable, value),
        ];
        let builder = portcullis::ResourceServerBuilder::from_vars(variables).unwrap();
        let builder = builder.clock(authority.clock().clone());
        let server = builder.http_client(authority.http_service()).build().unwrap();
        let token = authority.token().audience("https://api.example.com");
        let web = token.clone().client_id("web").claim("owner", "tenant");
        let app = token.client_id("app").claim("owner", "app");
        for (token, first) in [web, app].iter().zip(first) {
            assert_eq!(allowed(&server, token, &first_party()).await, first, "{variable}");
            assert_eq!(allowed(&server, token, &third_party()).await, !first, "{variable}");
        }
    }
}

#[tokio::test]
async fn act_01_act_04_act_05_actors_are_allowed_by_name_and_issuer() {
    let authority = authority();
    let server = server(&authority, authority.issuer());
    let plain = authority.token();
    let agent = plain.clone().claim("act", serde_json::json!({"sub": "agent"}));
    let foreign = serde_json::json!({"sub": "agent", "iss": "https://other.example"});
    let foreign = plain.clone().claim("act", foreign);
    let abroad = actor_of("https://other.example", "agent");
    for (token, needed, expected) in [
        (&plain, no_actor(), true),
        (&agent, no_actor(), false),
        (&agent, actor("agent"), true),
        (&agent, actor("admin"), false),
        (&agent, abroad.clone(), false),
        (&foreign, actor("agent"), false),
        (&foreign, abroad.clone(), true),
        (&plain, actor("agent"), false),
        (&plain, any_of([actor("agent"), no_actor()]), true),
    ] {
        assert_eq!(allowed(&server, token, &needed).await, expected, "{needed:?}");
    }
    let verified = server.verify(&foreign.mint()).await.unwrap();
    let acting = verified.actor().unwrap();
    assert_eq!((acting.issuer(), acting.subject()), ("https://other.example", "agent"));
}

#[test]
fn what_tells_callers_has_names_and_values() {
    let authority = authority();
    let build = |issuer| {
        let server = ResourceServer::builder().issuer(issuer).http_client(authority.http_service());
        server.build().unwrap_err().to_string()
    };
    let issuer = || authority.issuer();
    let sign = build(issuer().callers(CallerTable::new().client(CallerSign::is("gty", ""))));
    assert!(sign.ends_with("a sign in the caller table lacks a claim or a value"), "{sign}");
    let none = build(issuer().client_claims([] as [&str; 0]));
    assert!(none.ends_with("claims that name the client must be one or more names"), "{none}");
    for empty in [issuer().first_party_clients([""]), issuer().first_party_claim("owner", "")] {
        assert!(build(empty).contains("first-party clients must be one or more names"));
    }
}
