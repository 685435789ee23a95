//! The decision for gateways. What goes on to a service is what the answer has for it.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request, Response};
use reqwest::{Body, Client};

use super::table::{Answer, Expected, Front, Refused, Row, Stage, check, host_of};
use crate::support::Sidecar;

/// Fields in which gateways say method, path and host.
const BY_NGINX: [&str; 3] = ["x-original-method", "x-original-uri", "x-original-host"];
const BY_OTHERS: [&str; 3] = ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"];

struct Asked {
    sidecar: Sidecar,
    client: Client,
    words: [&'static str; 3],
    content_type: Option<&'static str>,
}

async fn decides(words: [&'static str; 3], content_type: Option<&'static str>) {
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
    async fn ask(&self, mut request: Request<()>) -> Answer {
        // What is not told is left empty, as gateways overwrite a client's.
        let host = host_of(&mut request).unwrap_or_default();
        let (mut parts, ()) = request.into_parts();
        let told = [parts.method.as_str().to_owned(), parts.uri.to_string(), host];
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

    /// NGX-01, NGX-02: nginx knows no 400, and neither 404 nor 409.
    fn expects(&self, row: &Row) -> Expected {
        let mut expected = row.expect.clone();
        if let Expected::Refused(refusal) = &mut expected
            && self.words == BY_NGINX
        {
            refusal.status = match refusal.status {
                400 => 401,
                404 | 409 => 403,
                status => status,
            };
        }
        expected
    }
}
