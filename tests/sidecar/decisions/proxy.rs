//! The proxy, and a service behind it that notes whom it is told of.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::Empty;
use reqwest::Client;

use super::table::{Answer, Front, Refused, Stage, check, host_of};
use crate::support::{Http2, Sidecar, Upstream};

struct Proxy {
    sidecar: Sidecar,
    upstream: Upstream,
}

impl Proxy {
    async fn start(stage: &Stage) -> Self {
        let upstream = Upstream::start().await;
        let settings = Sidecar::before(&upstream, &stage.authority)
            .with("PORTCULLIS_AUDIENCE", "")
            .rules(&stage.rules_file());
        let settings =
            stage.variables.iter().fold(settings, |all, (name, value)| all.with(name, value));
        let sidecar = if stage.is_down { settings.start_unready() } else { settings.start() };
        Self { sidecar, upstream }
    }

    /// Whom the service was told of; `None` where the request did not reach it.
    fn allowed(&self) -> Option<Answer> {
        let seen = self.upstream.take().pop()?;
        Some(Answer::allowed(seen.field("x-auth-subject"), seen.field("x-auth-scope")))
    }
}

struct Plain(Proxy, Client);

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_decides_as_the_table_says() {
    check(async |stage: &Stage| Plain(Proxy::start(stage).await, Client::new())).await;
}

impl Front for Plain {
    async fn ask(&self, request: Request<()>) -> Answer {
        let Self(proxy, client) = self;
        let (parts, ()) = request.into_parts();
        let address = format!("http://{}{}", proxy.sidecar.address(), parts.uri);
        let sending = client.request(parts.method, address).headers(parts.headers);
        let response = sending.send().await.unwrap();
        proxy.allowed().unwrap_or_else(|| {
            let status = Some(response.status().as_u16());
            Answer::Refused(Refused { status, ..Refused::with_fields(response.headers()) })
        })
    }
}

struct Grpc(Proxy, Http2);

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_decides_about_grpc_calls_as_the_table_says() {
    check(async |stage: &Stage| {
        let proxy = Proxy::start(stage).await;
        let client = Http2::open(proxy.sidecar.address()).await;
        Grpc(proxy, client)
    })
    .await;
}

impl Front for Grpc {
    async fn ask(&self, mut request: Request<()>) -> Answer {
        let Self(proxy, client) = self;
        let host = host_of(&mut request).unwrap_or_else(|| "api.example".to_owned());
        let mut request = request.map(|()| Empty::<Bytes>::new());
        let target = format!("http://{host}{}", request.uri());
        *request.uri_mut() = target.parse().unwrap();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        let (response, trailers) = client.clone().send(request).await;
        proxy.allowed().unwrap_or_else(|| {
            assert!(trailers.is_empty());
            refused(&response)
        })
    }
}

/// Trailers-only.
fn refused(response: &Response<Bytes>) -> Answer {
    assert_eq!((response.status().as_u16(), response.body().len()), (200, 0), "{response:?}");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
    let grpc = Some(response.headers()["grpc-status"].to_str().unwrap().parse().unwrap());
    Answer::Refused(Refused { grpc, ..Refused::with_fields(response.headers()) })
}
