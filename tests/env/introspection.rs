//! Asking the authorization server, by variables: what works, and what refuses to start.

use std::slice;

use portcullis::{RejectionKind, ResourceServer};
use serde_json::json;

use super::support::fixture::{Fixture, ISSUER, NOW, RESOURCE, Stopped, kind};
use super::support::keys::{changed, claims};
use super::support::scripted_as::{Reply, ScriptedAs};
use super::{TempFile, lines, with};

const URI: (&str, &str) = ("PORTCULLIS_INTROSPECTION_URI", "https://as.example/introspect");
const ID: (&str, &str) = ("PORTCULLIS_CLIENT_ID", "rs");
const SECRET: (&str, &str) = ("PORTCULLIS_CLIENT_SECRET", "hush-hush");
const ALL: [(&str, &str); 3] = [URI, ID, SECRET];
const BEARER: (&str, &str) = ("PORTCULLIS_INTROSPECTION_AUTH", "bearer");
const TOKEN_URI: (&str, &str) = ("PORTCULLIS_TOKEN_URI", "https://as.example/token");
const OPAQUE: (&str, &str) = ("PORTCULLIS_INTROSPECTED_TOKENS", "opaque");

#[test]
fn intro_03_contradictions_refuse_to_start() {
    let needs_uri = "has no use without PORTCULLIS_INTROSPECTION_URI";
    let needed = "is required with PORTCULLIS_INTROSPECTION_URI";
    let no_bearer = "has no use but with PORTCULLIS_INTROSPECTION_AUTH=bearer";
    let jwks = ("PORTCULLIS_JWKS_URI", "https://as.example/jwks");
    let no_keys = "has no use where every token is introspected; \
        PORTCULLIS_INTROSPECTED_TOKENS=opaque has JWTs verified with these keys";
    for (vars, expected) in [
        (&ALL as &[_], &[] as &[String]),
        (&[URI, ID, SECRET, BEARER, TOKEN_URI], &[]),
        (&[URI, ID, SECRET, OPAQUE], &[]),
        (&[URI, ID, SECRET, OPAQUE, jwks], &[]),
        (&[URI, ID, SECRET, ("PORTCULLIS_INTROSPECTION_ANSWERS", "jwt"), jwks], &[]),
        (&[URI], &[format!("CLIENT_ID: {needed}"), format!("CLIENT_SECRET: {needed}")]),
        (&[URI, ID], &[format!("CLIENT_SECRET: {needed}")]),
        (
            &[ID, SECRET],
            &[format!("CLIENT_ID: {needs_uri}"), format!("CLIENT_SECRET: {needs_uri}")],
        ),
        (
            &[BEARER, OPAQUE],
            &[
                format!("INTROSPECTION_AUTH: {needs_uri}"),
                format!("INTROSPECTED_TOKENS: {needs_uri}"),
            ],
        ),
        (
            &[URI, ID, SECRET, BEARER],
            &["TOKEN_URI: is required with PORTCULLIS_INTROSPECTION_AUTH=bearer".to_owned()],
        ),
        (&[URI, ID, SECRET, TOKEN_URI], &[format!("TOKEN_URI: {no_bearer}")]),
        (&[URI, ID, SECRET, jwks], &[format!("JWKS_URI: {no_keys}")]),
        (
            &[
                ("PORTCULLIS_INTROSPECTION_URI", "http://as.example/introspect"),
                ID,
                SECRET,
                ("PORTCULLIS_INTROSPECTED_TOKENS", "opaqe"),
                ("PORTCULLIS_INTROSPECTION_ANSWERS", "jwts"),
                ("PORTCULLIS_INTROSPECTION_AUDIENCE", "implid"),
                jwks,
            ],
            &[
                "INTROSPECTION_URI: the introspection URI must be https (http is allowed to \
                 loopback addresses only)"
                    .to_owned(),
                "INTROSPECTED_TOKENS: must be all or opaque".to_owned(),
                "INTROSPECTION_ANSWERS: must be json or jwt".to_owned(),
                "INTROSPECTION_AUDIENCE: must be required or implied".to_owned(),
            ],
        ),
        (
            &[URI, ID, SECRET, ("PORTCULLIS_INTROSPECTION_AUTH", "Basic")],
            &["INTROSPECTION_AUTH: must be basic or post or private_key_jwt or bearer".to_owned()],
        ),
        (
            &[URI, ID, SECRET, ("PORTCULLIS_INTROSPECTION_AUTH", "private_key_jwt")],
            &["CLIENT_SECRET: the private key must be a private key in PEM: \
                -----BEGIN PRIVATE KEY----- (PKCS#8)"
                .to_owned()],
        ),
        (
            &[("PORTCULLIS_INTROSPECTION_URI", "http://as.example/i"), ID, SECRET],
            &["INTROSPECTION_URI: the introspection URI must be https (http is allowed to \
                loopback addresses only)"
                .to_owned()],
        ),
        (
            &[URI, ID, SECRET, BEARER, ("PORTCULLIS_TOKEN_URI", "/token")],
            &["TOKEN_URI: the token URI is not an absolute URL".to_owned()],
        ),
        (
            &[URI, ID, SECRET, ("PORTCULLIS_ISSUER", "https://a.example https://b.example")],
            &["INTROSPECTION_URI: is for one issuer, and PORTCULLIS_ISSUER has 2".to_owned()],
        ),
    ] {
        let told = lines(vars);
        let expected: Vec<_> = expected.iter().map(|line| format!("PORTCULLIS_{line}")).collect();
        assert_eq!(told, expected, "{vars:?}");
        assert!(!told.concat().contains("hush"));
    }
}

const MOBILEFIRST: (&str, &str) = ("PORTCULLIS_PRESET", "mobilefirst");

#[test]
fn the_preset_of_mobilefirst_asks_and_says_what_it_needs() {
    let needed = "is required with PORTCULLIS_PRESET=mobilefirst";
    let two = ("PORTCULLIS_ISSUER", "https://a.example/mfp https://b.example/mfp");
    let pattern = ("PORTCULLIS_ISSUER", "https://*.corp.example/mfp");
    let more = "PRESET: mobilefirst asks one server, and PORTCULLIS_ISSUER has more".to_owned();
    let no_url = ("PORTCULLIS_ISSUER", "mfp.example/mfp");
    let plain = ("PORTCULLIS_ISSUER", "http://mfp.example/mfp");
    for (vars, expected) in [
        (&[MOBILEFIRST, ID, SECRET] as &[_], &[] as &[String]),
        (&[MOBILEFIRST, ID, SECRET, URI, TOKEN_URI, OPAQUE], &[]),
        (&[MOBILEFIRST, ID, SECRET, ("PORTCULLIS_INTROSPECTION_AUTH", "basic")], &[]),
        (&[MOBILEFIRST], &[format!("CLIENT_ID: {needed}"), format!("CLIENT_SECRET: {needed}")]),
        (&[MOBILEFIRST, URI, ID], &[format!("CLIENT_SECRET: {needed}")]),
        (&[MOBILEFIRST, two, ID, SECRET], slice::from_ref(&more)),
        (
            &[MOBILEFIRST, pattern, ("PORTCULLIS_MAX_ISSUERS", "3"), ID, SECRET],
            slice::from_ref(&more),
        ),
        // What follows from the issuer is not told twice.
        (&[MOBILEFIRST, no_url, ID, SECRET], &["ISSUER: is not an absolute URL".to_owned()]),
        (
            &[MOBILEFIRST, plain, ID, SECRET],
            &["ISSUER: must be https (http is allowed to loopback addresses only)".to_owned()],
        ),
        (
            &[MOBILEFIRST, ID, SECRET, ("PORTCULLIS_JWKS", "{\"keys\":[]}")],
            &["JWKS: has no use where every token is introspected; \
                PORTCULLIS_INTROSPECTED_TOKENS=opaque has JWTs verified with these keys"
                .to_owned()],
        ),
    ] {
        let told = lines(vars);
        let expected: Vec<_> = expected.iter().map(|line| format!("PORTCULLIS_{line}")).collect();
        assert_eq!(told, expected, "{vars:?}");
    }
}

/// What it supplies, and that what is set besides counts instead.
#[tokio::test]
async fn the_preset_of_mobilefirst_supplies_what_is_not_set() {
    let fake = ScriptedAs::start(|asked| match asked.path() {
        "/mfp/api/az/v1/token" | "/else/token" => {
            assert_eq!(asked.form("scope").as_deref(), Some("authorization.introspect"));
            Reply::json(r#"{"access_token":"own","token_type":"Bearer"}"#)
        }
        "/mfp/api/az/v1/introspection" | "/else/introspection"
            if asked.header("authorization") == Some("Bearer own") =>
        {
            Reply::json(r#"{"active":true,"scope":"RegisteredClient","client_id":"app"}"#)
        }
        _ => Reply::status(401),
    })
    .await;
    let at = |path: &str| format!("{}{path}", fake.origin);
    let (server, slash, elsewhere) = (at("/mfp"), at("/mfp/"), at("/nothing/here"));
    let (uri, token) = (at("/else/introspection"), at("/else/token"));
    let (uri, token) = (("PORTCULLIS_INTROSPECTION_URI", &*uri), ("PORTCULLIS_TOKEN_URI", &*token));
    let unavailable = Err(RejectionKind::IntrospectionUnavailable);
    for (issuer, more, expected) in [
        (&server, &[] as &[_], Ok(())),
        (&slash, &[], Ok(())),
        (&elsewhere, &[], unavailable),
        (&elsewhere, &[uri, token], Ok(())),
        (&elsewhere, &[uri], unavailable),
        (&server, &[uri], Ok(())),
        (&server, &[("PORTCULLIS_INTROSPECTION_AUTH", "basic")], unavailable),
        (
            &server,
            &[("PORTCULLIS_INTROSPECTION_AUDIENCE", "required")],
            Err(RejectionKind::MissingClaim),
        ),
    ] {
        let mut vars = vec![MOBILEFIRST, ID, SECRET, ("PORTCULLIS_ISSUER", issuer)];
        vars.extend(more);
        let api = with(&vars).unwrap().build().unwrap();
        assert_eq!(kind(&api, "opaque").await, expected, "{vars:?}");
    }
}

async fn answering() -> ScriptedAs {
    let answer = changed(claims(ISSUER), json!({ "iat": NOW, "exp": NOW + 300, "active": true }));
    ScriptedAs::start(move |asked| match asked.path() {
        "/token" => Reply::json(r#"{"access_token":"own","token_type":"Bearer"}"#),
        _ if asked.header("authorization") == Some("Bearer own") => Reply::json(answer.to_string()),
        _ if asked.form("client_secret").as_deref() == Some("hush") => {
            let answer = changed(answer.clone(), json!({ "aud": null }));
            Reply::json(answer.to_string())
        }
        _ => Reply::status(401),
    })
    .await
}

fn server(fake: &ScriptedAs, vars: &[(&str, &str)]) -> ResourceServer {
    let (at, token) = (format!("{}/introspect", fake.origin), format!("{}/token", fake.origin));
    let mut all = vec![("PORTCULLIS_INTROSPECTION_URI", &*at), ID];
    let is_bearer = vars.contains(&BEARER);
    all.extend(is_bearer.then_some(("PORTCULLIS_TOKEN_URI", &*token)));
    all.extend(vars);
    with(&all).unwrap().resource(RESOURCE).clock(Stopped).build().unwrap()
}

#[tokio::test]
async fn tokens_are_asked_about_as_the_variables_say() {
    let fake = answering().await;
    let fixture = Fixture::new();
    let file = TempFile::new("client-secret", "hush\n");
    let secret = ("PORTCULLIS_CLIENT_SECRET_FILE", file.path());
    let post = ("PORTCULLIS_INTROSPECTION_AUTH", "post");
    let implied = ("PORTCULLIS_INTROSPECTION_AUDIENCE", "implied");
    let unavailable = Err(RejectionKind::IntrospectionUnavailable);

    assert_eq!(kind(&server(&fake, &[secret, BEARER]), "opaque").await, Ok(()));
    assert_eq!(kind(&server(&fake, &[secret, post, implied]), "opaque").await, Ok(()));
    let missing = Err(RejectionKind::MissingClaim);
    assert_eq!(kind(&server(&fake, &[secret, post]), "opaque").await, missing);
    assert_eq!(kind(&server(&fake, &[secret]), "opaque").await, unavailable, "basic");
    // A plain answer where a signed one was agreed on.
    let jwt = ("PORTCULLIS_INTROSPECTION_ANSWERS", "jwt");
    assert_eq!(kind(&server(&fake, &[secret, BEARER, jwt]), "opaque").await, unavailable);

    let keys = fixture.key.jwks();
    let by_shape = server(&fake, &[secret, BEARER, OPAQUE, ("PORTCULLIS_JWKS", &keys)]);
    assert_eq!(kind(&by_shape, "opaque").await, Ok(()));
    let stranger = Fixture::new().good();
    assert_eq!(kind(&by_shape, &stranger).await, Err(RejectionKind::BadSignature));
    assert_eq!(kind(&server(&fake, &[secret, BEARER]), &stranger).await, Ok(()));
}
