//! IBM MobileFirst: confidential clients with an allowed scope, opaque tokens that are introspected
//! with a token of our own, and the loop of calling without scope, reading the 403 and asking again.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::response::Response;
use axum::routing::{any, get, post};
use http::StatusCode;
use portcullis::testing::{Authority, Client, ManualClock};
use portcullis::{
    AccessToken, Caller, CallerTable, Introspection, Issuer, ResourceServer, Scope, WildcardMatch,
    clients, scope, users,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tower::{Layer, ServiceExt, service_fn};

use crate::sidecar_support::{Sidecar, Upstream};
use crate::support::scripted_as::{Reply, ScriptedAs};

const AUDIENCE: &str = "https://api.example";
/// The client of the resource server itself.
const ADAPTER: (&str, &str) = ("adapter", "adapter-secret");

const RULES: &str = r#"
    [[rule]]
    path = "/messages"
    scopes = ["RegisteredClient", "messages.write"]
    [[rule]]
    path = "/send"
    scopes = ["RegisteredClient", "sendMessage"]
    [[rule]]
    path = "/apps/{id}/push"
    scopes = ["RegisteredClient", "push.application.{id}"]
"#;

/// A runtime of MobileFirst: its addresses, and answers in its own words.
struct Server {
    runtime: String,
}

impl Server {
    async fn of(authority: &Authority) -> Self {
        let (at, asked_at) = (authority.token_endpoint(), authority.introspection_endpoint());
        let token = move |request| forward(at.clone(), request);
        let introspection = move |request| async move {
            let (status, answer) = forward(asked_at.clone(), request).await;
            (status, in_its_words(&answer))
        };
        let endpoints = Router::new()
            .route("/mfp/api/az/v1/token", post(token))
            .route("/mfp/api/az/v1/introspection", post(introspection));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, endpoints).await.unwrap() });
        Self { runtime: format!("http://{address}/mfp") }
    }

    fn endpoint(&self, name: &str) -> String {
        format!("{}/api/az/v1/{name}", self.runtime)
    }

    fn issuer(&self) -> Issuer {
        Issuer::mobilefirst(&self.runtime, ADAPTER.0, ADAPTER.1).audience(AUDIENCE)
    }

    /// What the preset stands for.
    fn issuer_by_hand(&self) -> Issuer {
        let ask = Introspection::at(self.endpoint("introspection"));
        let ask = ask.bearer(ADAPTER.0, ADAPTER.1, self.endpoint("token"));
        Issuer::introspected(&self.runtime, ask.audience_implied())
            .callers(CallerTable::new())
            .scope_claims(["scope"])
            .audience(AUDIENCE)
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("PORTCULLIS_PRESET", "mobilefirst".to_owned())]
    }

    fn variables_by_hand(&self) -> Vec<(&'static str, String)> {
        vec![
            ("PORTCULLIS_INTROSPECTION_URI", self.endpoint("introspection")),
            ("PORTCULLIS_INTROSPECTION_AUTH", "bearer".to_owned()),
            ("PORTCULLIS_INTROSPECTION_AUDIENCE", "implied".to_owned()),
            ("PORTCULLIS_TOKEN_URI", self.endpoint("token")),
        ]
    }
}

async fn forward(to: String, request: Request) -> (StatusCode, String) {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
    let ask = ["authorization", "content-type"].into_iter().fold(
        client().post(to).body(body),
        |ask, name| match parts.headers.get(name) {
            Some(value) => ask.header(name, value),
            None => ask,
        },
    );
    match ask.send().await {
        Ok(answer) => (answer.status(), answer.text().await.unwrap()),
        Err(_) => (StatusCode::BAD_GATEWAY, String::new()),
    }
}

/// No `iss`, `sub` or `aud`; `exp` in milliseconds; members of its own, objects and `null` among them.
fn in_its_words(answer: &str) -> String {
    let Ok(answer) = serde_json::from_str::<Value>(answer) else { return String::new() };
    if answer["active"] != true {
        return answer.to_string();
    }
    json!({
        "active": true,
        "scope": answer["scope"],
        "username": "anonymous",
        "client_id": answer["client_id"],
        "exp": answer["exp"].as_u64().unwrap() * 1000,
        "mfp-application": {"id": "com.acme.mail", "clientPlatform": "android", "version": "1.0"},
        "mfp-device": {"id": "6fe3-348a", "deviceDisplayName": null, "status": "ACTIVE"},
        "mfp-user": null,
        "mfp-checks": {},
    })
    .to_string()
}

fn authority() -> portcullis::testing::AuthorityBuilder {
    Authority::builder().audience(AUDIENCE).clock(ManualClock::running()).opaque_tokens()
}

async fn serve(builder: portcullis::testing::AuthorityBuilder) -> Authority {
    let authority = builder.serve().await.unwrap();
    for client in [
        Client::new("test", "test").allowed_scope("*"),
        Client::new("app", "s3cret").allowed_scope("send* messages.write push.application.*"),
        Client::new(ADAPTER.0, ADAPTER.1).allowed_scope("authorization.introspect"),
    ] {
        authority.register(client).unwrap();
    }
    authority
}

/// One of the two that protect the API.
struct Front {
    name: &'static str,
    address: SocketAddr,
    _sidecar: Option<(Sidecar, Upstream)>,
    _layer: Option<Serving>,
}

struct Serving(AbortHandle);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What `{id}` is, is known when the request is there.
async fn push(api: ResourceServer, Path(id): Path<String>, request: Request) -> Response {
    let Ok(needed) = Scope::new(&format!("push.application.{id}")) else {
        return Response::builder().status(StatusCode::NOT_FOUND).body(Body::empty()).unwrap();
    };
    let inner = service_fn(async |_: Request| {
        Ok::<_, std::convert::Infallible>(Response::new(Body::from("pushed")))
    });
    let guarded = api.require(scope("RegisteredClient").and(needed)).layer(inner);
    guarded.oneshot(request).await.unwrap().map(Body::new)
}

async fn who(token: AccessToken) -> String {
    token.client_id().unwrap_or_default().to_owned()
}

async fn layer(issuer: Issuer) -> Front {
    let api = ResourceServer::builder().issuer(issuer).build().unwrap();
    let registered = || scope("RegisteredClient");
    let for_push = api.clone();
    let app: Router = Router::new()
        .route(
            "/messages",
            get(who).route_layer(api.require(registered().and(scope("messages.write")))),
        )
        .route("/send", get(who).route_layer(api.require(registered().and(scope("sendMessage")))))
        .route("/apps/{id}/push", any(move |id, request| push(for_push.clone(), id, request)));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let layer = Some(Serving(serving.abort_handle()));
    Front { name: "layer", address, _sidecar: None, _layer: layer }
}

async fn sidecar(server: &Server, variables: &[(&'static str, String)]) -> Front {
    let upstream = Upstream::start().await;
    let settings = Sidecar::trusting(&server.runtime, upstream.address())
        .with("PORTCULLIS_AUDIENCE", AUDIENCE)
        .with("PORTCULLIS_CLIENT_ID", ADAPTER.0)
        .with("PORTCULLIS_CLIENT_SECRET", ADAPTER.1)
        .rules(RULES);
    let settings =
        variables.iter().fold(settings, |settings, (name, value)| settings.with(name, value));
    let sidecar = settings.start();
    let log = sidecar.stderr();
    assert!(!log.contains(ADAPTER.1), "the secret is in the log");
    let page = sidecar.ask_admin("/").text();
    assert!(page.contains("PORTCULLIS_CLIENT_ID") && !page.contains(ADAPTER.1));
    let address = sidecar.address();
    Front { name: "sidecar", address, _sidecar: Some((sidecar, upstream)), _layer: None }
}

async fn fronts(server: &Server) -> [Front; 2] {
    [layer(server.issuer()).await, sidecar(server, &server.variables()).await]
}

async fn by_hand(server: &Server) -> [Front; 2] {
    [layer(server.issuer_by_hand()).await, sidecar(server, &server.variables_by_hand()).await]
}

/// What a client gets.
#[derive(Debug)]
struct Answer {
    status: u16,
    challenge: Option<String>,
    conflict: Option<String>,
}

impl Front {
    async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        let mut request = client().get(format!("http://{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let field = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let (challenge, conflict) = (field("www-authenticate"), field("mfp-conflict"));
        Answer { status: response.status().as_u16(), challenge, conflict }
    }

    /// A token with the scope that a 403 named.
    #[track_caller]
    fn named(&self, answer: &Answer) -> String {
        assert_eq!(answer.status, 403, "{}: {answer:?}", self.name);
        let challenge = crate::support::challenge(answer.challenge.as_deref().unwrap());
        assert_eq!(challenge.parameter("error"), Some("insufficient_scope"));
        challenge.parameter("scope").unwrap().to_owned()
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// As MobileFirst's clients do it. An empty scope asks for none.
async fn token(server: &Server, id: &str, secret: &str, scope: &str) -> Result<Value, Value> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if !scope.is_empty() {
        form.append_pair("scope", scope);
    }
    let request = client()
        .post(server.endpoint("token"))
        .basic_auth(id, Some(secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.finish());
    let response = request.send().await.unwrap();
    let is_good = response.status().is_success();
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    if is_good { Ok(answer) } else { Err(answer) }
}

async fn access_token(server: &Server, id: &str, secret: &str, scope: &str) -> String {
    let answer = token(server, id, secret, scope).await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_scope_learns_it_from_the_403_and_gets_through() {
    let authority = serve(authority()).await;
    let server = Server::of(&authority).await;
    let [layer, sidecar] = fronts(&server).await;
    for front in [layer, sidecar].into_iter().chain(by_hand(&server).await) {
        for (id, secret) in [("test", "test"), ("app", "s3cret")] {
            for (path, needed) in [
                ("/messages", "RegisteredClient messages.write"),
                ("/send", "RegisteredClient sendMessage"),
                ("/apps/com.acme.mail/push", "RegisteredClient push.application.com.acme.mail"),
            ] {
                let first = token(&server, id, secret, "").await.unwrap();
                assert_eq!(first["scope"], "RegisteredClient");
                // An hour, and less for the client.
                assert_eq!(first["expires_in"], 3599);
                let refused = front.get(path, first["access_token"].as_str()).await;
                let named = front.named(&refused);
                assert_eq!(named, needed, "{}", front.name);
                let second = access_token(&server, id, secret, &named).await;
                assert_eq!(front.get(path, Some(&second)).await.status, 200, "{}", front.name);
                // It is good for this and nothing else.
                let elsewhere = front.get("/apps/other/push", Some(&second)).await;
                assert_eq!(front.named(&elsewhere), "RegisteredClient push.application.other");
            }
        }
        // What its allowed scope does not cover, a client never gets.
        let refused = token(&server, "app", "s3cret", "admin").await.unwrap_err();
        assert_eq!(refused["error"], "invalid_scope");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_names_its_client_and_nothing_says_whether_a_person_is_there() {
    let authority = serve(authority()).await;
    let server = Server::of(&authority).await;
    let api = ResourceServer::builder().issuer(server.issuer()).build().unwrap();
    let token = access_token(&server, "app", "s3cret", "").await;
    let token = api.verify(&token).await.unwrap();
    assert_eq!((token.caller(), token.client_id()), (Caller::Unknown, Some("app")));
    assert!(!token.allows(&users()) && !token.allows(&clients()));
}

#[tokio::test(flavor = "multi_thread")]
async fn chal_02_the_three_forms_of_the_challenge() {
    let authority = serve(authority()).await;
    let server = Server::of(&authority).await;
    let poor = access_token(&server, "app", "s3cret", "sendA").await;
    let gone = access_token(&server, "app", "s3cret", "messages.write").await;
    authority.revoke(&gone);
    let scope = r#"scope="RegisteredClient messages.write""#;
    let realm = r#"Bearer realm="resource""#;
    let inactive = r#"error_description="The access token is not active""#;
    let lacks = r#"error_description="The access token lacks scope that this request needs""#;
    let nothing = format!("{realm}, {scope}");
    let invalid = format!(r#"{realm}, error="invalid_token", {inactive}, {scope}"#);
    let insufficient = format!(r#"{realm}, error="insufficient_scope", {lacks}, {scope}"#);
    for front in fronts(&server).await {
        for (token, status, expected) in [
            (None, 401, &nothing),
            (Some("made-up"), 401, &invalid),
            (Some(&*gone), 401, &invalid),
            (Some(&*poor), 403, &insufficient),
        ] {
            let answer = front.get("/messages", token).await;
            assert_eq!(answer.status, status, "{}", front.name);
            assert_eq!(answer.challenge.as_ref(), Some(expected), "{}", front.name);
        }
    }
}

/// The pattern is the authorization server's own matter. A token that carries one all the same says
/// nothing to a resource that did not declare it.
#[tokio::test(flavor = "multi_thread")]
async fn wild_06_wildcards_in_a_token_count_only_where_they_were_declared() {
    let authority = serve(authority()).await;
    let server = Server::of(&authority).await;
    let all = access_token(&server, "test", "test", "*").await;
    let any_push = "RegisteredClient push.application.*";
    let any_push = access_token(&server, "test", "test", any_push).await;
    for front in fronts(&server).await {
        for token in [&all, &any_push] {
            let refused = front.get("/apps/mail/push", Some(token)).await;
            assert_eq!(front.named(&refused), "RegisteredClient push.application.mail");
        }
    }
    let declared = server.issuer().granted_wildcards(WildcardMatch::Overlap);
    let mut variables = server.variables();
    variables.push(("PORTCULLIS_GRANTED_WILDCARDS", "on".to_owned()));
    for front in [layer(declared).await, sidecar(&server, &variables).await] {
        for (token, path, status) in [
            (&all, "/apps/mail/push", 200),
            (&all, "/messages", 200),
            (&any_push, "/apps/mail/push", 200),
            (&any_push, "/messages", 403),
        ] {
            assert_eq!(front.get(path, Some(token)).await.status, status, "{}", front.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_token_is_renewed_when_it_has_expired() {
    let short = authority().token_lifetime(Duration::from_secs(30));
    let authority = serve(short).await;
    let server = Server::of(&authority).await;
    for front in fronts(&server).await {
        let token = async || {
            access_token(&server, "app", "s3cret", "RegisteredClient messages.write").await
        };
        let before = authority.introspection_requests();
        assert_eq!(front.get("/messages", Some(&token().await)).await.status, 200);
        assert_eq!(authority.introspection_requests() - before, 1, "{}", front.name);
        // It is over for the authorization server, and not known to be here.
        authority.clock().advance(Duration::from_secs(31));
        let before = authority.introspection_requests();
        assert_eq!(front.get("/messages", Some(&token().await)).await.status, 200);
        assert_eq!(authority.introspection_requests() - before, 2, "{}", front.name);
        authority.clock().set(std::time::SystemTime::now());
    }
}

/// Another client is using the device's application, for example: what to do stands in the field.
#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_reaches_the_client() {
    let fake = ScriptedAs::start(|asked| match asked.path() {
        "/mfp/api/az/v1/token" => Reply::json(r#"{"access_token":"own","token_type":"Bearer"}"#),
        _ => Reply::status(409).header("mfp-conflict", "conflict-of-today"),
    })
    .await;
    let server = Server { runtime: format!("{}/mfp", fake.origin) };
    for front in fronts(&server).await {
        let answer = front.get("/messages", Some("opaque")).await;
        assert_eq!(answer.status, 409, "{}", front.name);
        assert_eq!(answer.conflict.as_deref(), Some("conflict-of-today"), "{}", front.name);
        assert_eq!(answer.challenge, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f41_an_authorization_server_that_is_down_is_not_the_clients_fault() {
    let authority = serve(authority()).await;
    let server = Server::of(&authority).await;
    let good = access_token(&server, "app", "s3cret", "RegisteredClient messages.write").await;
    for front in fronts(&server).await {
        authority.set_outage(portcullis::testing::Outage::Everything);
        let answer = front.get("/messages", Some(&good)).await;
        assert_eq!((answer.status, answer.challenge), (503, None), "{}", front.name);
        assert_eq!(front.get("/messages", None).await.status, 401, "nobody has to be asked");
        authority.set_outage(portcullis::testing::Outage::None);
        let other = access_token(&server, "app", "s3cret", "RegisteredClient messages.write");
        assert_eq!(front.get("/messages", Some(&other.await)).await.status, 200, "{}", front.name);
    }
}
