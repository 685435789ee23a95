//! What is told about issuers, good ones and others. The binary itself is run by
//! `tests/command_line.rs`.

use super::*;
use crate::authentication::Issuer;
use crate::authorization::Requirement;
use crate::introspection::Introspection;
use crate::jose::Algorithm;
use crate::resource_server::ResourceServerBuilder;
use crate::testing::{Authority, Client, Outage};

async fn told(engine: ResourceServerBuilder) -> (bool, String) {
    let mut page = Page::default();
    let good = check(&engine.build().unwrap(), &mut page).await;
    (good, page.to_string())
}

#[track_caller]
fn contains(text: &str, rows: &[&str]) {
    for row in rows {
        assert!(text.contains(row), "{row}\n{text}");
    }
}

#[tokio::test]
async fn a_good_configuration_is_told_with_its_keys() {
    let authority = Authority::builder().algorithms([Algorithm::ES256]).build().unwrap();
    let issuer = authority.issuer().required_claim("tenant", "acme");
    let engine = ResourceServer::builder()
        .http_client(authority.http_service())
        .issuer(issuer)
        .required(Requirement::from_config("orders.read push.*").unwrap());
    let (good, text) = told(engine).await;
    assert!(good, "{text}");
    contains(
        &text,
        &[
            "Issuer https://authority.example\n",
            "keys from         discovery at https://authority.example\n",
            "key set           https://authority.example/",
            "keys              1: ",
            "(ES256)\n",
            "age               0 s, next refresh in ",
            "audience          [https://api.example.com]\n",
            "algorithm         [ES256]\n",
            "leeway            1 min\n",
            "claim             tenant=acme\n",
            "scopes            [orders.read, push.*]\n",
        ],
    );
    assert!(!text.contains("error"), "{text}");
}

#[tokio::test]
async fn f41_introspection_is_tried_and_credentials_that_are_refused_are_told() {
    let authority = Authority::new();
    authority.register(Client::new("api", "hush-hush")).unwrap();
    let engine = |secret: &str| {
        let ask = Introspection::at(authority.introspection_endpoint()).basic("api", secret);
        let issuer = Issuer::introspected(authority.issuer_url(), ask).audience("x");
        ResourceServer::builder().issuer(issuer).http_client(authority.http_service())
    };
    let (good, text) = told(engine("hush-hush")).await;
    assert!(good, "{text}");
    contains(
        &text,
        &[
            "keys from         nowhere: its tokens are introspected\n  introspection ",
            "introspection     https://authority.example/introspect\n",
        ],
    );
    let (good, text) = told(engine("wrong")).await;
    assert!(!good, "{text}");
    contains(&text, &["error             the introspection endpoint refuses our credentials\n"]);
    assert!(!text.contains("hush"), "{text}");
}

#[tokio::test]
async fn every_issuer_is_asked_and_one_without_keys_is_not_good() {
    let authority = Authority::new();
    authority.set_outage(Outage::Keys);
    let known = Issuer::with_jwks("https://b.example", authority.jwks()).audience("x");
    let engine = || authority.resource_server().issuer(known.clone());
    let (good, text) = told(engine()).await;
    assert!(!good);
    contains(&text, &["status 503", "hint ", "Issuer https://b.example", "never refreshed"]);
    authority.set_outage(Outage::None);
    let (good, text) = told(engine()).await;
    assert!(good, "{text}");
    assert!(!text.contains("hint "), "{text}");
}

#[tokio::test]
async fn keys_of_no_use_are_named_with_their_reasons() {
    let authority =
        Authority::builder().algorithms([Algorithm::ES256, Algorithm::EdDSA]).build().unwrap();
    let issuer = || Issuer::with_jwks(authority.issuer_url(), authority.jwks()).audience("x");
    let engine = ResourceServer::builder().issuer(issuer().algorithms([Algorithm::ES256]));
    let (good, text) = told(engine).await;
    assert!(good);
    contains(&text, &["ignored           key 2: no allowed algorithm fits the key"]);
}
