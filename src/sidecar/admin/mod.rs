//! The admin port: is it alive, is it ready, what has it counted, and a page for people.
//!
//! 1. Nothing here changes anything, and nothing secret is known here.
//! 2. It has a port of its own, so that what it tells never meets the world that sends tokens.
//! 3. Pages of other sites may not read it, see [`visitor`].
//! 4. A client that hangs takes nobody's place, see [`serve`](self::serve).

mod answer;
mod html;
mod page;
mod readiness;
mod serve;
mod shown;
mod visitor;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time::Instant;

pub(in crate::sidecar) use readiness::Readiness;
pub(in crate::sidecar) use serve::serve;

use self::answer::{html, metrics, text};
use super::telemetry::{Dialect, Reloads, Telemetry, exposition};

/// What the admin port tells of.
pub(in crate::sidecar) struct Admin {
    telemetry: Arc<Telemetry>,
    readiness: Arc<Readiness>,
    reloads: Arc<Reloads>,
    /// Names and values, without secrets.
    configuration: Vec<(String, String)>,
}

impl Admin {
    /// `configuration` is shown as it is, names and values: nothing in it may be secret.
    pub(in crate::sidecar) fn new(
        telemetry: Arc<Telemetry>,
        readiness: Arc<Readiness>,
        reloads: Arc<Reloads>,
        configuration: Vec<(String, String)>,
    ) -> Self {
        Self { telemetry, readiness, reloads, configuration }
    }

    /// The answer to one request. `is_local` where only this machine can reach the port.
    fn answer<B>(&self, request: &Request<B>, is_local: bool) -> Response<Full<Bytes>> {
        if let Err(reason) = visitor::check(request, is_local) {
            return text(StatusCode::FORBIDDEN, reason);
        }
        let path = request.uri().path();
        if !["/", "/livez", "/readyz", "/metrics"].contains(&path) {
            return text(StatusCode::NOT_FOUND, "There is /, /livez, /readyz and /metrics here.");
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "There is only GET here.");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
            "/livez" => text(StatusCode::OK, "ok"),
            "/readyz" => self.ready(),
            "/metrics" => self.metrics(request),
            _ => html(page::page(self, Instant::now())),
        }
    }

    fn ready(&self) -> Response<Full<Bytes>> {
        let verdict = self.readiness.judge(&self.telemetry.server().keys());
        let status =
            if verdict.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        text(status, &verdict.to_string())
    }

    fn metrics<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let accepts = request.headers().get_all(ACCEPT).iter().filter_map(|one| one.to_str().ok());
        let accepted: Vec<_> = accepts.collect();
        let dialect = Dialect::accepted(&accepted.join(","));
        match exposition(&self.telemetry, &self.reloads, dialect) {
            Ok(text) => metrics(dialect, text),
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "The metrics cannot be written."),
        }
    }
}

#[cfg(test)]
mod tests;
