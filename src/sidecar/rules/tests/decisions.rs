//! What becomes of tokens.

use http::{Extensions, HeaderMap, Method, Uri};
use serde_json::json;

use super::super::Routes;
use super::super::routes::Access;
use super::rules;
use crate::authentication::WildcardMatch;
use crate::authorization::scope;
use crate::rejection::Rejection;
use crate::rejection_kind::RejectionKind;
use crate::resource_server::{Decision, Gate, ResourceServer, ResourceServerBuilder};
use crate::sidecar::path::canonical;
use crate::testing::{Authority, TokenBuilder};

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Open,
    Admitted,
    /// Status, and of the challenge `error` and `scope`.
    Refused(u16, Option<String>, Option<String>),
}

fn short_of(scope: &str) -> Answer {
    Answer::Refused(403, Some("insufficient_scope".to_owned()), Some(scope.to_owned()))
}

fn forbidden() -> Answer {
    Answer::Refused(403, None, None)
}

struct Api {
    authority: Authority,
    routes: Routes,
}

impl Api {
    fn new(text: &str) -> Self {
        Self::with(text, |builder| builder)
    }

    fn with(
        text: &str,
        configure: impl FnOnce(ResourceServerBuilder) -> ResourceServerBuilder,
    ) -> Self {
        let authority = Authority::new();
        let server = configure(authority.resource_server()).build().unwrap();
        let routes = rules(text).compile(&server);
        Self { authority, routes }
    }

    fn token(&self) -> TokenBuilder {
        self.authority.token()
    }

    async fn get(&self, path: &str, token: impl Into<Option<TokenBuilder>>) -> Answer {
        self.get_at("", path, token).await
    }

    async fn get_at(
        &self,
        host: &str,
        path: &str,
        token: impl Into<Option<TokenBuilder>>,
    ) -> Answer {
        let text = token.into().map(|token: TokenBuilder| token.mint());
        let route = self.routes.route(&Method::GET, &canonical(path).unwrap(), host);
        let Some(gate) = route.access.gate() else { return Answer::Open };
        match decide(gate, text.as_deref()).await {
            Ok(()) => Answer::Admitted,
            Err(rejection) => refused(&rejection),
        }
    }

    /// With the default token, which has this scope.
    async fn scope(&self, path: &str, scope: &str) -> Answer {
        self.get(path, self.token().scope(scope)).await
    }
}

async fn decide(gate: &Gate, token: Option<&str>) -> Result<(), Rejection> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    match gate.decide(&headers, &Uri::from_static("/"), &Extensions::new()) {
        Decision::Wait(pending) => gate.judge_after(pending).await.map(drop),
        Decision::Admit(_) => Ok(()),
        Decision::Refuse(rejection) => Err(rejection),
        Decision::AdmitKnown | Decision::AdmitAnonymous => panic!("nobody is known or may pass"),
    }
}

fn refused(rejection: &Rejection) -> Answer {
    let challenge = rejection.challenge().unwrap().to_str().unwrap();
    let parameter = |name: &str| {
        let (_, rest) = challenge.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    Answer::Refused(rejection.status().as_u16(), parameter("error"), parameter("scope"))
}

#[tokio::test]
async fn public_rules_ask_for_nothing_and_the_rest_for_a_token() {
    let api = Api::with("[[rule]]\npath = \"/healthz\"\npublic = true", |builder| {
        builder.required(scope("base"))
    });
    assert_eq!(api.get("/healthz", None).await, Answer::Open);
    let invited = Answer::Refused(401, None, Some("base".to_owned()));
    assert_eq!(api.get("/healthz/", None).await, invited);
    assert_eq!(api.scope("/other", "x").await, short_of("base"));
    assert_eq!(api.scope("/other", "base").await, Answer::Admitted);
}

#[tokio::test]
async fn scope_09_scope_12_all_scopes_and_one_of_the_others_are_needed() {
    let api = Api::with(
        "[[rule]]\npath = \"/\"\nscopes = [\"a\", \"b\"]\nany_scopes = [\"c\", \"d\"]",
        |builder| builder.required(scope("base")),
    );
    for (scope, passes) in [
        ("base a b c", true),
        ("d b a base", true),
        ("base a b", false),
        ("base a c d", false),
        ("a b c", false),
    ] {
        let expected = if passes { Answer::Admitted } else { short_of("base a b c") };
        assert_eq!(api.scope("/", scope).await, expected, "{scope}");
    }
    let invited = Answer::Refused(401, None, Some("base a b c".to_owned()));
    assert_eq!(api.get("/", None).await, invited);
}

/// MobileFirst: a 403 has the whole scope, the client asks for it, and passes.
#[tokio::test]
async fn wild_10_the_real_id_is_advertised_and_nothing_else_will_do() {
    let api = Api::with(
        "[[rule]]\npath = \"/imfpush/v1/apps/{id}/messages\"\n\
         scopes = [\"push.application.{id}\", \"messages.write\"]",
        |builder| builder.required(scope("RegisteredClient")),
    );
    let path = "/imfpush/v1/apps/com.example/messages";
    let needed = "RegisteredClient push.application.com.example messages.write";
    assert_eq!(api.scope(path, needed).await, Answer::Admitted);
    let others =
        ["RegisteredClient messages.write push.application.com.other", "RegisteredClient", "*"];
    for scope in others {
        assert_eq!(api.scope(path, scope).await, short_of(needed), "{scope}");
    }
    // In tokens, a star is a character unless the issuer says otherwise.
    let star = "RegisteredClient messages.write push.application.*";
    assert_eq!(api.scope(path, star).await, short_of(needed));
    let invited = Answer::Refused(401, None, Some(needed.to_owned()));
    assert_eq!(api.get(path, None).await, invited);
    let bad = Answer::Refused(401, Some("invalid_token".to_owned()), Some(needed.to_owned()));
    assert_eq!(api.get(path, api.token().scope(needed).expired()).await, bad);
    let escaped = "/imfpush/v1/apps/com%2Dexample%3A7/messages";
    let needed = "RegisteredClient push.application.com-example:7 messages.write";
    assert_eq!(api.scope(escaped, "x").await, short_of(needed));
    assert_eq!(api.scope(escaped, needed).await, Answer::Admitted);
}

#[tokio::test]
async fn wild_06_issuers_that_grant_patterns_grant_ids() {
    let authority = Authority::new();
    let issuer = authority.issuer().granted_wildcards(WildcardMatch::Overlap);
    let server = ResourceServer::builder()
        .issuer(issuer)
        .clock(authority.clock().clone())
        .http_client(authority.http_service())
        .build()
        .unwrap();
    let text = "[[rule]]\npath = \"/{id}\"\nscopes = [\"push.application.{id}\"]";
    let api = Api { routes: rules(text).compile(&server), authority };
    assert_eq!(api.scope("/7", "push.application.*").await, Answer::Admitted);
    assert_eq!(api.scope("/7", "push.*").await, Answer::Admitted);
    assert_eq!(api.scope("/7", "pull.*").await, short_of("push.application.7"));
}

#[tokio::test]
async fn values_that_are_no_part_of_a_scope_are_met_by_no_token() {
    let api = Api::new(
        "[[rule]]\npath = \"/one/{id}\"\nscopes = [\"base\", \"app.{id}\"]\n\
         [[rule]]\npath = \"/pattern/{id}\"\nscopes = [\"app.{id}.*\"]\n\
         [[rule]]\npath = \"/either/{id}\"\nany_scopes = [\"app.{id}\", \"root\"]\n\
         [[rule]]\npath = \"/any/{id}\"\nany_scopes = [\"app.{id}\", \"app.{id}.*\"]\n",
    );
    let everything = "base app. app.a app.a app.b app.* * root app.x.y app.*.y";
    let long = format!("/one/{}", "x".repeat(253));
    let unfit =
        ["/one/a%20b", "/one/%22", "/one/%C3%A9", &long, "/pattern/*", "/pattern/x*", "/any/%22"];
    for path in unfit {
        assert_eq!(api.scope(path, everything).await, forbidden(), "{path}");
        assert_eq!(api.scope(path, "x").await, forbidden(), "{path}");
        assert_eq!(api.get(path, None).await, Answer::Refused(401, None, None), "{path}");
        let bad = Answer::Refused(401, Some("invalid_token".to_owned()), None);
        assert_eq!(api.get(path, api.token().expired()).await, bad, "{path}");
    }
    assert_eq!(api.scope("/pattern/x", everything).await, Answer::Admitted);
    // The other alternative remains.
    assert_eq!(api.scope("/either/a%20b", "root").await, Answer::Admitted);
    assert_eq!(api.scope("/either/a%20b", "app.a").await, short_of("root"));
    assert_eq!(api.scope("/either/7", "app.a").await, short_of("app.7"));
}

#[tokio::test]
async fn wild_03_a_star_that_the_client_sent_is_a_character() {
    let api = Api::new("[[rule]]\npath = \"/{id}\"\nscopes = [\"app.{id}\"]");
    for path in ["/*", "/%2a"] {
        for scope in ["app.a", "app.", "app", "app.**", "*"] {
            assert_eq!(api.scope(path, scope).await, short_of("app.*"), "{scope}");
        }
        assert_eq!(api.scope(path, "app.*").await, Answer::Admitted);
    }
}

#[tokio::test]
async fn wild_11_wild_12_patterns_are_not_advertised() {
    let api = Api::new(
        "[[rule]]\npath = \"/plain\"\nscopes = [\"push.*\"]\n\
         [[rule]]\npath = \"/either\"\nany_scopes = [\"push.*\", \"root\"]\n\
         [[rule]]\npath = \"/named\"\nscopes = [\"push.*\", \"a\"]\nchallenge_scope = \"push.send\"\n\
         [[rule]]\npath = \"/of/{id}\"\nscopes = [\"push.{id}.*\"]\n\
         challenge_scope = [\"push.{id}.send\"]\n\
         [[rule]]\npath = \"/literal\"\nscopes = [\"push.*\"]\nliteral = true\n",
    );
    let error = Some("insufficient_scope".to_owned());
    assert_eq!(api.scope("/plain", "x").await, Answer::Refused(403, error, None));
    assert_eq!(api.scope("/plain", "push.x").await, Answer::Admitted);
    assert_eq!(api.scope("/either", "x").await, short_of("root"));
    assert_eq!(api.scope("/either", "push.").await, Answer::Admitted);
    assert_eq!(api.scope("/named", "x").await, short_of("push.send a"));
    assert_eq!(api.scope("/of/7", "x push.8.send").await, short_of("push.7.send"));
    assert_eq!(api.scope("/of/7", "push.7.anything").await, Answer::Admitted);
    assert_eq!(api.scope("/literal", "push.x").await, short_of("push.*"));
    assert_eq!(api.scope("/literal", "push.*").await, Answer::Admitted);
}

#[tokio::test]
async fn claims_must_have_their_values() {
    let api = Api::new(
        "[[rule]]\npath = \"/acme\"\nclaims = { tnt_id = \"acme\", role = \"admin\" }\n\
         [[rule]]\npath = \"/number\"\nclaims = { level = 3 }\n\
         [[rule]]\npath = \"/flag\"\nclaims = { ok = true }\n\
         [[rule]]\npath = \"/t/{tenant}/{*rest}\"\nclaims = { tnt_id = \"{tenant}\" }\n\
         [[rule]]\npath = \"/r/{*rest}\"\nclaims = { rest = \"x/{rest}\" }\n",
    );
    let claims = |path: &'static str, claims: serde_json::Value| {
        let token = claims.as_object().unwrap().iter();
        let token = token.fold(api.token(), |token, (name, value)| token.claim(name, value));
        api.get(path, token)
    };
    for (path, good) in [
        ("/acme", json!({ "tnt_id": "acme", "role": "admin" })),
        ("/acme", json!({ "tnt_id": ["other", "acme"], "role": ["admin"] })),
        ("/number", json!({ "level": 3 })),
        ("/number", json!({ "level": "3" })),
        ("/flag", json!({ "ok": true })),
        ("/t/acme/x", json!({ "tnt_id": "acme" })),
        ("/t/a%20c/", json!({ "tnt_id": "a c" })),
        ("/t/*/", json!({ "tnt_id": "*" })),
        ("/r/a/b", json!({ "rest": "x/a/b" })),
    ] {
        assert_eq!(claims(path, good.clone()).await, Answer::Admitted, "{path} {good}");
    }
    for (path, bad) in [
        ("/acme", json!({})),
        ("/acme", json!({ "tnt_id": "acme" })),
        ("/acme", json!({ "tnt_id": "Acme", "role": "admin" })),
        ("/acme", json!({ "tnt_id": "acme ", "role": "admin" })),
        ("/acme", json!({ "tnt_id": null, "role": "admin" })),
        ("/acme", json!({ "tnt_id": { "acme": "acme" }, "role": "admin" })),
        ("/acme", json!({ "tnt_id": [["acme"]], "role": "admin" })),
        ("/number", json!({ "level": 30 })),
        ("/number", json!({ "level": 3.5 })),
        ("/number", json!({ "level": [3] })),
        ("/flag", json!({ "ok": false })),
        ("/t/acme/x", json!({ "tnt_id": "other" })),
        ("/t/*/", json!({ "tnt_id": "acme" })),
        ("/r/", json!({ "rest": "x/" })),
    ] {
        assert_eq!(claims(path, bad.clone()).await, forbidden(), "{path} {bad}");
    }
}

#[tokio::test]
async fn callers_are_told_apart() {
    let api = Api::new(
        "[[rule]]\npath = \"/u\"\ncallers = \"users\"\n[[rule]]\npath = \"/c\"\n\
         callers = \"clients\"\n[[rule]]\npath = \"/a\"\ncallers = \"any\"\n",
    );
    let user = || api.token().subject("u1").client_id("app");
    let client = || api.token().subject("app").client_id("app");
    let unknown = || api.token().without("client_id");
    for (path, users, clients, unknowns) in
        [("/u", true, false, false), ("/c", false, true, false), ("/a", true, true, true)]
    {
        for (token, passes) in [(user(), users), (client(), clients), (unknown(), unknowns)] {
            let expected = if passes { Answer::Admitted } else { forbidden() };
            assert_eq!(api.get(path, token).await, expected, "{path}");
        }
    }
}

/// A challenge that is written for one request says what one that was written before would say.
#[test]
fn challenges_for_one_request_are_the_same() {
    let server =
        Authority::new().resource_server().realm("r").required(scope("base")).build().unwrap();
    let made = rules("[[rule]]\npath = \"/{id}\"\nscopes = [\"app.{id}\"]").compile(&server);
    let once = rules("[[rule]]\npath = \"/7\"\nscopes = [\"app.7\"]").compile(&server);
    let [made, once] = [&made, &once].map(|routes| routes.route(&Method::GET, "/7", "").access);
    assert!(matches!((&made, &once), (Access::Made(_), Access::Gate(_))));
    for kind in RejectionKind::all() {
        let [made, once] = [&made, &once].map(|access| access.gate().unwrap().reject(kind));
        assert_eq!(made.challenge(), once.challenge(), "{kind:?}");
        assert_eq!(made.to_response().body(), once.to_response().body());
    }
}

#[tokio::test]
async fn res_07_res_08_f61_a_tenant_is_what_path_or_host_says() {
    let api = Api::new(
        "[[rule]]\npath = \"/t/{tenant}/{*rest}\"\ntenant = { tnt_id = \"{tenant}\" }\n\
         scopes = [\"read\"]\n\
         [[rule]]\npath = \"/h\"\nhost = \"{shop}.api.example\"\n\
         tenant = { iss = \"https://{shop}.id.example\" }\n\
         [[rule]]\npath = \"/s\"\nhost = \"{shop}.api.example\"\nscopes = [\"shop.{shop}\"]\n\
         tenant = { tnt_id = \"acme\" }",
    );
    let wrong = |scope: Option<&str>| {
        Answer::Refused(401, Some("invalid_token".to_owned()), scope.map(str::to_owned))
    };
    let acme = api.token().claim("tnt_id", "acme").scope("read");
    assert_eq!(api.get("/t/acme/x", acme.clone()).await, Answer::Admitted);
    assert_eq!(api.get("/t/acme/x", acme.clone().scope("x")).await, short_of("read"));
    for (path, token) in [
        ("/t/globex/x", acme.clone()),
        ("/t/globex/x", acme.clone().scope("x")),
        ("/t/Acme/x", acme.clone()),
        ("/t/acme/x", api.token().scope("read")),
        ("/t/acme/x", api.token().scope("read").claim("tnt_id", ["acme"])),
        ("/t/7/x", api.token().scope("read").claim("tnt_id", 7)),
    ] {
        assert_eq!(api.get(path, token).await, wrong(Some("read")), "{path}");
    }
    assert_eq!(api.get_at("acme.api.example", "/h", acme.clone()).await, wrong(None));
    for (host, answer) in [
        ("acme.api.example:443", Answer::Admitted),
        ("ACME.API.example", Answer::Admitted),
        ("globex.api.example", short_of("shop.globex")),
        ("api.example", wrong(None)),
        ("evil.example", wrong(None)),
        ("", wrong(None)),
    ] {
        let token = acme.clone().scope("shop.acme");
        assert_eq!(api.get_at(host, "/s", token).await, answer, "{host}");
    }
}

/// Whoever may not use a hidden route is answered as on a path that no rule covers, and a good token as
/// if there were nothing.
#[tokio::test]
async fn chal_20_f68_a_hidden_route_looks_like_a_path_without_a_rule() {
    let text = "[[rule]]\npath = \"/once\"\nscopes = [\"audit\"]\nhide = true\n\
                [[rule]]\npath = \"/made/{tenant}\"\ntenant = { tnt_id = \"{tenant}\" }\n\
                scopes = [\"audit\"]\nhide = true";
    let api = Api::with(text, |builder| builder.required(scope("base")));
    let acme = |scope: &str| api.token().claim("tnt_id", "acme").scope(scope).mint();
    let told = async |path: &str, token: Option<&str>| {
        let route = api.routes.route(&Method::GET, path, "");
        let rejection = decide(route.access.gate().unwrap(), token).await.err()?;
        let response = rejection.to_response();
        let told = (response.status(), response.headers().clone(), response.into_body());
        Some((told, rejection.kind(), rejection.reason()))
    };
    let expired = api.token().expired().mint();
    let others = [None, Some("a b"), Some("x.y.z"), Some(expired.as_str())];
    let base = acme("audit");
    for path in ["/once", "/made/acme", "/made/globex"] {
        for token in others.into_iter().chain([Some(base.as_str())]) {
            let plain = told("/no/rule", token).await;
            assert!(plain.is_some());
            assert_eq!(told(path, token).await, plain, "{path} {token:?}");
        }
    }
    for (path, reason) in [
        ("/once", RejectionKind::InsufficientScope),
        ("/made/acme", RejectionKind::InsufficientScope),
        ("/made/globex", RejectionKind::WrongTenant),
    ] {
        let ((status, headers, body), kind, found) = told(path, Some(&acme("base"))).await.unwrap();
        assert_eq!((status.as_u16(), kind, found), (404, RejectionKind::Hidden, reason), "{path}");
        assert_eq!(headers.get("www-authenticate"), None, "{path}");
        let plain = r#"{"detail":"There is nothing here","status":404,"title":"Not Found"}"#;
        assert_eq!(body, plain, "{path}");
    }
    for path in ["/once", "/made/acme"] {
        assert_eq!(told(path, Some(&acme("base audit"))).await, None, "{path}");
    }
}
