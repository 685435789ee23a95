//! `portcullis explain`: would this token pass, and if not, why not?
//!
//! 1. The verdict is the engine's, as [`ResourceServer::verify`](crate::ResourceServer::verify) has it.
//! 2. The lines beside it come from the engine's own checks, each made by itself ([`lines`]), so
//!    that all reasons show and not the first alone.
//! 3. Where the two disagree, that is said ([`verdict`]).
//! 4. Where a request is given, the verdict is that of the gate which its rule has ([`rule`]).
//! 5. A token that is bound to a client certificate is judged as if that were shown with it.
//! 6. What is printed of a token are the values that a check is about, escaped and cut; never one
//!    of its three parts.

mod claims;
mod header;
mod input;
mod json;
mod keys;
mod lifetime;
mod lines;
mod offline;
mod report;
mod request;
mod rule;
mod scopes;
mod text;
mod values;
mod verdict;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::SystemTime;

use tokio::runtime;

use self::input::Presented;
pub(super) use self::keys::name as name_of_key;
use self::offline::NoNetwork;
use self::report::{Check, Report};
pub(super) use self::request::RequestLine;
use self::verdict::{Answer, Verdict};
use super::configured::Configured;
use super::rules::{Routes, Rules};
use super::{Failure, say};
use crate::access_token::AccessToken;
use crate::authentication::Authenticator;
use crate::authorization::Requirement;
use crate::client_certificate::ClientCertificate;
use crate::clock::{Clock, SystemClock};
use crate::config_error::ConfigError;
use crate::rejection::Rejection;
use crate::resource_server::{Gate, ResourceServer, ResourceServerBuilder};

/// What the command line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) token: Presented,
    pub(super) request: Option<RequestLine>,
    pub(super) offline: bool,
    pub(super) json: bool,
}

/// Explains, and ends with 0 for a token that would pass.
pub(super) fn run(options: Options) -> Result<ExitCode, Failure> {
    let Configured { engine, sidecar, .. } = Configured::read()?;
    let Options { token, request, offline, json } = options;
    let token = token.read(io::stdin())?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let now = SystemClock.now();
    let server = server(engine, now, offline)?;
    let rules = sidecar.map_or_else(Rules::none, |(_, rules)| rules);
    let routes = rules.compile(&server);
    let report = match request.map(|request| request.for_routes(&routes)).transpose()? {
        Some(request) => {
            runtime.block_on(explain_for(&server, &routes, &request, &token, now, offline))
        }
        None => runtime.block_on(explain(&server, &token, now, offline)),
    };
    say(&if json { json::write(&report)? } else { text::write(&report, wants_colour()) })?;
    Ok(if report.verdict.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The one token, so that its issuer is asked about it once. An answer has 64 KiB at most.
const REMEMBERED: usize = 64;

fn server(
    engine: ResourceServerBuilder,
    now: SystemTime,
    offline: bool,
) -> Result<ResourceServer, ConfigError> {
    let engine = engine.clock(Stopped(now)).token_cache(REMEMBERED);
    if offline { engine.http_client(NoNetwork) } else { engine }.build()
}

/// All that there is to say about a token at one moment.
async fn explain(server: &ResourceServer, token: &str, now: SystemTime, offline: bool) -> Report {
    let certificate = Authenticator::certificate_of(token.as_bytes());
    let gate = Gate::plain(server);
    let judged = gate.verify(token.as_bytes(), certificate.as_ref()).await;
    let refused = judged.as_ref().err().map(Rejection::reason);
    let verified = verified(server, token, certificate.as_ref());
    let required = server.required();
    let lines =
        lines::write(server, required, token, now, refused, verified.as_ref(), offline).await;
    let verdict = Verdict::new(&gate, judged.err(), certificate.is_some(), &lines, offline);
    Report { lines, verdict }
}

/// All that there is to say about a token for one request.
async fn explain_for(
    server: &ResourceServer,
    routes: &Routes,
    request: &RequestLine,
    token: &str,
    now: SystemTime,
    offline: bool,
) -> Report {
    let (method, path, host) = (request.method(), request.path(), request.host());
    let ruling = routes.ruling(method, path, host);
    let mut lines = vec![rule::line(ruling.as_ref(), request)];
    let route = routes.route(method, path, host);
    let Some(gate) = route.access.gate() else {
        let note = Some("no token is looked at".to_owned());
        return Report { lines, verdict: Verdict { answer: Answer::Pass, note } };
    };
    let parts = ruling.and_then(|ruling| ruling.parts);
    let scope = parts.as_ref().map_or_else(Requirement::none, |parts| parts.scope.clone());
    let required = server.required().clone().and(scope);
    let certificate = Authenticator::certificate_of(token.as_bytes());
    let judged = gate.verify(token.as_bytes(), certificate.as_ref()).await;
    let refused = judged.as_ref().err().map(Rejection::reason);
    let verified = verified(server, token, certificate.as_ref());
    let verified = verified.as_ref();
    lines.extend(lines::write(server, &required, token, now, refused, verified, offline).await);
    if let Some(parts) = &parts {
        let more = rule::more_lines(parts, verified, lines.last());
        // Tenants are judged before scope.
        let tenants = rule::tenant_lines(parts, request, verified, lines.last());
        let scope = lines.iter().position(|line| line.check == Check::Scopes);
        let before_scope = scope.unwrap_or(lines.len());
        lines.splice(before_scope..before_scope, tenants);
        lines.extend(more);
    }
    let verdict = Verdict::new(gate, judged.err(), certificate.is_some(), &lines, offline);
    Report { lines, verdict }
}

/// The token, where it is genuine, whatever it lacks for a request.
fn verified(
    server: &ResourceServer,
    token: &str,
    certificate: Option<&ClientCertificate>,
) -> Option<AccessToken> {
    let genuine = server.authenticator().authenticate_without_waiting(token.as_bytes());
    genuine.ok()?.shown_with(|| certificate).ok()
}

/// The engine and the lines have to mean the same instant.
struct Stopped(SystemTime);

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        self.0
    }
}

/// See <https://no-color.org>.
fn wants_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests;
