//! How the question is asked: its form, and the ways to prove who asks.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use portcullis::{Introspection, Issuer, ResourceServer};
use serde_json::{Value, json};

use super::support::fixture::{Expected, ISSUER, NOW, get, send};
use super::support::scripted_as::{Asked, Reply, ScriptedAs};
use super::{OPAQUE, PATH, active, answering, builder, introspecting};

async fn willing() -> ScriptedAs {
    let good = active(json!({})).to_string();
    answering(move |_| Reply::json(good.clone())).await
}

fn server(asking: Introspection) -> ResourceServer {
    builder(Issuer::introspected(ISSUER, asking)).build().unwrap()
}

async fn asked(fake: &ScriptedAs, asking: Introspection) -> Asked {
    server(asking).verify(OPAQUE).await.unwrap();
    fake.requests().pop().unwrap()
}

#[tokio::test]
async fn intro_01_intro_03_a_form_is_posted_by_basic() {
    let fake = willing().await;
    let at = Introspection::at(format!("{}{PATH}?x=1", fake.origin));
    let asked = asked(&fake, at.basic("a client:1", "p+ %é")).await;
    assert_eq!(asked.method(), "POST");
    assert_eq!(asked.path(), format!("{PATH}?x=1"));
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(asked.header("accept"), Some("application/json"));
    assert_eq!(asked.form("token").as_deref(), Some(OPAQUE));
    assert_eq!(asked.form("token_type_hint").as_deref(), Some("access_token"));
    assert_eq!(asked.form("client_id"), None);
    let credentials = STANDARD.encode("a+client%3A1:p%2B+%25%C3%A9");
    assert_eq!(asked.header("authorization"), Some(&*format!("Basic {credentials}")));
}

#[tokio::test]
async fn intro_03_id_and_secret_can_stand_in_the_form() {
    let fake = willing().await;
    let at = Introspection::at(format!("{}{PATH}", fake.origin));
    let asked = asked(&fake, at.post("rs", "s&=+é")).await;
    assert_eq!(asked.header("authorization"), None);
    assert_eq!(asked.form("client_id").as_deref(), Some("rs"));
    assert_eq!(asked.form("client_secret").as_deref(), Some("s&=+é"));
}

#[tokio::test]
async fn intro_03_private_key_jwt_is_a_new_assertion_each_time() {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(pkcs8.as_ref())
    );

    let fake = willing().await;
    let at = Introspection::at(format!("{}{PATH}", fake.origin));
    let server = server(at.private_key_jwt("rs", pem));
    let mut ids = Vec::new();
    for token in ["one", "two"] {
        server.verify(token).await.unwrap();
        let asked = fake.requests().pop().unwrap();
        assert_eq!(asked.header("authorization"), None);
        assert_eq!(asked.form("client_id").as_deref(), Some("rs"));
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(asked.form("client_assertion_type").as_deref(), Some(kind));
        // Another implementation finds it good.
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[ISSUER]);
        validation.validate_exp = false;
        let assertion = asked.form("client_assertion").unwrap();
        let key = DecodingKey::from_ec_components(&x, &y).unwrap();
        let claims = jsonwebtoken::decode::<Value>(&assertion, &key, &validation).unwrap().claims;
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("rs"), &json!("rs")));
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(NOW), &json!(NOW + 60)));
        ids.push(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn intro_04_hdr_12_only_credentials_are_sent() {
    let fake = willing().await;
    let server = introspecting(&fake).build().unwrap();
    let long = format!("Bearer {}", "x".repeat(16 * 1024 + 1));
    for bad in ["Bearer a b", "Bearer \"a\"", "Bearer a=b", "Bearer", "Bearer a,b", &*long] {
        send(&server, get(&[bad.as_bytes()]))
            .await
            .is(Expected::InvalidRequest, &bad[..10.min(bad.len())]);
    }
    send(&server, get(&[b"Bearer \xff"])).await.is(Expected::InvalidRequest, "not ASCII");
    for bad in ["a b", "é", "", "a=b"] {
        assert!(server.verify(bad).await.is_err());
    }
    assert_eq!(fake.log(), [""; 0]);
}
