//! The proxy, and a service behind it that notes whom it is told of.

use http::Request;
use reqwest::Client;

use super::table::{Answer, Front, Refused, Stage, check};
use crate::support::{Sidecar, Upstream};

struct Proxy {
    sidecar: Sidecar,
    upstream: Upstream,
    client: Client,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_decides_as_the_table_says() {
    check(async |stage: &Stage| {
        let upstream = Upstream::start().await;
        let settings = Sidecar::before(&upstream, &stage.authority)
            .with("PORTCULLIS_AUDIENCE", "")
            .rules(&stage.rules_file());
        let settings =
            stage.variables.iter().fold(settings, |all, (name, value)| all.with(name, value));
        let sidecar = if stage.is_down { settings.start_unready() } else { settings.start() };
        Proxy { sidecar, upstream, client: Client::new() }
    })
    .await;
}

impl Front for Proxy {
    async fn ask(&self, request: Request<()>) -> Answer {
        let (parts, ()) = request.into_parts();
        let address = format!("http://{}{}", self.sidecar.address(), parts.uri);
        let sending = self.client.request(parts.method, address).headers(parts.headers);
        let response = sending.send().await.unwrap();
        if response.status() == 200 {
            let seen = self.upstream.take_one();
            return Answer::allowed(seen.field("x-auth-subject"), seen.field("x-auth-scope"));
        }
        assert!(self.upstream.take().is_empty());
        let status = Some(response.status().as_u16());
        Answer::Refused(Refused { status, ..Refused::with_fields(response.headers()) })
    }
}
