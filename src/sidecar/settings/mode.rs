//! What the sidecar is: a proxy, or one whom gateways ask.

use super::addresses::{self, UpstreamAddress};
use super::networks::Networks;
use crate::env::{Read, Source, values, variables};

/// What becomes of requests that are allowed.
pub(in crate::sidecar) enum Mode {
    /// They are passed on to the service.
    Proxy(UpstreamAddress),
    /// A gateway is told so, and passes them on: nginx, Traefik, Caddy.
    ForwardAuth,
    /// Envoy is told so over gRPC, and passes them on.
    ExtAuthz,
}

#[derive(Clone, Copy)]
enum Choice {
    Proxy,
    ForwardAuth,
    ExtAuthz,
}

impl Mode {
    pub(in crate::sidecar) fn name(&self) -> &'static str {
        match self {
            Self::Proxy(_) => "proxy",
            Self::ForwardAuth => "forward-auth",
            Self::ExtAuthz => "ext-authz",
        }
    }
}

/// The mode, and what it needs of other variables.
pub(super) fn read(source: &mut Source, trusted: &Read<Networks>) -> Mode {
    let modes = [
        ("proxy", Choice::Proxy),
        ("forward-auth", Choice::ForwardAuth),
        ("ext-authz", Choice::ExtAuthz),
    ];
    let choice = match source.read(variables::MODE, |text| values::choice(text, &modes)) {
        Read::Value(choice) => choice,
        Read::Unset => Choice::Proxy,
        // What the others should be is not known.
        Read::Unusable => return Mode::ForwardAuth,
    };
    match choice {
        Choice::Proxy => {
            let upstream = source.read_required(
                variables::UPSTREAM,
                "where the service is, for example http://127.0.0.1:3000",
                addresses::upstream,
            );
            Mode::Proxy(upstream.unwrap_or_else(UpstreamAddress::stand_in))
        }
        Choice::ForwardAuth => {
            no_upstream(source, "forward-auth");
            if trusted.is_unset() {
                source.fault(
                    variables::TRUSTED_PROXIES,
                    "is required in mode forward-auth: the addresses of the gateways, whose word \
                     about requests is believed",
                );
            }
            Mode::ForwardAuth
        }
        // Whoever asks is told nothing but what becomes of what it brings itself.
        Choice::ExtAuthz => {
            no_upstream(source, "ext-authz");
            Mode::ExtAuthz
        }
    }
}

/// Whoever sets one expects us to be a proxy.
fn no_upstream(source: &mut Source, mode: &str) {
    if !source.origin(variables::UPSTREAM).is_unset() {
        let problem = format!("has no meaning in mode {mode}: the gateway passes requests on");
        source.fault(variables::UPSTREAM, problem);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    fn faults(variables: &[(&str, &str)]) -> Vec<String> {
        let engine = [
            ("PORTCULLIS_ISSUER", "https://as.example"),
            ("PORTCULLIS_AUDIENCE", "https://api.example"),
        ];
        let all = engine.iter().chain(variables);
        let mut source = Source::new(all.map(|(name, value)| (name.into(), value.into())));
        let _ = Settings::read(&mut source);
        let error = source.finish_quietly(()).err();
        error
            .map_or_else(Vec::new, |error| error.faults().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_mode_has_its_needs() {
        const FORWARD: (&str, &str) = ("PORTCULLIS_MODE", "forward-auth");
        const EXT_AUTHZ: (&str, &str) = ("PORTCULLIS_MODE", "ext-authz");
        const TRUSTED: (&str, &str) = ("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.1");
        const UPSTREAM: (&str, &str) = ("PORTCULLIS_UPSTREAM", "http://127.0.0.1:3000");
        for (variables, expected) in [
            (&[UPSTREAM][..], &[][..]),
            (&[], &["PORTCULLIS_UPSTREAM: is required"]),
            (&[FORWARD, TRUSTED], &[]),
            (&[FORWARD], &["PORTCULLIS_TRUSTED_PROXIES: is required in mode forward-auth"]),
            (
                &[FORWARD, TRUSTED, UPSTREAM],
                &["PORTCULLIS_UPSTREAM: has no meaning in mode forward-auth"],
            ),
            (
                &[FORWARD, ("PORTCULLIS_TRUSTED_PROXIES", "everywhere")],
                &["PORTCULLIS_TRUSTED_PROXIES: element 1: must be a network"],
            ),
            (&[("PORTCULLIS_MODE", "forward")], &["PORTCULLIS_MODE: "]),
            (&[EXT_AUTHZ], &[]),
            (&[EXT_AUTHZ, TRUSTED], &[]),
            (&[EXT_AUTHZ, UPSTREAM], &["PORTCULLIS_UPSTREAM: has no meaning in mode ext-authz"]),
        ] {
            let found = faults(variables);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{found}");
            }
        }
    }
}
