//! The sidecar's settings, from the variables of the process.
//!
//! Everything is read before anything is judged, so that one run finds every fault, those of the
//! engine's variables among them. No port is bound here, and no file of rules or keys read.

mod addresses;
mod claim_headers;
mod log;
mod networks;
mod summary;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub(super) use addresses::{Protocol, UpstreamAddress, loopback_socket};
pub(super) use claim_headers::ClaimHeader;
pub(super) use log::{LogFormat, LogSettings};
pub(super) use networks::Networks;
pub(super) use tls::{Pem, TlsFiles};

use crate::env::{Read, Source, read_engine, values, variables};
use crate::resource_server::ResourceServerBuilder;

const DEFAULT_DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

const FORWARDS_TOKEN: &str = "PORTCULLIS_FORWARD_TOKEN=on: the upstream receives access tokens, and \
     must keep them out of its logs";

/// Everything that `portcullis serve` needs to know.
pub(super) struct Settings {
    pub(super) upstream: UpstreamAddress,
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
        mode(source);
        let upstream = source.read_required(variables::UPSTREAM, addresses::upstream);
        let (listen, admin_listen) = addresses::listen(source);
        let own = [(Some(listen), variables::LISTEN), (admin_listen, variables::ADMIN_LISTEN)];
        for (address, variable) in own {
            let leads_back = |upstream: &UpstreamAddress| address.is_some_and(|at| upstream.is(at));
            if upstream.as_ref().is_some_and(leads_back) {
                source.fault(variables::UPSTREAM, format!("is the address of {variable} itself"));
            }
        }
        let forward_token = forward_token(source);
        let rules = source.read(variables::RULES, values::path).value();
        let claim_headers = claim_headers::read(source);
        let trusted_proxies = source.read(variables::TRUSTED_PROXIES, networks::parse).value();
        let tls = tls::read(source);
        let drain_timeout = source.read(variables::DRAIN_TIMEOUT, values::duration).value();
        let log = log::read(source);
        let engine_summary = summary::of_engine(source);
        let mut settings = Self {
            upstream: upstream.unwrap_or_else(UpstreamAddress::stand_in),
            listen,
            admin_listen,
            rules,
            forward_token,
            claim_headers,
            trusted_proxies: trusted_proxies.unwrap_or_default(),
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

fn mode(source: &mut Source) {
    let modes = [("proxy", true), ("forward-auth", false), ("ext-authz", false)];
    if let Read::Value(false) = source.read(variables::MODE, |text| values::choice(text, &modes)) {
        source.fault(variables::MODE, "is not there yet; this version has proxy alone");
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
