//! The fixture of the specification: resource `https://rs.example`, issuer `https://as.example`
//! with key `k1`, route `GET /r` that needs scope `read`, realm `rs`, leeway 60 s; and the answers
//! that its tables expect.

use std::convert::Infallible;
use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use portcullis::{
    AccessToken, Clock, Issuer, RejectionKind, Requirement, ResourceServer, ResourceServerBuilder,
    scope,
};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

use super::challenge::{Challenge, challenge};
use super::keys::{self, Key, changed};

pub const ISSUER: &str = "https://as.example";
pub const RESOURCE: &str = "https://rs.example";
pub const METADATA: &str = "https://rs.example/.well-known/oauth-protected-resource";
/// The instant that the fixture's clock shows, Unix seconds.
pub const NOW: u64 = 1_800_000_000;

pub struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW)
    }
}

/// Key `k1` and what is signed with it.
pub struct Fixture {
    pub key: Key,
}

impl Fixture {
    pub fn new() -> Self {
        Self { key: Key::new("k1") }
    }

    pub fn issuer(&self) -> Issuer {
        Issuer::with_jwks(ISSUER, self.key.jwks())
    }

    pub fn builder_with(&self, issuer: Issuer) -> ResourceServerBuilder {
        super::server::builder().issuer(issuer).resource(RESOURCE).realm("rs").clock(Stopped)
    }

    pub fn builder(&self) -> ResourceServerBuilder {
        self.builder_with(self.issuer())
    }

    pub fn header(&self) -> Value {
        json!({ "alg": "ES256", "kid": "k1", "typ": "at+jwt" })
    }

    pub fn claims(&self) -> Value {
        let claims = keys::claims(ISSUER);
        changed(claims, json!({ "iat": NOW, "exp": NOW + 300 }))
    }

    /// `AT`
    pub fn good(&self) -> String {
        self.at(json!({}))
    }

    /// `AT{…}` with changed claims.
    pub fn at(&self, claims: Value) -> String {
        self.key.sign_json(&self.header(), &changed(self.claims(), claims))
    }

    /// `AT` with a changed header.
    pub fn with_header(&self, header: Value) -> String {
        self.key.sign_json(&changed(self.header(), header), &self.claims())
    }
}

/// What a client sees.
#[derive(Debug)]
pub struct Answer {
    pub response: Response<Bytes>,
}

/// How often each request is sent. What is known about a token from before makes no difference, be
/// it what all threads have in common, or what one has at hand.
pub const TIMES: usize = 3;

/// Sends a request through `require(scope("read"))` to a service that answers 200 with the subject.
pub async fn send(server: &ResourceServer, request: Request<Full<Bytes>>) -> Answer {
    send_through(server, scope("read"), request).await
}

pub async fn send_through(
    server: &ResourceServer,
    requirement: impl Into<Requirement>,
    request: Request<Full<Bytes>>,
) -> Answer {
    let inner = service_fn(|request: Request<Full<Bytes>>| async move {
        let token = request.extensions().get::<AccessToken>();
        let subject = token.map_or("anonymous".into(), |token| token.subject().to_string());
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(subject)))
    });
    let service = server.require(requirement).layer(inner);
    let first = answer_of(service.clone().oneshot(request.clone())).await;
    for _ in 1..TIMES {
        let again = answer_of(service.clone().oneshot(request.clone())).await;
        assert_eq!(format!("{again:?}"), format!("{first:?}"), "the same request once more");
    }
    first
}

async fn answer_of<B: Body<Error: Debug>>(
    response: impl Future<Output = Result<Response<B>, Infallible>>,
) -> Answer {
    let (parts, body) = response.await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { response: Response::from_parts(parts, body) }
}

/// `GET /r` with these `Authorization` fields.
pub fn get(fields: &[&[u8]]) -> Request<Full<Bytes>> {
    let mut request = Request::get("/r").body(Full::default()).unwrap();
    for field in fields {
        request.headers_mut().append(AUTHORIZATION, HeaderValue::from_bytes(field).unwrap());
    }
    request
}

/// `GET /r` with this token.
pub fn bearer(token: &str) -> Request<Full<Bytes>> {
    get(&[format!("Bearer {token}").as_bytes()])
}

/// The codes of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Ok,
    /// `C0`
    Invitation,
    /// `401/IT`
    InvalidToken,
    /// `400/IR`
    InvalidRequest,
    /// `403/IS`
    InsufficientScope,
    /// `403/PD`
    Denied,
    /// `503/U`
    Unavailable,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn challenge(&self) -> Challenge {
        let mut fields = self.response.headers().get_all(WWW_AUTHENTICATE).iter();
        let field = fields.next().expect("a challenge").to_str().unwrap();
        assert!(fields.next().is_none(), "one field per scheme");
        challenge(field)
    }

    /// The answer is exactly what the code of the specification stands for.
    #[track_caller]
    pub fn is(&self, expected: Expected, row: &str) {
        let (status, error, scope) = match expected {
            Expected::Ok => {
                assert_eq!(self.status(), 200, "{row}: {self:?}");
                return;
            }
            Expected::Invitation => (401, None, Some("read")),
            Expected::InvalidToken => (401, Some("invalid_token"), Some("read")),
            Expected::InvalidRequest => (400, Some("invalid_request"), None),
            Expected::InsufficientScope => (403, Some("insufficient_scope"), Some("read")),
            Expected::Denied => (403, None, None),
            Expected::Unavailable => {
                assert_eq!(self.status(), 503, "{row}: {self:?}");
                assert_eq!(self.header("www-authenticate"), None, "{row}");
                let seconds: u64 = self.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=60).contains(&seconds), "{row}");
                return;
            }
        };
        assert_eq!(self.status(), status, "{row}: {self:?}");
        let challenge = self.challenge();
        assert_eq!(challenge.scheme, "Bearer", "{row}");
        assert_eq!(challenge.parameter("realm"), Some("rs"), "{row}");
        assert_eq!(challenge.parameter("resource_metadata"), Some(METADATA), "{row}");
        assert_eq!(challenge.parameter("error"), error, "{row}: {self:?}");
        assert_eq!(challenge.parameter("scope"), scope, "{row}: {self:?}");
        assert_eq!(challenge.parameter("error_description").is_some(), error.is_some(), "{row}");
        assert_eq!(challenge.parameter("error_uri"), None, "{row}");
        let parameters = 2 + usize::from(error.is_some()) * 2 + usize::from(scope.is_some());
        assert_eq!(challenge.parameters.len(), parameters, "{row}: {challenge:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{row}");
        for never in ["proxy-authenticate", "authentication-info", "dpop-nonce"] {
            assert_eq!(self.header(never), None, "{row}");
        }
    }
}

/// Judges a token by the kind of its rejection, without a request.
pub async fn kind(server: &ResourceServer, token: &str) -> Result<(), RejectionKind> {
    let ask = || async { server.verify(token).await.map(drop).map_err(|refusal| refusal.kind()) };
    let first = ask().await;
    for _ in 1..TIMES {
        assert_eq!(ask().await, first, "the same token once more");
    }
    first
}
