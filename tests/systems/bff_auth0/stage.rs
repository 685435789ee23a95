//! Everybody on their sockets: authorization server, BFF, recorder, browser, and before the API the
//! layer or whatever else a test puts there.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use http::Method;
use http::header::AUTHORIZATION;
use portcullis::ResourceServer;
use reqwest::RequestBuilder;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::auth0::{Auth0, CLIENT};
use super::browser::Browser;
use super::recorder::Recorder;
use super::{api, server};
use crate::support;
use crate::support::oidc_provider::client;

/// An API whose tokens are in Auth0's own profile.
pub(crate) const AUDIENCE: &str = "https://api.example.com";
/// One whose tokens are in its profile by RFC 9068.
pub(crate) const RFC9068: &str = "https://rfc9068.example.com";
const SESSION: &str = "__Host-session";

pub(crate) struct Stage<A = Api> {
    pub(crate) auth0: Auth0,
    pub(crate) api: A,
    /// Where browsers find it. Another site than the one of the authorization server, as in life.
    pub(crate) bff: String,
    /// Requests that the BFF has neither answered nor given up.
    pub(crate) in_work: watch::Receiver<usize>,
    pub(crate) recorder: Recorder,
    pub(crate) browser: Browser,
}

/// The API of the example, and the requests that reached it.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `GET /orders`
    pub(crate) line: String,
    /// The token that came along.
    pub(crate) token: Option<String>,
    pub(crate) cookies: usize,
}

impl Api {
    pub(crate) async fn start(issuer: &str, audience: &str) -> Self {
        let api = support::server::builder().issuer(api::issuer(issuer, audience)).build().unwrap();
        Self::guarded_by(&api).await
    }

    pub(crate) async fn guarded_by(api: &ResourceServer) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let note = middleware::from_fn(move |request: Request, next: middleware::Next| {
            notes.lock().unwrap().push(Seen::new(&request));
            next.run(request)
        });
        let address = serve(listener().await, api::router(api).layer(note));
        Self { address, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.seen().into_iter().filter_map(|seen| seen.token).collect()
    }
}

impl Seen {
    fn new(request: &Request) -> Self {
        let token = request.headers().get(AUTHORIZATION).map(|field| field.to_str().unwrap());
        Self {
            line: format!("{} {}", request.method(), request.uri()),
            token: token.and_then(|field| field.strip_prefix("Bearer ")).map(str::to_owned),
            cookies: request.headers().get_all("cookie").iter().count(),
        }
    }
}

impl Stage {
    /// `None` where something is not installed, which is told.
    pub(crate) async fn set() -> Option<Self> {
        Self::of(AUDIENCE).await
    }

    /// With the API of that identifier.
    pub(crate) async fn of(audience: &str) -> Option<Self> {
        Stage::before(audience, async |issuer| {
            let api = Api::start(issuer, audience).await;
            (api.address, api)
        })
        .await
    }
}

impl<A> Stage<A> {
    /// Before an API that trusts the issuer that it is told, and says where it is.
    pub(crate) async fn before(
        audience: &str,
        api: impl AsyncFnOnce(&str) -> (SocketAddr, A),
    ) -> Option<Self> {
        let (listener, home) = home().await;
        let auth0 = Auth0::start(&home).await?;
        let (address, api) = api(auth0.issuer()).await;
        let in_work = open(listener, &auth0, &home, audience, address).await;
        let recorder = Recorder::start().await;
        let browser = Browser::start(recorder.address()).await?;
        Some(Self { auth0, api, bff: home, in_work, recorder, browser })
    }

    /// The person signs in with the authorization server's own form; the page shows their orders.
    pub(crate) async fn sign_in(&mut self, person: &str) {
        self.browser.open(&self.bff).await;
        self.browser.click("#login").await;
        self.browser.until("document.querySelector('[name=password]') !== null").await;
        for (field, value) in [("login", person), ("password", "any")] {
            let fill = format!("document.querySelector('[name={field}]').value = '{value}'");
            self.browser.value(&fill).await;
        }
        self.browser.click("[type=submit]").await;
        self.answer_is(&format!("orders of {person}")).await;
    }

    /// What the page shows.
    pub(crate) async fn answer_is(&mut self, text: &str) {
        let shown = format!("document.querySelector('#answer')?.textContent.trim() === '{text}'");
        self.browser.until(&shown).await;
    }

    /// The cookie that stands for the session, with its name.
    pub(crate) async fn session(&mut self) -> String {
        let cookies = self.browser.cookies().await;
        let found = cookies.iter().find(|cookie| cookie["name"] == SESSION).expect("a session");
        format!("{SESSION}={}", found["value"].as_str().unwrap())
    }

    /// A GET on the BFF as its page makes it, by whoever has the cookie.
    pub(crate) fn get(&self, path: &str, cookie: &str) -> RequestBuilder {
        self.ask(Method::GET, path, cookie)
    }

    pub(crate) fn post(&self, path: &str, cookie: &str) -> RequestBuilder {
        self.ask(Method::POST, path, cookie)
    }

    fn ask(&self, method: Method, path: &str, cookie: &str) -> RequestBuilder {
        let request = client().request(method, format!("{}{path}", self.bff));
        request.header("x-bff", "1").header("cookie", cookie)
    }
}

/// A port for the BFF, which the authorization server has to know before the BFF can start.
pub(crate) async fn home() -> (TcpListener, String) {
    let listener = listener().await;
    let port = listener.local_addr().unwrap().port();
    (listener, format!("http://localhost:{port}"))
}

/// Starts the BFF of the example, and tells how many requests it works on.
pub(crate) async fn open(
    listener: TcpListener,
    auth0: &Auth0,
    home: &str,
    audience: &str,
    api: SocketAddr,
) -> watch::Receiver<usize> {
    let settings = server::Settings {
        issuer: auth0.issuer().to_owned(),
        audience: audience.to_owned(),
        client_id: CLIENT.0.to_owned(),
        client_secret: CLIENT.1.to_owned(),
        public_url: home.to_owned(),
        api_url: format!("http://{api}"),
    };
    let (count, in_work) = watch::channel(0);
    let counted = middleware::from_fn(move |request: Request, next: middleware::Next| {
        let work = Work::begin(&count);
        async move {
            let _work = work;
            next.run(request).await
        }
    });
    serve(listener, server::router(settings).await.unwrap().layer(counted));
    in_work
}

/// One of those that are counted. A request is given up by dropping what works on it.
struct Work(watch::Sender<usize>);

impl Work {
    fn begin(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

pub(crate) async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

pub(crate) fn serve(listener: TcpListener, app: Router) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}
