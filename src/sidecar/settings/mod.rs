//! The sidecar's settings, from the variables of the process.
//!
//! Everything is read before anything is judged, so that one run finds every fault, those of the
//! engine's variables among them. No port is bound here, and no file of rules or keys read.

mod addresses;
mod claim_headers;
mod log;
mod mode;
mod networks;
mod summary;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub(super) use addresses::{Protocol, UpstreamAddress, loopback_socket};
pub(super) use claim_headers::ClaimHeader;
pub(super) use log::{LogFormat, LogSettings};
pub(super) use mode::Mode;
pub(super) use networks::Networks;
pub(super) use tls::{Pem, TlsFiles};

use crate::env::{Read, Source, read_engine, values, variables};
use crate::resource_server::ResourceServerBuilder;

const DEFAULT_DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

const FORWARDS_TOKEN: &str = "PORTCULLIS_FORWARD_TOKEN=on: the upstream receives access tokens, and \
     must keep them out of its logs";

const TRUSTS_EVERYBODY: &str = "PORTCULLIS_TRUSTED_PROXIES holds all addresses: everybody is believed \
     who says where a request comes from, by which host and over which scheme";

/// Everything that `portcullis serve` needs to know.
pub(super) struct Settings {
    pub(super) mode: Mode,
    pub(super) listen: SocketAddr,
    pub(super) admin_listen: Option<SocketAddr>,
    /// The file of rules.
    pub(super) rules: Option<PathBuf>,
    pub(super) forward_token: bool,
    pub(super) claim_headers: Vec<ClaimHeader>,
    pub(super) trusted_proxies: Networks,
    pub(super) tls: Option<TlsFiles>,
    pub(super) drain_timeout: Duration,
    pub(super) log: LogSettings,
    /// To be said when the log is there.
    pub(super) warnings: Vec<&'static str>,
    /// Names and values as they count, without secrets.
    pub(super) summary: Vec<(String, String)>,
}

impl Settings {
    /// From these variables; the engine's part of them has a builder of its own. Faults stay in
    /// `source`, and stand-ins take the place of what is at fault.
    pub(super) fn read(source: &mut Source) -> (Self, ResourceServerBuilder) {
        let engine = read_engine(source);
        let (listen, admin_listen) = addresses::listen(source);
        let trusted_proxies = source.read(variables::TRUSTED_PROXIES, networks::parse);
        let mode = mode::read(source, &trusted_proxies);
        if let Mode::Proxy(upstream) = &mode {
            let own = [(Some(listen), variables::LISTEN), (admin_listen, variables::ADMIN_LISTEN)];
            for (_, variable) in own.iter().filter(|(at, _)| at.is_some_and(|at| upstream.is(at))) {
                source.fault(variables::UPSTREAM, format!("is the address of {variable} itself"));
            }
        }
        let forward_token = forward_token(source);
        if forward_token && engine.is_mcp() {
            let problem = "cannot be on for an MCP server: its clients' tokens are for it alone";
            source.fault(variables::FORWARD_TOKEN, problem);
        }
        let rules = source.read(variables::RULES, values::path).value();
        let claim_headers = claim_headers::read(source);
        if matches!(&trusted_proxies, Read::Value(networks) if networks.are_everything()) {
            source.warn(TRUSTS_EVERYBODY);
        }
        let tls = tls::read(source);
        let drain_timeout = source.read(variables::DRAIN_TIMEOUT, values::duration).value();
        let log = log::read(source);
        let engine_summary = summary::of_engine(source);
        let mut settings = Self {
            mode,
            listen,
            admin_listen,
            rules,
            forward_token,
            claim_headers,
            trusted_proxies: trusted_proxies.value().unwrap_or_default(),
            tls,
            drain_timeout: drain_timeout.unwrap_or(DEFAULT_DRAIN_TIMEOUT),
            log,
            warnings: Vec::new(),
            summary: Vec::new(),
        };
        settings.summary = summary::of(engine_summary, &settings);
        (settings, engine)
    }
}

fn forward_token(source: &mut Source) -> bool {
    let choices = [("on", true), ("off", false)];
    let read = source.read(variables::FORWARD_TOKEN, |text| values::choice(text, &choices));
    let on = matches!(read, Read::Value(true));
    if on {
        source.warn(FORWARDS_TOKEN);
    }
    on
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(more: &[(&str, &str)]) -> Vec<String> {
        let good = [
            ("PORTCULLIS_ISSUER", "https://as.example"),
            ("PORTCULLIS_AUDIENCE", "https://api.example"),
            ("PORTCULLIS_UPSTREAM", "http://127.0.0.1:3000"),
        ];
        // The first of a name counts.
        let variables = more.iter().chain(&good);
        let mut source = Source::new(variables.map(|(name, value)| (name.into(), value.into())));
        let _ = Settings::read(&mut source);
        let error = source.finish_quietly(()).err();
        error
            .map_or_else(Vec::new, |error| error.faults().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn who_believes_everybody_is_warned() {
        for (networks, warned) in [("10.0.0.0/8", 0), ("0.0.0.0/0", 1), ("10.0.0.0/8 ::/0", 1)] {
            let variables = [
                ("PORTCULLIS_ISSUER", "https://as.example"),
                ("PORTCULLIS_AUDIENCE", "https://api.example"),
                ("PORTCULLIS_UPSTREAM", "http://127.0.0.1:3000"),
                ("PORTCULLIS_TRUSTED_PROXIES", networks),
            ];
            let given = variables.map(|(name, value)| (name.into(), value.into()));
            let mut source = Source::new(given);
            let _ = Settings::read(&mut source);
            let ((), warnings) = source.finish_quietly(()).unwrap();
            assert_eq!(warnings.len(), warned, "{warnings:?}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        assert!(faults(&[]).is_empty(), "{:?}", faults(&[]));
        for (more, fault) in [
            (
                &[("PORTCULLIS_ADMIN_LISTEN", "127.0.0.1:8080")],
                "PORTCULLIS_ADMIN_LISTEN: must not be the address of PORTCULLIS_LISTEN",
            ),
            (
                &[("PORTCULLIS_UPSTREAM", "http://127.0.0.1:8080")],
                "PORTCULLIS_UPSTREAM: is the address of PORTCULLIS_LISTEN itself",
            ),
            (
                &[("PORTCULLIS_UPSTREAM", "http://localhost:9090")],
                "PORTCULLIS_UPSTREAM: is the address of PORTCULLIS_ADMIN_LISTEN itself",
            ),
            (&[("PORTCULLIS_TLS_CERT", "x")], "PORTCULLIS_TLS_KEY: is required"),
            (&[("PORTCULLIS_TLS_KEY", "x")], "PORTCULLIS_TLS_CERT: is required"),
        ] {
            let found = faults(more);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with(fault), "{found:?}");
        }
    }
}
