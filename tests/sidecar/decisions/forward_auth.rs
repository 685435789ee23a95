//! The decision for gateways. What goes on to a service is what the answer has for it.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request, Response};
use reqwest::{Body, Client};

use super::table::{Answer, Expected, Front, Refused, Row, Stage, check};
use crate::support::Sidecar;

/// Fields in which gateways say method and path.
const BY_NGINX: [&str; 2] = ["x-original-method", "x-original-uri"];
const BY_OTHERS: [&str; 2] = ["x-forwarded-method", "x-forwarded-uri"];

struct Asked {
    sidecar: Sidecar,
    client: Client,
    words: [&'static str; 2],
    content_type: Option<&'static str>,
}

async fn decides(words: [&'static str; 2], content_type: Option<&'static str>) {
    check(async |stage: &Stage| {
        let settings = Sidecar::asked_by_gateways(&stage.authority)
            .with("PORTCULLIS_AUDIENCE", "")
            .rules(&stage.rules_file());
        let settings =
            stage.variables.iter().fold(settings, |all, (name, value)| all.with(name, value));
        let sidecar = if stage.is_down { settings.start_unready() } else { settings.start() };
        Asked { sidecar, client: Client::new(), words, content_type }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traefik_and_caddy_are_told_as_the_table_says() {
    decides(BY_OTHERS, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_is_told_as_the_table_says() {
    decides(BY_NGINX, None).await;
}

/// A refused gRPC call has status 200, which would be an open door.
#[tokio::test(flavor = "multi_thread")]
async fn gateways_are_told_in_statuses_about_grpc_too() {
    decides(BY_OTHERS, Some("application/grpc")).await;
    decides(BY_NGINX, Some("application/grpc-web+proto")).await;
}

impl Front for Asked {
    async fn ask(&self, request: Request<()>) -> Answer {
        let (mut parts, ()) = request.into_parts();
        let told = [parts.method.as_str().to_owned(), parts.uri.to_string()];
        for (name, value) in self.words.iter().zip(told) {
            parts.headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        if let Some(content_type) = self.content_type {
            parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let address = format!("http://{}/", self.sidecar.address());
        let sending = self.client.get(address).headers(parts.headers);
        let response = Response::<Body>::from(sending.send().await.unwrap());
        let headers = response.headers();
        if response.status().is_success() {
            let text = |name| headers.get(name).map(|value| value.to_str().unwrap());
            return Answer::allowed(text("x-auth-subject"), text("x-auth-scope"));
        }
        let status = Some(response.status().as_u16());
        Answer::Refused(Refused { status, ..Refused::with_fields(headers) })
    }

    /// NGX-02: nginx knows no 400.
    fn expects(&self, row: &Row) -> Expected {
        match row.expect.clone() {
            Expected::Refused(mut refusal) if self.words == BY_NGINX && refusal.status == 400 => {
                refusal.status = 401;
                Expected::Refused(refusal)
            }
            expected => expected,
        }
    }
}
