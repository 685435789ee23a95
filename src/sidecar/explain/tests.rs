//! The lines say what the engine says: for tokens with one fault, with several, and with none.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};

use super::report::{Outcome, first_fault};
use super::verdict::Answer;
use super::*;
use crate::authentication::{Issuer, Profile};
use crate::authorization::Requirement;
use crate::client_certificate::ClientCertificate;
use crate::introspection::Introspection;
use crate::jose::Algorithm;
use crate::rejection_kind::RejectionKind;
use crate::resource_server::ResourceServer;
use crate::testing::{Authority, Client, Outage, TokenBuilder};

type Change = (&'static str, fn(TokenBuilder) -> TokenBuilder);

/// What can be done to a good token. Most of it makes it a bad one for some of the engines.
const CHANGES: &[Change] = &[
    ("header is no JSON", |token| token.header_text("{")),
    ("header twice alg", |token| token.header_text(r#"{"alg":"ES256","alg":"ES256"}"#)),
    ("header is no UTF-8", |token| token.header_text(*b"{\"alg\":\"ES256\",\"x\":\"\xFF\"}")),
    ("crit", |token| token.header("crit", ["exp"])),
    ("b64", |token| token.header("b64", true)),
    ("nested", |token| token.header("cty", "JWT")),
    ("cty is no string", |token| token.header("cty", 7)),
    ("kid is no string", |token| token.header("kid", 7)),
    ("kid is too long", |token| token.kid(&"k".repeat(257))),
    ("kid is unknown", |token| token.kid("k\u{1b}[31m")),
    ("no kid", TokenBuilder::without_kid),
    ("typ is no string", |token| token.header("typ", json!([]))),
    ("typ JWT", |token| token.header("typ", "JWT")),
    ("typ application/at+jwt", |token| token.header("typ", "application/AT+jwt")),
    ("typ dpop", |token| token.header("typ", "dpop+jwt")),
    ("no typ", |token| token.without_header("typ")),
    ("alg none", TokenBuilder::unsigned),
    ("alg unknown", |token| token.header("alg", "XS1")),
    ("alg is no string", |token| token.header("alg", json!(null))),
    ("alg not allowed", |token| token.algorithm(Algorithm::ES512)),
    ("alg of another key", |token| token.header("alg", "EdDSA")),
    ("no alg", |token| token.without_header("alg")),
    ("EdDSA", |token| token.algorithm(Algorithm::EdDSA)),
    ("stranger", TokenBuilder::signed_by_stranger),
    ("claims are no JSON", |token| token.claims_text("[]")),
    ("claims twice", |token| token.claims_text(r#"{"iss":"a","iss":"a"}"#)),
    ("claims are no UTF-8", |token| token.claims_text(*b"{\"iss\":\"\xFF\"}")),
    ("iss unknown", |token| token.issuer("https://evil.example")),
    ("iss with slash", |token| token.issuer("https://authority.example/")),
    ("iss is no string", |token| token.claim("iss", 7)),
    ("no iss", |token| token.without("iss")),
    ("expired", TokenBuilder::expired),
    ("not yet valid", TokenBuilder::not_yet_valid),
    ("exp is no date", |token| token.claim("exp", "tomorrow")),
    ("exp is negative", |token| token.claim("exp", -1)),
    ("no exp", |token| token.without("exp")),
    ("iat is no date", |token| token.claim("iat", json!({}))),
    ("no iat", |token| token.without("iat")),
    ("aud is another", |token| token.audience("https://other.example")),
    ("aud is a list", |token| token.claim("aud", ["x", "https://api.example.com"])),
    ("aud is a list of others", |token| token.claim("aud", ["x", "y"])),
    ("aud is no string", |token| token.claim("aud", 7)),
    ("aud is a mixed list", |token| token.claim("aud", json!(["https://api.example.com", 7]))),
    ("no aud", |token| token.without("aud")),
    ("sub is no string", |token| token.claim("sub", 7)),
    ("sub is empty", |token| token.subject("")),
    ("no sub", |token| token.without("sub")),
    ("client_id is no string", |token| token.claim("client_id", json!([]))),
    ("azp in place of client_id", |token| token.without("client_id").claim("azp", 7)),
    ("azp besides client_id", |token| token.claim("azp", 7)),
    ("jti is no string", |token| token.claim("jti", 7)),
    ("no jti", |token| token.without("jti")),
    ("scope", |token| token.scope("orders.read orders.write")),
    ("half the scope", |token| token.scope("orders.read")),
    ("other scope", |token| token.scope("admin.all other")),
    ("scope list", |token| token.claim("scope", ["orders.read", "orders.write"])),
    ("scope is a number", |token| token.claim("scope", 7)),
    ("scope is too long", |token| token.scope(&"a ".repeat(5000))),
    ("scp", |token| token.claim("scp", ["orders.read"])),
    ("nonce", |token| token.claim("nonce", "n")),
    ("logout", |token| token.claim("events", json!({}))),
    ("Keycloak's ID token", |token| token.claim("typ", "ID")),
    ("client assertion", |token| token.subject("https://authority.example")),
    ("ID token", |token| {
        token.header("typ", "JWT").client_id("https://api.example.com").without("scope")
    }),
    ("bound", |token| token.claim("cnf", json!({ "jkt": "x" }))),
    ("bound to a certificate", |token| token.bound_to(&ClientCertificate::from_der("own"))),
    ("bound to a certificate and a key", |token| {
        token.claim("cnf", json!({ "jkt": "x", "x5t#S256": THUMBPRINT }))
    }),
    ("bound to no certificate", |token| token.claim("cnf", json!({ "x5t#S256": "x" }))),
    ("cnf is no object", |token| token.claim("cnf", 7)),
    ("cnf of another kind", |token| token.claim("cnf", json!({ "jwk": {} }))),
    ("details", |token| token.claim("authorization_details", json!([{ "type": "payment" }]))),
    ("details are no list", |token| token.claim("authorization_details", json!({}))),
    ("details without a type", |token| token.claim("authorization_details", json!([{}]))),
    ("tenant", |token| token.claim("tenant", "acme")),
    ("tenant is no string", |token| token.claim("tenant", ["acme"])),
    ("too large", |token| token.claim("x", "x".repeat(17_000))),
];

const THUMBPRINT: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

/// Configurations by name.
fn engines(authority: &Authority) -> Vec<(&'static str, ResourceServerBuilder)> {
    let with = |issuer: Issuer| {
        let server = ResourceServer::builder().http_client(authority.http_service());
        server.issuer(issuer)
    };
    let issuer = || authority.issuer();
    let scopes = || Requirement::from_config("orders.read orders.*").unwrap();
    vec![
        ("plain", with(issuer())),
        ("rfc9068", with(issuer().profile(Profile::Rfc9068))),
        ("scopes", with(issuer()).required(scopes())),
        ("ceiling", with(issuer().allowed_scopes("orders.r*")).required(scopes())),
        ("out of reach", with(issuer().allowed_scopes("admin.*")).required(scopes())),
        ("required claim", with(issuer().required_claim("tenant", "acme"))),
        (
            "any audience",
            with(issuer().required_claim("tenant", "acme").dangerous().skip_audience()),
        ),
        ("no leeway", with(issuer().leeway(Duration::ZERO))),
        (
            "static keys",
            with(Issuer::with_jwks(authority.issuer_url(), authority.jwks()).audience("x"))
                .realm("a\"b"),
        ),
        (
            "two issuers",
            with(issuer())
                .issuer(Issuer::with_jwks("https://b.example", authority.jwks()).audience("x")),
        ),
    ]
}

async fn explained(
    engine: ResourceServerBuilder,
    authority: &Authority,
    token: &str,
    offline: bool,
) -> Report {
    let now = authority.clock().now();
    explain(&server(engine, now, offline).unwrap(), token, now, offline).await
}

/// The first line that failed tells the reason that the engine has.
fn agrees(report: &Report, row: &str) {
    let table = text::write(report, false);
    assert_eq!(report.verdict.note, None, "{row}\n{table}");
    let kind = match &report.verdict.answer {
        Answer::Pass | Answer::IfShown => None,
        Answer::Refuse(rejection) => Some(rejection.kind()),
        Answer::IfSigned => panic!("{row}: {table}"),
    };
    assert_eq!(first_fault(&report.lines).map(|(_, kind)| kind), kind, "{row}\n{table}");
    let checks = report.lines.iter().map(|line| line.check);
    let checks: Vec<Check> = checks.filter(|check| *check != Check::Details).collect();
    assert_eq!(checks, Check::ALL, "{row}\n{table}");
}

/// Nothing of the token as it is, and nothing that a terminal obeys.
fn is_safe(report: &Report, token: &str) {
    for text in [text::write(report, false), json::write(report).unwrap()] {
        let printed: HashSet<_> = text.as_bytes().windows(16).collect();
        let parts = token.split('.').flat_map(|part| part.as_bytes().windows(16));
        assert!(parts.into_iter().all(|piece| !printed.contains(piece)), "{text}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(text.len() < 10_000, "{text}");
    }
}

#[tokio::test]
async fn the_first_failed_line_is_the_engines_reason() {
    let authority = Authority::new();
    let mut kinds = BTreeSet::new();
    for (engine, _) in engines(&authority) {
        for (name, change) in CHANGES {
            let token = change(authority.token()).mint();
            let row = format!("{name} for {engine}");
            let builder = engines(&authority).into_iter().find(|(known, _)| *known == engine);
            let report = explained(builder.unwrap().1, &authority, &token, false).await;
            agrees(&report, &row);
            kinds.extend(first_fault(&report.lines).map(|(_, kind)| kind));
        }
    }
    use RejectionKind as K;
    let others = [
        // No token, or none of the token's doing.
        K::MissingCredentials,
        K::MalformedCredentials,
        K::MultipleCredentials,
        K::CredentialsInQuery,
        K::EncryptedToken,
        // Only for a request.
        K::WrongTenant,
        K::Hidden,
        K::KeysUnavailable,
        K::Internal,
        // No variable asks for it, rules do.
        K::InsufficientUserAuthentication,
        // No JWT.
        K::Inactive,
        K::IntrospectionUnavailable,
        K::Conflict,
    ];
    let missing: Vec<_> =
        K::all().filter(|kind| !kinds.contains(kind) && !others.contains(kind)).collect();
    assert!(missing.is_empty(), "the table has no token for {missing:?}");
}

#[tokio::test]
async fn what_is_no_jwt_is_said_to_be_none() {
    let authority = Authority::new();
    let token = authority.token().mint();
    let (signed, _) = token.rsplit_once('.').unwrap();
    for (token, words) in [
        ("opaque", "one part"),
        ("a.b", "2 parts"),
        ("QQ.QQ.QQ.QQ.QQ", "encrypted"),
        ("QQ.QQ.Q", "not all of them are base64url"),
        (signed, "2 parts"),
        ("a b", "characters"),
        ("é", "characters"),
        ("=", "characters"),
    ] {
        let report = explained(authority.resource_server(), &authority, token, false).await;
        agrees(&report, token);
        assert!(report.lines[0].found.contains(words), "{token}: {}", report.lines[0].found);
        assert!(report.lines[1..].iter().all(|line| line.outcome == Outcome::Skipped));
        let table = text::write(&report, false);
        let rest = "\n– all others       not checked: the token cannot be taken apart\n\n";
        assert!(table.contains(rest), "{table}");
    }
}

#[tokio::test]
async fn all_faults_show_and_what_is_not_signed_is_marked() {
    let authority = Authority::new();
    let token = authority
        .token()
        .expired()
        .audience("https://other.example")
        .scope("orders.write")
        .claim("authorization_details", json!([{ "actions": [] }]))
        .claim("cnf", json!({ "jkt": "x" }));
    let faults = |report: &Report| {
        let failed = report.lines.iter().filter(|line| line.fault().is_some());
        failed.map(|line| line.check).collect::<Vec<_>>()
    };
    let scope = Requirement::from_config("orders.read").unwrap();
    let engine = || authority.resource_server().required(scope.clone());
    let several = [Check::Lifetime, Check::Audience, Check::Details, Check::Binding, Check::Scopes];

    let signed = explained(engine(), &authority, &token.mint(), false).await;
    assert_eq!(faults(&signed), several);
    assert!(signed.lines.iter().all(|line| !line.unverified));
    let table = text::write(&signed, false);
    for words in [
        "✓ algorithm        alg is \"ES256\"\n",
        "✗ lifetime         expired 1 h ago, at ",
        "✗ audience         aud is [https://other.example] · this API accepts \
         https://api.example.com",
        "✗ details          authorization_details has an item that is no object with a type · \
          an array of objects, each with a type that is a string",
        "✗ binding          cnf binds it to a key by [jkt] · bound to nothing, or to a client \
         certificate by x5t#S256, which is 32 bytes",
        "✗ scopes           lacks [orders.read] · required are [orders.read]",
        "would be answered 401 invalid_token: The access token expired",
        "\nWWW-Authenticate: Bearer realm=\"resource\", error=\"invalid_token\", ",
    ] {
        assert!(table.contains(words), "{words}\n{table}");
    }

    let forged = explained(engine(), &authority, &token.signed_by_stranger().mint(), false).await;
    assert_eq!(faults(&forged), [&[Check::Signature], &several[..]].concat());
    for line in &forged.lines {
        assert_eq!(line.unverified, line.check.is_about_claims(), "{:?}", line.check);
    }
    let text = text::write(&forged, false);
    for line in text.lines().filter(|line| line.ends_with("(unverified)")) {
        assert!(line.starts_with(['?', '✗']), "{line}");
    }
    assert!(text.contains("(unverified)") && text.contains('✓'), "{text}");
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_passes_with_it() {
    let authority = Authority::new();
    let token = || authority.token().bound_to(&ClientCertificate::from_der("own"));
    let good = explained(authority.resource_server(), &authority, &token().mint(), false).await;
    agrees(&good, "bound");
    assert!(matches!(good.verdict.answer, Answer::IfShown));
    assert!(!good.verdict.passes());
    let table = text::write(&good, false);
    for words in [
        "✓ binding          cnf binds it to a client certificate, with which it must be shown\n",
        "\nwould pass, if it is shown with the client certificate that it is bound to ",
    ] {
        assert!(table.contains(words), "{words}\n{table}");
    }
    let document: Value = serde_json::from_str(&json::write(&good).unwrap()).unwrap();
    assert_eq!(document["verdict"], "unknown");

    let expired = token().expired().mint();
    let expired = explained(authority.resource_server(), &authority, &expired, false).await;
    agrees(&expired, "bound and expired");
    assert!(matches!(expired.verdict.answer, Answer::Refuse(_)));
    let engine = ResourceServer::builder().issuer(authority.issuer());
    let offline = explained(engine, &authority, &token().mint(), true).await;
    assert!(matches!(offline.verdict.answer, Answer::IfSigned));
}

#[tokio::test]
async fn an_authority_that_cannot_be_reached_is_503_with_its_reason() {
    let authority = Authority::new();
    authority.set_outage(Outage::Everything);
    for (token, kind) in [
        (authority.token().expired(), "KeysUnavailable"),
        (authority.token().issuer("https://evil.example"), "UntrustedIssuer"),
        // The keys are asked for, although the engine did not need any.
        (authority.token().header("typ", "dpop+jwt"), "WrongTokenType"),
    ] {
        let report = explained(authority.resource_server(), &authority, &token.mint(), false).await;
        agrees(&report, kind);
        let document: Value = serde_json::from_str(&json::write(&report).unwrap()).unwrap();
        assert_eq!(document["kind"], kind);
        let key = report.lines.iter().find(|line| line.check == Check::Key).unwrap();
        let reason = if kind == "UntrustedIssuer" { "not trusted" } else { "503" };
        assert!(key.found.contains(reason), "{}", key.found);
        if kind == "KeysUnavailable" {
            let table = text::write(&report, false);
            assert!(table.contains("would be answered 503: "), "{table}");
            assert!(table.ends_with("Retry-After: 1"), "{table}");
            assert!(!table.contains("WWW-Authenticate"), "{table}");
        }
    }
}

#[tokio::test]
async fn keys_are_asked_for_once() {
    let authority = Authority::new();
    let token = authority.token().mint();
    for (outage, asked) in [(Outage::None, 1), (Outage::Keys, 2)] {
        authority.set_outage(outage);
        explained(authority.resource_server(), &authority, &token, false).await;
        assert_eq!(authority.jwks_requests(), asked, "{outage:?}");
    }
}

#[tokio::test]
async fn jwa_01_algorithms_are_those_of_the_issuer() {
    let authority = Authority::new();
    let other = Issuer::with_jwks("https://b.example", authority.jwks()).audience("x");
    let engine = ResourceServer::builder()
        .issuer(authority.issuer().algorithms([Algorithm::ES256]))
        .issuer(other.algorithms([Algorithm::EdDSA]))
        .http_client(authority.http_service());
    let token = authority.token().algorithm(Algorithm::EdDSA).mint();
    let report = explained(engine, &authority, &token, false).await;
    agrees(&report, "EdDSA is for the other issuer");
    let table = text::write(&report, false);
    assert!(table.contains("alg is \"EdDSA\" · this API accepts ES256\n"), "{table}");
}

#[tokio::test]
async fn of_a_subject_no_more_is_shown_than_to_know_it_again() {
    let authority = Authority::new();
    let token = authority.token().subject("the.very.long.address@of.somebody.example").mint();
    let report = explained(authority.resource_server(), &authority, &token, false).await;
    let table = text::write(&report, false);
    assert!(table.contains("sub is \"the.very.long.address@of…\""), "{table}");
    assert!(!table.contains("somebody"), "{table}");
}

#[tokio::test]
async fn offline_says_no_more_than_can_be_known() {
    let authority = Authority::new();
    let explain = async |token: TokenBuilder, issuer: Issuer| {
        let engine = ResourceServer::builder().issuer(issuer);
        explained(engine, &authority, &token.mint(), true).await
    };
    let good = explain(authority.token(), authority.issuer()).await;
    assert!(matches!(good.verdict.answer, Answer::IfSigned));
    assert!(!good.verdict.passes());
    assert!(
        text::write(&good, false)
            .ends_with("would pass, if the signature is good (not checked: offline)")
    );
    // It is not looked at, so a stranger's is as good.
    let forged = explain(authority.token().signed_by_stranger(), authority.issuer()).await;
    assert!(matches!(forged.verdict.answer, Answer::IfSigned));
    let expired = explain(authority.token().expired(), authority.issuer()).await;
    let Answer::Refuse(rejection) = &expired.verdict.answer else { panic!() };
    assert_eq!(rejection.kind(), RejectionKind::Expired);
    assert!(expired.verdict.note.is_some());
    assert_eq!(authority.jwks_requests(), 0);

    let fixed = || {
        Issuer::with_jwks(authority.issuer_url(), authority.jwks()).audience(authority.audience())
    };
    let signed = explain(authority.token(), fixed()).await;
    assert!(signed.verdict.passes());
    let forged = explain(authority.token().signed_by_stranger(), fixed()).await;
    agrees(&forged, "with keys at hand the signature is checked");
    assert!(!forged.verdict.passes());
}

#[tokio::test]
async fn json_has_all_that_the_table_has() {
    let authority = Authority::new();
    let token = authority.token().audience("https://other.example").mint();
    let report = explained(authority.resource_server(), &authority, &token, false).await;
    let document: Value = serde_json::from_str(&json::write(&report).unwrap()).unwrap();
    for (member, value) in [
        ("verdict", json!("refuse")),
        ("status", json!(401)),
        ("error", json!("invalid_token")),
        ("kind", json!("WrongAudience")),
        ("retry_after", json!(null)),
    ] {
        assert_eq!(document[member], value, "{member}");
    }
    assert!(document["challenge"].as_str().unwrap().starts_with("Bearer realm="));
    let checks = document["checks"].as_array().unwrap();
    assert_eq!(checks.len(), Check::ALL.len());
    let audience = checks.iter().find(|check| check["check"] == "audience").unwrap();
    assert_eq!(
        *audience,
        json!({
            "check": "audience", "result": "fail", "kind": "WrongAudience",
            "expected": "this API accepts https://api.example.com",
            "found": "aud is [https://other.example]", "unverified": false,
        })
    );
    let good = authority.token().mint();
    let report = explained(authority.resource_server(), &authority, &good, false).await;
    let document: Value = serde_json::from_str(&json::write(&report).unwrap()).unwrap();
    assert_eq!(document["verdict"], "pass");
    assert_eq!(document.get("status"), None);
}

#[tokio::test]
async fn colours_are_for_terminals() {
    let authority = Authority::new();
    let token = authority.token().mint();
    let report = explained(authority.resource_server(), &authority, &token, false).await;
    assert!(text::write(&report, true).contains("\u{1b}[32m✓\u{1b}[0m form"));
    assert!(!text::write(&report, false).contains('\u{1b}'));
}

/// Any text where a text can stand.
fn with_texts(token: TokenBuilder, text: &str) -> TokenBuilder {
    token
        .header("typ", text)
        .header("kid", text)
        .issuer(text)
        .claim("aud", [text, text])
        .subject(text)
        .client_id(text)
        .scope(text)
        .claim("cnf", json!({ text: 1 }))
        .claim("exp", text)
        .claim(text, text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn with_several_faults_the_engine_and_the_lines_agree_on_the_first(
        changes in subsequence(CHANGES, 0..=5),
        engine in 0_usize..10,
        spoilt in proptest::option::of((any::<prop::sample::Index>(), "[A-Za-z0-9_.= -]")),
    ) {
        let authority = Authority::new();
        let (name, builder) = engines(&authority).remove(engine);
        let changed = changes.iter().fold(authority.token(), |token, (_, change)| change(token));
        let mut token = changed.mint();
        if let Some((index, with)) = spoilt {
            let index = index.index(token.len());
            token.replace_range(index..index + 1, &with);
        }
        let row = changes.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let report = runtime.block_on(explained(builder, &authority, &token, false));
        agrees(&report, &format!("{row} for {name}"));
        is_safe(&report, &token);
    }

    #[test]
    fn whatever_a_token_says_is_shown_safely(text in any::<String>()) {
        let authority = Authority::new();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let token = with_texts(authority.token(), &text).mint();
        let report = runtime.block_on(explained(authority.resource_server(), &authority, &token, false));
        is_safe(&report, &token);
    }
}

#[tokio::test]
async fn f39_f41_a_token_that_is_asked_about_has_the_verdict_of_its_issuer() {
    let authority = Authority::new();
    authority.register(Client::new("api", "secret")).unwrap();
    let engine = || {
        let ask = Introspection::at(authority.introspection_endpoint()).basic("api", "secret");
        ResourceServer::builder()
            .issuer(authority.issuer().introspect(ask))
            .http_client(authority.http_service())
    };
    let good = authority.token().opaque();
    let elsewhere = authority.token().audience("https://other.example").opaque();
    for (token, offline, expected) in [
        (&*good, false, None),
        ("made-up", false, Some(RejectionKind::Inactive)),
        (&elsewhere, false, Some(RejectionKind::WrongAudience)),
        (&good, true, Some(RejectionKind::IntrospectionUnavailable)),
    ] {
        let report = explained(engine(), &authority, token, offline).await;
        let table = text::write(&report, false);
        assert_eq!(report.verdict.note, None, "{table}");
        assert_eq!(report.verdict.passes(), expected.is_none(), "{table}");
        assert_eq!(first_fault(&report.lines).map(|(_, kind)| kind), expected, "{table}");
        assert!(!table.contains(&token[..8.min(token.len())]) || token == "made-up", "{table}");
    }
    let jwt = explained(engine(), &authority, &authority.token().mint(), false).await;
    agrees(&jwt, "a JWT of the same issuer");

    // The rule is judged as it is for JWTs, and the issuer is asked once for all of it.
    let rules = "[[rule]]\npath = \"/{tenant}\"\nscopes = [\"a\", \"b\"]\ntenant = { tnt = \
                 \"{tenant}\" }\ncallers = \"users\"\nacr = [\"mfa\"]\n";
    let now = authority.clock().now();
    let asked = authority.introspection_requests();
    let server = server(engine(), now, false).unwrap();
    let routes = Rules::parse(rules).unwrap().compile(&server);
    let token = authority.token().scope("a").claim("tnt", "acme").opaque();
    for (request, rows) in [
        (
            "GET /acme",
            &[
                "✓ introspection    it is active, and meant for this\n",
                "✓ scope claim      [a] granted\n",
                "✓ tenant           tnt is \"acme\"\n",
                "✗ scopes           lacks [b]",
                "✗ login            acr is missing · the rule wants a login by mfa",
                "✓ callers          the caller is a person",
                "would be answered 401 insufficient_user_authentication",
            ][..],
        ),
        (
            "GET /globex",
            &[
                "✗ tenant           tnt is \"acme\" · the rule wants the tenant tnt=globex",
                "would be answered 401 invalid_token",
            ],
        ),
    ] {
        let request = RequestLine::parse(request).unwrap();
        let report = explain_for(&server, &routes, &request, &token, now, false).await;
        let table = text::write(&report, false);
        assert_eq!(report.verdict.note, None, "{table}");
        for row in rows {
            assert!(table.contains(row), "{row}\n{table}");
        }
    }
    assert_eq!(authority.introspection_requests(), asked + 1);
}

/// Why a rule with a host refuses is more than a claim can tell.
#[tokio::test]
async fn res_07_a_host_that_is_not_told_is_asked_for() {
    let authority = Authority::new();
    let now = authority.clock().now();
    let server = server(authority.resource_server(), now, false).unwrap();
    let rules =
        "[[rule]]\npath = \"/x\"\nhost = \"{shop}.example.com\"\ntenant = { tnt = \"{shop}\" }\n";
    let routes = Rules::parse(rules).unwrap().compile(&server);
    let token = authority.token().claim("tnt", "acme").mint();
    for (request, passes, row) in [
        ("GET https://acme.example.com/x", true, "✓ tenant           tnt is \"acme\"\n"),
        (
            "GET /x",
            false,
            "✗ tenant           the request has no host · the rule has one: --request \
             \"GET https://HOST/PATH\" tells it\n",
        ),
        (
            "GET https://acme.example.org/x",
            false,
            "✗ tenant           the host of the request is acme.example.org · the rule has another",
        ),
        ("GET https://globex.example.com/x", false, "✗ tenant           tnt is \"acme\" · "),
    ] {
        let request = RequestLine::parse(request).unwrap();
        let report = explain_for(&server, &routes, &request, &token, now, false).await;
        let table = text::write(&report, false);
        assert_eq!((report.verdict.passes(), &report.verdict.note), (passes, &None), "{table}");
        assert!(table.contains(row), "{row}\n{table}");
    }
}

#[tokio::test]
async fn what_a_rule_asks_of_a_token_that_is_asked_about_is_judged_too() {
    let authority = Authority::new();
    authority.register(Client::new("api", "secret")).unwrap();
    let ask = Introspection::at(authority.introspection_endpoint()).basic("api", "secret");
    let engine = ResourceServer::builder()
        .issuer(authority.issuer().introspect(ask))
        .http_client(authority.http_service());
    let now = authority.clock().now();
    let server = server(engine, now, false).unwrap();
    let rules = r#"
        [[rule]]
        path = "/{tenant}/orders"
        tenant = { tnt_id = "{tenant}" }
        scopes = ["orders.read"]
        claims = { role = "clerk" }
    "#;
    let routes = Rules::parse(rules).unwrap().compile(&server);
    let token =
        authority.token().claim("tnt_id", "acme").scope("orders.read").claim("role", "clerk");
    for (token, path, fault) in [
        (token.clone(), "/acme/orders", None),
        (token.clone(), "/globex/orders", Some((Check::RuleTenant, RejectionKind::WrongTenant))),
        (
            token.clone().scope("other"),
            "/acme/orders",
            Some((Check::Scopes, RejectionKind::InsufficientScope)),
        ),
        (
            token.claim("role", "guest"),
            "/acme/orders",
            Some((Check::RuleClaim, RejectionKind::Forbidden)),
        ),
    ] {
        let request = RequestLine::parse(&format!("GET {path}")).unwrap();
        let report = explain_for(&server, &routes, &request, &token.opaque(), now, false).await;
        let table = text::write(&report, false);
        assert_eq!(first_fault(&report.lines), fault, "{table}");
        assert_eq!(report.verdict.passes(), fault.is_none(), "{table}");
        assert_eq!(report.verdict.note, None, "{table}");
        let checks: Vec<_> = report.lines.iter().map(|line| line.check).collect();
        let expected = [
            Check::Rule,
            Check::Introspection,
            Check::ScopeClaim,
            Check::RuleTenant,
            Check::Scopes,
            Check::RuleClaim,
        ];
        assert_eq!(checks, expected, "{table}");
        assert!(report.lines.iter().all(|line| line.outcome != Outcome::Skipped), "{table}");
    }
}
