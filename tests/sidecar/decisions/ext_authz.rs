//! Envoy with the sample configuration, and a service behind it that notes whom it is told of.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};
use http_body_util::Empty;
use reqwest::Client;

use super::table::{Answer, Expected, Front, Refused, Row, Stage, check, host_of};
use crate::envoy::gateway::{Gateway, asked_by_envoy, program};
use crate::support::{Http2, Upstream};

async fn start(stage: &Stage) -> Gateway {
    let settings = asked_by_envoy(stage.authority.issuer_url())
        .with("PORTCULLIS_AUDIENCE", "")
        .rules(&stage.rules_file());
    let settings =
        stage.variables.iter().fold(settings, |all, (name, value)| all.with(name, value));
    let sidecar = if stage.is_down { settings.start_unready() } else { settings.start() };
    Gateway::with(sidecar, Upstream::start().await, |example| example).unwrap()
}

/// Whom the service was told of; `None` where the request did not reach it.
fn allowed(gateway: &Gateway) -> Option<Answer> {
    let seen = gateway.seen().pop()?;
    Some(Answer::allowed(seen.field("x-auth-subject"), seen.field("x-auth-scope")))
}

/// Envoy joins the fields of this name before it asks, so that none of two is left to be counted.
fn expected(row: &Row) -> Expected {
    let mut expected = row.expect.clone();
    if let Expected::Refused(refusal) = &mut expected
        && refusal.kind == "MultipleCredentials"
    {
        let text = "The Authorization header is malformed".to_owned();
        refusal.challenges[0].insert("error_description".to_owned(), text);
    }
    expected
}

/// Envoy is answered within 140 ms, which may be too short for an answer from the authorization server
/// where much else goes on. Whoever comes again finds it.
async fn patiently(ask: impl AsyncFn() -> Answer) -> Answer {
    let first = ask().await;
    let is_outage = |refused: &Refused| refused.status == Some(503) || refused.grpc == Some(14);
    match &first {
        Answer::Refused(refused) if is_outage(refused) => ask().await,
        _ => first,
    }
}

struct Plain(Gateway, Client);

#[tokio::test(flavor = "multi_thread")]
async fn envoy_decides_as_the_table_says() {
    if program().is_some() {
        check(async |stage: &Stage| Plain(start(stage).await, Client::new())).await;
    }
}

impl Front for Plain {
    fn expects(&self, row: &Row) -> Expected {
        expected(row)
    }

    async fn ask(&self, request: Request<()>) -> Answer {
        patiently(async || self.once(request.clone()).await).await
    }
}

impl Plain {
    async fn once(&self, request: Request<()>) -> Answer {
        let Self(gateway, client) = self;
        let (parts, ()) = request.into_parts();
        let address = format!("http://{}{}", gateway.address(), parts.uri);
        let sending = client.request(parts.method, address).headers(parts.headers);
        let response = sending.send().await.unwrap();
        allowed(gateway).unwrap_or_else(|| {
            let status = Some(response.status().as_u16());
            Answer::Refused(Refused { status, ..Refused::with_fields(response.headers()) })
        })
    }
}

struct Grpc(Gateway, Http2);

#[tokio::test(flavor = "multi_thread")]
async fn envoy_decides_about_grpc_calls_as_the_table_says() {
    if program().is_some() {
        check(async |stage: &Stage| {
            let gateway = start(stage).await;
            let client = Http2::open(gateway.address()).await;
            Grpc(gateway, client)
        })
        .await;
    }
}

impl Front for Grpc {
    fn expects(&self, row: &Row) -> Expected {
        let mut expected = expected(row);
        // Envoy makes the code of the status: UNIMPLEMENTED, as of a method that there is not, and UNKNOWN.
        if let Expected::Refused(refusal) = &mut expected {
            refusal.grpc = match refusal.status {
                404 => 12,
                409 => 2,
                _ => refusal.grpc,
            };
        }
        expected
    }

    async fn ask(&self, request: Request<()>) -> Answer {
        patiently(async || self.once(request.clone()).await).await
    }
}

impl Grpc {
    async fn once(&self, mut request: Request<()>) -> Answer {
        let Self(gateway, client) = self;
        let host = host_of(&mut request).unwrap_or_else(|| "api.example".to_owned());
        let mut request = request.map(|()| Empty::<Bytes>::new());
        let target = format!("http://{host}{}", request.uri());
        *request.uri_mut() = target.parse().unwrap();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        let (response, trailers) = client.clone().send(request).await;
        allowed(gateway).unwrap_or_else(|| {
            assert!(trailers.is_empty() && response.body().is_empty(), "{response:?}");
            let code = response.headers()["grpc-status"].to_str().unwrap().parse().unwrap();
            Answer::Refused(Refused {
                grpc: Some(code),
                ..Refused::with_fields(response.headers())
            })
        })
    }
}
