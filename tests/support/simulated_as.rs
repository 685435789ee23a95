//! An authorization server in place of the HTTP client, for tests whose clock stands still: with a
//! real socket that clock would run ahead while bytes are on their way.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::IF_NONE_MATCH;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use portcullis::{HttpService, Issuer, RejectionKind, ResourceServer, ResourceServerBuilder};
use serde_json::json;
use tokio::time::Instant;

use super::keys::{Key, changed, claims, now};

pub const ISSUER: &str = "https://as.example";
pub const JWKS: &str = "/jwks";
pub const METADATA: &str = "/.well-known/oauth-authorization-server";

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub at: Instant,
    pub path: String,
    pub if_none_match: Option<String>,
}

/// What becomes of it.
pub enum Reply {
    Answer(Response<Bytes>),
    After(Duration, Response<Bytes>),
    /// The connection stays open and silent.
    Never,
    /// Nobody is there.
    Unreachable,
}

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

#[derive(Clone)]
pub struct SimulatedAs(Arc<State>);

struct State {
    script: Mutex<Arc<Script>>,
    log: Mutex<Vec<Asked>>,
}

impl SimulatedAs {
    pub fn new(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self(Arc::new(State { script: Mutex::new(Arc::new(script)), log: Mutex::default() }))
    }

    /// Publishes this key set, whatever the path.
    pub fn publishing(jwks: String) -> Self {
        Self::new(move |_| Reply::Answer(key_set(&jwks)))
    }

    pub fn answer_with(&self, script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
        *self.0.script.lock().unwrap() = Arc::new(script);
    }

    pub fn publish(&self, jwks: String) {
        self.answer_with(move |_| Reply::Answer(key_set(&jwks)));
    }

    pub fn log(&self) -> Vec<Asked> {
        self.0.log.lock().unwrap().clone()
    }

    /// How many requests there were.
    pub fn count(&self) -> usize {
        self.0.log.lock().unwrap().len()
    }

    pub fn client(&self) -> impl HttpService + Clone {
        let state = Arc::clone(&self.0);
        tower::service_fn(move |request: Request<Full<Bytes>>| {
            let etag = request.headers().get(IF_NONE_MATCH);
            let asked = Asked {
                at: Instant::now(),
                path: request.uri().path().to_owned(),
                if_none_match: etag.map(|etag| etag.to_str().unwrap().to_owned()),
            };
            state.log.lock().unwrap().push(asked.clone());
            let script = Arc::clone(&state.script.lock().unwrap());
            async move {
                match script(&asked) {
                    Reply::Answer(response) => Ok(response.map(Full::new)),
                    Reply::After(delay, response) => {
                        tokio::time::sleep(delay).await;
                        Ok(response.map(Full::new))
                    }
                    Reply::Never => std::future::pending().await,
                    Reply::Unreachable => Err(std::io::Error::other("nobody is there")),
                }
            }
        })
    }

    /// A resource server that gets the keys of [`ISSUER`] here.
    pub fn server(&self) -> ResourceServer {
        let issuer = Issuer::with_jwks_uri(ISSUER, format!("{ISSUER}{JWKS}"));
        self.builder(issuer).build().unwrap()
    }

    /// The same, by way of its metadata.
    pub fn discovering_server(&self) -> ResourceServer {
        self.builder(Issuer::discover(ISSUER)).build().unwrap()
    }

    pub fn builder(&self, issuer: Issuer) -> ResourceServerBuilder {
        super::server::builder()
            .issuer(issuer.audience("https://rs.example"))
            .http_client(self.client())
    }
}

/// An answer with a body of the given type.
pub fn answer(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

/// The metadata document of `issuer` (RFC 8414 §2).
pub fn metadata(issuer: &str, jwks_uri: &str) -> Response<Bytes> {
    let document = json!({ "issuer": issuer, "jwks_uri": jwks_uri, "x": [1] });
    answer(200, "application/json", document.to_string())
}

pub fn key_set(jwks: &str) -> Response<Bytes> {
    answer(200, "application/jwk-set+json", jwks.to_owned())
}

/// Of [`ISSUER`], with this address of its keys.
pub fn metadata_to(jwks_uri: &str) -> Response<Bytes> {
    metadata(ISSUER, jwks_uri)
}

/// A good token that outlives the test.
pub fn lasting_token(key: &Key) -> String {
    key.sign(&changed(claims(ISSUER), json!({ "exp": now() + 1_000_000_000 })))
}

/// Why the token is refused, if it is.
pub async fn kind(server: &ResourceServer, token: &str) -> Option<RejectionKind> {
    server.verify(token).await.err().map(|rejection| rejection.kind())
}

/// Whether the token is accepted at once, without waiting for anything.
pub fn is_accepted_at_once(server: &ResourceServer, token: &str) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    let verdict = std::pin::pin!(server.verify(token)).poll(&mut context);
    matches!(verdict, Poll::Ready(Ok(_)))
}

/// `token` under the name of another key. What was signed no longer fits, which nobody finds out
/// before the key is there.
pub fn forged(token: &str, kid: &str) -> String {
    let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{kid}"}}"#);
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
}
