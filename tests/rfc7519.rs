//! Claims (RFC 7519, SPEC §8) and access tokens (RFC 9068, SPEC §10), as a client sees it.

mod support;

use std::time::Duration;

use portcullis::{AccessToken, Caller, Issuer, Profile, RejectionKind, ResourceServer};
use serde_json::{Value, json};
use support::fixture::{Expected, Fixture, ISSUER, NOW, bearer, kind, send};

fn strict(fixture: &Fixture) -> ResourceServer {
    fixture.builder_with(fixture.issuer().profile(Profile::Rfc9068)).build().unwrap()
}

fn with_leeway(fixture: &Fixture, seconds: u64) -> ResourceServer {
    let issuer = fixture.issuer().leeway(Duration::from_secs(seconds));
    fixture.builder_with(issuer).build().unwrap()
}

#[tokio::test]
async fn jwt_01_jwt_02_jwt_03_lifetimes_to_the_second_f34_f35() {
    let fixture = Fixture::new();
    use RejectionKind::{Expired, NotYetValid};
    for (row, leeway, claims, expected) in [
        ("JWT-01", 0, json!({ "exp": NOW }), Err(Expired)),
        ("JWT-01", 0, json!({ "exp": NOW + 1 }), Ok(())),
        ("JWT-05 fraction", 0, json!({ "exp": NOW as f64 + 0.5 }), Ok(())),
        ("JWT-01", 60, json!({ "exp": NOW - 59 }), Ok(())),
        ("JWT-01", 60, json!({ "exp": NOW - 60 }), Err(Expired)),
        ("JWT-02", 60, json!({ "nbf": NOW + 60 }), Ok(())),
        ("JWT-02", 60, json!({ "nbf": NOW + 61 }), Err(NotYetValid)),
        ("JWT-03", 60, json!({ "iat": NOW + 60 }), Ok(())),
        ("JWT-03", 60, json!({ "iat": NOW + 61 }), Err(NotYetValid)),
        ("JWT-04", 300, json!({ "exp": NOW - 299 }), Ok(())),
    ] {
        let server = with_leeway(&fixture, leeway);
        assert_eq!(kind(&server, &fixture.at(claims)).await, expected, "{row}");
    }
}

#[tokio::test]
async fn jwt_04_jwt_09_res_04_disc_05_settings_that_refuse_to_build() {
    let fixture = Fixture::new();
    for (row, issuer) in [
        ("JWT-04", fixture.issuer().leeway(Duration::from_secs(301))),
        ("RES-04", fixture.issuer().audience("*")),
        ("RES-04", fixture.issuer().audience("")),
        ("RES-04", fixture.issuer().dangerous().skip_audience()),
        ("DISC-05", Issuer::discover("http://as.example")),
        ("DISC-05", Issuer::discover("https://as.example?x")),
        ("DISC-05", Issuer::discover("https://as.example#x")),
        ("DISC-05", Issuer::discover("as.example")),
        ("DISC-05", Issuer::with_jwks_uri(ISSUER, "http://as.example/jwks")),
        ("empty issuer", Issuer::with_jwks("", fixture.key.jwks())),
        ("no keys", Issuer::with_jwks(ISSUER, "{}")),
        ("no file", Issuer::with_jwks_file(ISSUER, "/nonexistent/jwks.json")),
        ("scope claims", fixture.issuer().scope_claims([] as [&str; 0])),
        ("WILD-09", fixture.issuer().allowed_scopes("réad*")),
        ("WILD-08", fixture.issuer().allowed_scopes("a".repeat(257))),
        ("SCOPE-11", fixture.issuer().implies("admin", "a\"b")),
    ] {
        let error = fixture.builder_with(issuer).build().unwrap_err();
        assert_eq!(error.faults().len(), 1, "{row}: {error}");
        assert!(error.faults()[0].setting().starts_with("issuer \""), "{row}: {error}");
    }
    for resource in ["https:rs.example", "https:///rs.example", "https://u:p@rs.example", "rs"] {
        let error = fixture.builder().resource(resource).build().unwrap_err();
        assert_eq!(error.faults()[0].setting(), "resource", "PRM-04 {resource}");
        assert!(!error.to_string().contains("u:p"));
    }
    // RES-04: without resource there is no audience to fall back to.
    let error = support::server::builder().issuer(fixture.issuer()).build().unwrap_err();
    assert!(error.to_string().contains("audience"), "{error}");
}

#[tokio::test]
async fn every_fault_of_a_configuration_is_reported_at_once() {
    let fixture = Fixture::new();
    let issuer = fixture
        .issuer()
        .audience("*")
        .leeway(Duration::from_secs(301))
        .algorithms([])
        .allowed_scopes("é a\"b")
        .required_claim("", "x");
    let error = support::server::builder()
        .issuer(issuer)
        .issuer(Issuer::discover("http://as.example"))
        .issuer(Issuer::discover("http://as.example").audience("a"))
        .resource("http://rs.example")
        .realm("")
        .error_uri(" ")
        .build()
        .unwrap_err();
    let text = error.to_string();
    for part in [
        "resource: must be https (http is allowed to loopback addresses only)",
        "realm: ",
        "error_uri: ",
        "issuer \"https://as.example\": an audience must be an exact string",
        "issuer \"https://as.example\": the leeway must be within 0 to 300 seconds",
        "issuer \"https://as.example\": needs at least one algorithm",
        "issuer \"https://as.example\": allowed scopes: element 1",
        "issuer \"https://as.example\": allowed scopes: element 2",
        "issuer \"https://as.example\": a required claim needs a name and a value",
        "issuer \"http://as.example\": must be https",
        "issuer \"http://as.example\": is configured twice",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    assert_eq!(text.lines().count(), error.faults().len());
}

#[tokio::test]
async fn jwt_05_to_jwt_12_claims_of_the_wrong_kind_f19_f31_f33_f36() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let raw =
        |payload: &[u8]| fixture.key.sign_bytes(fixture.header().to_string().as_bytes(), payload);
    let good = fixture.claims().to_string();
    let with_text = |from: &str, to: &str| raw(good.replace(from, to).as_bytes());
    let twice = |member: &str| raw(format!("{{{member},{}", &good[1..]).as_bytes());
    let exp = format!("\"exp\":{}", NOW + 300);
    use RejectionKind::*;
    let rows: Vec<(&str, String, RejectionKind)> = vec![
        ("JWT-05 F36", fixture.at(json!({ "exp": (NOW + 300).to_string() })), MalformedClaim),
        ("JWT-05 F36", fixture.at(json!({ "exp": "<null>" })), MalformedClaim),
        ("JWT-05 F36", with_text(&exp, "\"exp\":1e400"), MalformedToken),
        ("JWT-05 F36", fixture.at(json!({ "exp": -1 })), MalformedClaim),
        ("JWT-05 F36", fixture.at(json!({ "exp": 9_007_199_254_740_993_u64 })), MalformedClaim),
        ("JWT-05", fixture.at(json!({ "nbf": "0" })), MalformedClaim),
        ("JWT-05", fixture.at(json!({ "iat": true })), MalformedClaim),
        ("JWT-06 F19", twice("\"aud\":\"https://rs.example\""), MalformedToken),
        ("JWT-06 F19", twice("\"\\u0061ud\":\"https://rs.example\""), MalformedToken),
        ("JWT-07 F19", raw(b"[]"), MalformedToken),
        ("JWT-07 F19", raw(b"\"x\""), MalformedToken),
        ("JWT-07 F19", raw(format!("{good}x").as_bytes()), MalformedToken),
        ("JWT-07 F19", raw(&[good.as_bytes(), b"\xFF"].concat()), MalformedToken),
        ("JWT-07 F19", raw(b""), MalformedToken),
        ("JWT-09 F31", fixture.at(json!({ "iss": "https://as.example/" })), UntrustedIssuer),
        ("JWT-09 F31", fixture.at(json!({ "iss": "HTTPS://as.example" })), UntrustedIssuer),
        ("JWT-09 F31", fixture.at(json!({ "iss": "https://as.example:443" })), UntrustedIssuer),
        ("JWT-09 F31", fixture.at(json!({ "iss": ["https://as.example"] })), UntrustedIssuer),
        ("JWT-09 F31", fixture.at(json!({ "iss": null })), UntrustedIssuer),
        ("JWT-10 F33", fixture.at(json!({ "aud": null })), MissingClaim),
        ("JWT-10 F33", fixture.at(json!({ "aud": [] })), WrongAudience),
        ("JWT-10 F33", fixture.at(json!({ "aud": ["x"] })), WrongAudience),
        ("JWT-10 F33", fixture.at(json!({ "aud": "https://rs.example/" })), WrongAudience),
        ("JWT-10 F33", fixture.at(json!({ "aud": ["https://rs.example", 1] })), MalformedClaim),
        ("JWT-10 F33", fixture.at(json!({ "aud": {} })), MalformedClaim),
        ("JWT-12", fixture.at(json!({ "sub": 7 })), MalformedClaim),
        ("JWT-12", fixture.at(json!({ "sub": "" })), MalformedClaim),
        ("JWT-12", fixture.at(json!({ "client_id": [] })), MalformedClaim),
        ("JWT-12", fixture.at(json!({ "jti": 1 })), MalformedClaim),
        ("DPOP-19 F53", fixture.at(json!({ "cnf": { "jkt": "x" } })), SenderConstrained),
        ("MTLS-03 F58", fixture.at(json!({ "cnf": { "x5t#S256": "x" } })), MalformedClaim),
        ("DPOP-29 F58", fixture.at(json!({ "cnf": "x" })), MalformedClaim),
        ("DPOP-29 F58", fixture.at(json!({ "cnf": { "jkt": 7 } })), MalformedClaim),
        ("DPOP-29 F58", fixture.at(json!({ "cnf": {} })), MalformedClaim),
        ("MTLS-07 F58", fixture.at(json!({ "cnf": { "jwk": {} } })), MalformedClaim),
    ];
    for (row, token, expected) in rows {
        assert_eq!(kind(&server, &token).await, Err(expected), "{row}");
        send(&server, bearer(&token)).await.is(Expected::InvalidToken, row);
    }
    for (row, claims) in [
        ("JWT-08", json!({ "foo": {} })),
        ("JWT-10", json!({ "aud": ["x", "https://rs.example"] })),
    ] {
        assert_eq!(kind(&server, &fixture.at(claims)).await, Ok(()), "{row}");
    }
}

#[tokio::test]
async fn res_02_a_list_of_audiences_and_res_04_none_with_a_claim_in_its_place() {
    let fixture = Fixture::new();
    let issuer = fixture.issuer().audience("api").audience("https://other.example");
    let server = fixture.builder_with(issuer).build().unwrap();
    assert_eq!(kind(&server, &fixture.at(json!({ "aud": "api" }))).await, Ok(()));
    let wrong = fixture.at(json!({ "aud": "https://other.example/x" }));
    assert_eq!(kind(&server, &wrong).await, Err(RejectionKind::WrongAudience));
    // The resource identifier is the audience only where none is named.
    assert_eq!(kind(&server, &fixture.good()).await, Err(RejectionKind::WrongAudience));

    let issuer = fixture.issuer().dangerous().skip_audience().required_claim("app_id", "a1");
    let server = fixture.builder_with(issuer).build().unwrap();
    let bound = fixture.at(json!({ "aud": null, "app_id": "a1" }));
    assert_eq!(kind(&server, &bound).await, Ok(()));
    for app in [json!("a2"), Value::Null, json!(["a1"]), json!(7)] {
        let token = fixture.at(json!({ "aud": null, "app_id": app }));
        let refused = kind(&server, &token).await;
        assert_eq!(refused, Err(RejectionKind::RequiredClaimNotMet), "RES-07 F61 {app}");
        send(&server, bearer(&token)).await.is(Expected::InvalidToken, "RES-07 F61");
    }
    // RES-06 F61: another tenant's issuer is simply not configured.
    let tenant = fixture.at(json!({ "iss": "https://b.as.example" }));
    assert_eq!(kind(&server, &tenant).await, Err(RejectionKind::UntrustedIssuer));
}

#[tokio::test]
async fn at_01_at_09_at_10_profiles_f28_f37() {
    let fixture = Fixture::new();
    let (lenient, strict) = (fixture.builder().build().unwrap(), strict(&fixture));
    let good: Result<(), RejectionKind> = Ok(());
    use RejectionKind::{MissingClaim, UntrustedIssuer, WrongTokenType};
    for (row, token, in_lenient, in_strict) in [
        ("AT-05 AT-06 AT-03 AT-04", fixture.good(), good, good),
        ("AT-10", fixture.with_header(json!({ "typ": "JWT" })), good, Err(WrongTokenType)),
        ("AT-10", fixture.with_header(json!({ "typ": null })), good, Err(WrongTokenType)),
        (
            "AT-01 F28",
            fixture.with_header(json!({ "typ": "at+jwt; x=1" })),
            Err(WrongTokenType),
            Err(WrongTokenType),
        ),
        (
            "AT-01 F28",
            fixture.with_header(json!({ "typ": "id+jwt" })),
            Err(WrongTokenType),
            Err(WrongTokenType),
        ),
        ("AT-09 F36", fixture.at(json!({ "exp": null })), Err(MissingClaim), Err(MissingClaim)),
        ("AT-09 F33", fixture.at(json!({ "aud": null })), Err(MissingClaim), Err(MissingClaim)),
        (
            "AT-09 F31",
            fixture.at(json!({ "iss": null })),
            Err(UntrustedIssuer),
            Err(UntrustedIssuer),
        ),
        ("AT-09 F37", fixture.at(json!({ "sub": null })), good, Err(MissingClaim)),
        ("AT-09 F37", fixture.at(json!({ "client_id": null })), good, Err(MissingClaim)),
        ("AT-09 F37", fixture.at(json!({ "iat": null })), good, Err(MissingClaim)),
        ("AT-09 F37", fixture.at(json!({ "jti": null })), good, Err(MissingClaim)),
    ] {
        assert_eq!(kind(&lenient, &token).await, in_lenient, "{row} compatible");
        assert_eq!(kind(&strict, &token).await, in_strict, "{row} rfc9068");
        for (server, judged) in [(&lenient, in_lenient), (&strict, in_strict)] {
            if judged.is_err() {
                let row = format!("AT-07 {row}");
                send(server, bearer(&token)).await.is(Expected::InvalidToken, &row);
            }
        }
    }
}

#[tokio::test]
async fn at_08_jwt_13_intro_16_other_kinds_of_jwt_never_pass_f29_f30() {
    let fixture = Fixture::new();
    let servers = [fixture.builder().build().unwrap(), strict(&fixture)];
    let typed = |typ: &str| fixture.with_header(json!({ "typ": typ }));
    let id_token = fixture.key.sign_json(
        &json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" }),
        &json!({
            "iss": ISSUER, "sub": "u1", "aud": "https://rs.example", "azp": "https://rs.example",
            "iat": NOW, "exp": NOW + 300
        }),
    );
    for (row, token) in [
        ("ID token, nonce", fixture.at(json!({ "nonce": "x" }))),
        ("ID token, at_hash", fixture.at(json!({ "at_hash": "x" }))),
        ("ID token, c_hash", fixture.at(json!({ "c_hash": "x" }))),
        ("ID token, aud is the client", id_token),
        ("ID token, typ", typed("id+jwt")),
        ("logout token", fixture.at(json!({ "events": {} }))),
        ("logout token, typ", typed("logout+jwt")),
        ("DPoP proof", typed("dpop+jwt")),
        ("introspection", typed("token-introspection+jwt")),
        ("status list", typed("statuslist+jwt")),
        ("security event", typed("secevent+jwt")),
        ("authorization request", typed("oauth-authz-req+jwt")),
        ("client assertion", fixture.at(json!({ "sub": ISSUER }))),
        ("introspection, claims", fixture.at(json!({ "token_introspection": {} }))),
        ("status list, claims", fixture.at(json!({ "status_list": {} }))),
        ("DPoP proof, claims", fixture.at(json!({ "htm": "GET", "htu": "https://rs.example" }))),
    ] {
        for server in &servers {
            let judged = kind(server, &token).await;
            assert_eq!(judged, Err(RejectionKind::WrongTokenType), "AT-08 {row}");
            send(server, bearer(&token)).await.is(Expected::InvalidToken, row);
        }
    }
}

#[tokio::test]
async fn pipe_01_the_earlier_step_decides() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    use RejectionKind::*;
    let bad_signature = |token: &str| {
        let (signed, _) = token.rsplit_once('.').unwrap();
        format!("{signed}.{}", "A".repeat(86))
    };
    let old = json!({ "exp": 1, "aud": "x", "cnf": { "jkt": "x" }, "scope": "x" });
    for (row, token, expected) in [
        ("3 before 4", fixture.with_header(json!({ "alg": "none" })) + ".", MalformedToken),
        ("7 before 8", bad_signature(&fixture.at(old.clone())), BadSignature),
        ("exp before aud", fixture.at(old), Expired),
        ("8 before 9", fixture.at(json!({ "aud": "x", "cnf": { "jkt": "x" } })), WrongAudience),
        (
            "9 before 12",
            fixture.at(json!({ "cnf": { "jkt": "x" }, "scope": "x" })),
            SenderConstrained,
        ),
        (
            "4 before 5",
            fixture.key.sign_json(&json!({ "alg": "none" }), &json!({ "iss": "https://evil" })),
            AlgorithmNotAllowed,
        ),
        (
            "5 before 7",
            bad_signature(&fixture.at(json!({ "iss": "https://evil" }))),
            UntrustedIssuer,
        ),
    ] {
        assert_eq!(kind(&server, &token).await, Err(expected), "{row}");
    }
}

#[tokio::test]
async fn f69_an_unusable_clock_refuses_and_says_nothing() {
    struct Broken;
    impl portcullis::Clock for Broken {
        fn now(&self) -> std::time::SystemTime {
            std::time::UNIX_EPOCH - Duration::from_secs(1)
        }
    }
    let fixture = Fixture::new();
    let server = fixture.builder().clock(Broken).build().unwrap();
    let answer = send(&server, bearer(&fixture.good())).await;
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn bcp_04_what_a_token_says_about_its_caller() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let token = async |claims| -> AccessToken { server.verify(&fixture.at(claims)).await.unwrap() };
    let person = token(json!({ "tenant": "acme" })).await;
    assert_eq!(person.subject().issuer(), ISSUER);
    assert_eq!(person.subject().id(), Some("u1"));
    assert_eq!(person.client_id(), Some("c1"));
    assert_eq!(person.caller(), Caller::User);
    assert_eq!(person.scopes().collect::<Vec<_>>(), ["read", "write"]);
    assert_eq!(person.claim::<String>("tenant").unwrap().as_deref(), Some("acme"));
    assert_eq!(person.claim::<String>("other").unwrap(), None);
    assert!(person.claim::<u32>("tenant").is_err());
    assert_eq!(person.claims::<Value>().unwrap()["sub"], "u1");
    let expires = person.expires_at().unwrap();
    assert_eq!(expires, std::time::UNIX_EPOCH + Duration::from_secs(NOW + 300));

    assert_eq!(token(json!({ "sub": "c1" })).await.caller(), Caller::Client);
    assert_eq!(token(json!({ "sub": null })).await.caller(), Caller::Unknown);
    // A machine of an authorization server that knows `azp` only must not pass for a person.
    let azp = token(json!({ "client_id": null, "azp": "c9", "sub": "c9@clients" })).await;
    assert_eq!(azp.client_id(), Some("c9"));
    assert_eq!(azp.caller(), Caller::Unknown);
    for azp in [json!(""), json!(7)] {
        let token = fixture.at(json!({ "client_id": null, "azp": azp }));
        assert_eq!(kind(&server, &token).await, Err(RejectionKind::MalformedClaim));
    }
}
