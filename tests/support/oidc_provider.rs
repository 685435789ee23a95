//! A real authorization server, `oidc-provider` for Node.js, and the clients that get tokens from
//! it. Its configuration is `tests/oidc-provider/server.mjs`.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use url::{Url, form_urlencoded};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc-provider");
const OLDEST_NODE: u32 = 20;
/// Far above the half second that a start takes, for machines with other work to do.
const START_LIMIT: Duration = Duration::from_secs(60);
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// The scope that every resource server of `server.mjs` knows; others are left out of its tokens.
pub const SCOPE: &str = "orders.read orders.write profile.read";
/// `sub` and `client_id` of the tokens by client credentials.
pub const MACHINE: &str = "machine";
/// `client_id` of the tokens by authorization code, `aud` of the ID tokens.
pub const WEB: &str = "web";
/// `sub` of the tokens by authorization code.
pub const USER: &str = "alice";

const MACHINE_SECRET: &str = "machine-secret";
/// Nobody listens there: the login stops at the redirect to it.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// The running server; dropping it ends it.
pub struct OidcProvider {
    /// Killed on drop, and with its standard input it also ends when this process does.
    _server: Child,
    issuer: String,
    control: String,
    http: Client,
}

/// The tokens of one login.
#[derive(Debug)]
pub struct Tokens {
    pub access_token: String,
    pub id_token: String,
}

/// Who signs in, by which client, for what.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    pub client: &'a str,
    /// Public clients have none.
    pub secret: Option<&'a str>,
    pub user: &'a str,
    pub resource: &'a str,
    pub scope: &'a str,
}

/// How an endpoint answers.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    Ok,
    /// 503 without body.
    Unavailable,
    /// The request is read and never answered.
    Hang,
    /// 200 with a body that is cut-off JSON.
    Garbage,
    /// 200 with a key set without keys, or a discovery document without members.
    Empty,
}

/// Requests seen since the start, answered or not. The harness itself makes none of them.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Stats {
    pub jwks: u64,
    pub discovery: u64,
}

#[derive(Deserialize)]
struct Ready {
    issuer: String,
    control: String,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    id_token: Option<String>,
}

impl OidcProvider {
    /// Starts the server on a free port; `None` as [`start_script`] says.
    pub async fn start() -> Option<Self> {
        Self::start_as("server.mjs", &[]).await
    }

    /// The same server as another system, which `tests/oidc-provider/system.mjs` describes. It takes
    /// no commands and counts nothing.
    pub async fn start_system(config: &serde_json::Value) -> Option<Self> {
        Self::start_as("system.mjs", &[&config.to_string()]).await
    }

    async fn start_as(script: &str, arguments: &[&str]) -> Option<Self> {
        let (server, line) = start_script(script, arguments).await?;
        let Ready { issuer, control } = serde_json::from_str(&line).expect("the ready line");
        Some(Self { _server: server, issuer, control, http: client() })
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// An access token for the client `machine`. An empty `scope` asks for none.
    pub async fn client_credentials(&self, resource: &str, scope: &str) -> String {
        let mut form = vec![("grant_type", "client_credentials"), ("resource", resource)];
        if !scope.is_empty() {
            form.push(("scope", scope));
        }
        let request = self.token_request(&form).basic_auth(MACHINE, Some(MACHINE_SECRET));
        tokens(request).await.access_token
    }

    /// An access token for this client, which calls for itself.
    pub async fn machine_token(&self, client: &str, secret: &str, scope: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        tokens(self.token_request(&form).basic_auth(client, Some(secret))).await.access_token
    }

    /// The tokens for the client `web` after a login of `alice`, who consents to everything.
    pub async fn authorization_code(&self, resource: &str, scope: &str) -> Tokens {
        self.sign_in(&Login { client: WEB, secret: None, user: USER, resource, scope }).await
    }

    /// The tokens for a client after somebody has signed in and consented to everything.
    pub async fn sign_in(&self, login: &Login<'_>) -> Tokens {
        let verifier = random();
        let code = self.authorize(login, &verifier).await;
        let request = self.token_request(&[
            ("grant_type", "authorization_code"),
            ("client_id", login.client),
            ("redirect_uri", REDIRECT_URI),
            ("code", &code),
            ("code_verifier", &verifier),
            // Otherwise a request with `openid` gets an opaque token for the userinfo endpoint.
            ("resource", login.resource),
        ]);
        let response = tokens(match login.secret {
            Some(secret) => request.basic_auth(login.client, Some(secret)),
            None => request,
        })
        .await;
        let id_token = response.id_token.expect("an ID token");
        Tokens { access_token: response.access_token, id_token }
    }

    /// Runs the authorization request and returns the code.
    async fn authorize(&self, login: &Login<'_>, verifier: &str) -> String {
        let challenge =
            URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
        let state = random();
        let mut url = self.endpoint("/auth");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", login.client)
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("resource", login.resource)
            .append_pair("scope", format!("openid {}", login.scope).trim_end())
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");

        let callback = Browser::new(&self.http, login.user).sign_in(url).await;
        let mut answer: BTreeMap<_, _> = callback.query_pairs().into_owned().collect();
        assert_eq!(answer.get("iss"), Some(&self.issuer), "{callback}");
        assert_eq!(answer.get("state"), Some(&state), "{callback}");
        answer.remove("code").unwrap_or_else(|| panic!("no code in {callback}"))
    }

    /// Replaces all keys. Tokens of the old keys stay unexpired but have no key any more.
    pub async fn rotate_keys(&self) {
        self.command("rotate", "").await;
    }

    pub async fn jwks_mode(&self, mode: Mode) {
        self.command("jwks", mode.name()).await;
    }

    pub async fn discovery_mode(&self, mode: Mode) {
        self.command("discovery", mode.name()).await;
    }

    pub async fn stats(&self) -> Stats {
        let url = format!("{}/stats", self.control);
        serde_json::from_str(&body(self.http.get(url)).await).expect("the stats")
    }

    async fn command(&self, name: &str, argument: &'static str) {
        body(self.http.post(format!("{}/{name}", self.control)).body(argument)).await;
    }

    fn token_request(&self, form: &[(&str, &str)]) -> RequestBuilder {
        post_form(&self.http, self.endpoint("/token"), form)
    }

    /// The paths are known here instead of discovered, so that `stats` counts the requests of the
    /// code under test alone.
    fn endpoint(&self, path: &str) -> Url {
        Url::parse(&self.issuer).unwrap().join(path).unwrap()
    }
}

/// Starts a script that stands beside `server.mjs`, and gives the line that it writes when it is
/// ready. `None` when this machine lacks what it takes, after telling so; a panic instead where
/// nothing may be skipped, which is where `CI` is `true`.
pub async fn start_script(script: &str, arguments: &[&str]) -> Option<(Child, String)> {
    if let Some(missing) = missing().await {
        let notice = format!("skipped: {missing}; run scripts/install-test-tools");
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI, {notice}");
        // Not eprintln!, which the test harness swallows when the test passes.
        io::stderr().write_all(format!("{notice}\n").as_bytes()).unwrap();
        return None;
    }
    let mut server = Command::new("node")
        .arg(script)
        .args(arguments)
        .current_dir(DIRECTORY)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("starting node");
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = timeout(START_LIMIT, lines.next_line())
        .await
        .expect("oidc-provider is not ready in time")
        .expect("reading from oidc-provider")
        .expect("oidc-provider ended at its start");
    Some((server, line))
}

/// A client that follows no redirects. No connections are kept: a server shared by tests outlives
/// the runtimes that drive them.
pub fn client() -> Client {
    Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(REQUEST_LIMIT)
        .build()
        .unwrap()
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unavailable => "503",
            Self::Hang => "hang",
            Self::Garbage => "garbage",
            Self::Empty => "empty",
        }
    }
}

/// As much of a browser as a login needs: it keeps cookies, follows redirects and submits forms.
struct Browser<'a> {
    http: &'a Client,
    user: &'a str,
    /// All cookies go to all pages: their paths only keep apart logins that run side by side.
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    /// Login and consent take seven requests; a server that wants more sends us in circles.
    const MOST_STEPS: usize = 10;

    fn new(http: &'a Client, user: &'a str) -> Self {
        Self { http, user, cookies: BTreeMap::new() }
    }

    /// Walks from the authorization endpoint to the redirect back to the client, and returns that.
    async fn sign_in(mut self, start: Url) -> Url {
        let mut page = self.send(self.http.get(start)).await;
        for _ in 0..Self::MOST_STEPS {
            let Some(next) = redirect_target(&page) else {
                page = self.submit_form(page).await;
                continue;
            };
            if next.as_str().starts_with(REDIRECT_URI) {
                return next;
            }
            page = self.send(self.http.get(next)).await;
        }
        panic!("the login does not come to an end at {}", page.url())
    }

    /// Fills in the page's form, be it for the login or for the consent, which needs no more than
    /// its hidden field.
    async fn submit_form(&mut self, page: Response) -> Response {
        let url = page.url().clone();
        let html = page.text().await.unwrap();
        let field = |before| between(&html, before, '"').unwrap_or_else(|| panic!("{url}: {html}"));
        let action = url.join(field("action=\"")).unwrap();
        let prompt = field("name=\"prompt\" value=\"");
        let form = [("prompt", prompt), ("login", self.user), ("password", "any")];
        self.send(post_form(self.http, action, &form)).await
    }

    async fn send(&mut self, request: RequestBuilder) -> Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let response = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        response
    }

    fn keep(&mut self, set_cookie: &str) {
        let pair = set_cookie.split(';').next().unwrap_or_default();
        match pair.split_once('=') {
            Some((name, "")) => self.cookies.remove(name),
            Some((name, value)) => self.cookies.insert(name.to_owned(), value.to_owned()),
            None => panic!("not a cookie: {set_cookie}"),
        };
    }
}

fn redirect_target(page: &Response) -> Option<Url> {
    let location = page.headers().get(LOCATION)?;
    Some(page.url().join(location.to_str().unwrap()).unwrap())
}

fn between<'a>(text: &'a str, before: &str, end: char) -> Option<&'a str> {
    text.split_once(before)?.1.split(end).next()
}

pub fn post_form(http: &Client, url: Url, form: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

async fn tokens(request: RequestBuilder) -> TokenResponse {
    serde_json::from_str(&body(request).await).expect("a token response")
}

pub async fn body(request: RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.text().await.unwrap();
    assert!(status.is_success(), "{status}: {body}");
    body
}

/// A value of 256 bits, long enough for a PKCE verifier.
fn random() -> String {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).unwrap();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the server needs and this machine does not have.
async fn missing() -> Option<String> {
    let Some(version) = node_version().await else {
        return Some("there is no node".to_owned());
    };
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        return Some(format!("node {version} is older than {OLDEST_NODE}"));
    }
    let installed = Path::new(DIRECTORY).join("node_modules/oidc-provider").is_dir();
    (!installed).then(|| "the npm package oidc-provider is not installed".to_owned())
}

async fn node_version() -> Option<String> {
    let output = Command::new("node").arg("--version").output().await.ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    Some(version.trim().trim_start_matches('v').to_owned())
}
