//! Everything that is counted, as text for Prometheus.
//!
//! The encoder asks for it when it is read, so that nothing is kept for it in between. Labels are
//! outcomes, reasons and issuers: words of this program and of its configuration.

use std::fmt;
use std::time::UNIX_EPOCH;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::registry::Registry;

use super::dialect::Dialect;
use super::families::Families;
use super::outcome::{Class, Outcome, UpstreamFailure};
use super::reading::Reading;
use super::reloads::{Reloads, Watched, WatchedState};
use super::{Telemetry, changes, process};
use crate::keys::{KeyState, KeyStatus};
use crate::token_cache::TokenCacheStatus;

/// All metrics.
///
/// # Errors
/// None that writing to a `String` could cause.
pub(in crate::sidecar) fn exposition(
    telemetry: &Telemetry,
    reloads: &Reloads,
    dialect: Dialect,
) -> Result<String, fmt::Error> {
    let state = |watched: &Option<Watched>| watched.as_ref().map(Watched::state);
    let mut ours = Registry::with_prefix("portcullis");
    ours.register_collector(Box::new(Ours {
        reading: telemetry.read(),
        keys: telemetry.server.keys(),
        cache: telemetry.server.token_cache(),
        rules: state(&reloads.rules),
        certificate: state(&reloads.certificate),
        lost_lines: telemetry.logs.iter().map(|(log, lost)| (*log, lost.lines())).collect(),
    }));
    // Their names are those of every Prometheus client, which is what dashboards look for.
    let mut process = Registry::with_prefix("process");
    let start = telemetry.started_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    process.register_collector(Box::new(Process {
        start_seconds: start.as_secs_f64(),
        resident_bytes: process::resident_bytes(),
    }));
    let mut text = String::new();
    encode_registry(&mut text, &ours)?;
    encode_registry(&mut text, &process)?;
    encode_eof(&mut text)?;
    Ok(dialect.of(text))
}

#[derive(Debug)]
struct Ours {
    reading: Reading,
    keys: Vec<KeyStatus>,
    cache: Option<TokenCacheStatus>,
    rules: Option<WatchedState>,
    certificate: Option<WatchedState>,
    lost_lines: Vec<(&'static str, u64)>,
}

impl Collector for Ours {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families(encoder);
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        families.gauges(
            "build_info",
            "What is running; the value is always 1.",
            [(version, 1_u64)],
        )?;
        self.encode_requests(&mut families)?;
        self.encode_keys(&mut families)?;
        self.encode_cache(&mut families)?;
        self.encode_reloads(&mut families)?;
        families.counters(
            "log_lines_dropped",
            "Lines that were not written, as nobody reads them fast enough or they cannot be.",
            self.lost_lines.iter().map(|(log, count)| ([("log", *log)], *count)),
        )
    }
}

impl Ours {
    fn encode_requests(&self, families: &mut Families<'_>) -> fmt::Result {
        let counts = &self.reading.requests;
        families.counters(
            "requests",
            "Requests by how they ended; a reason is given where there is one.",
            Outcome::all().map(|outcome| {
                let reason = outcome.reason().unwrap_or_default();
                ([("outcome", outcome.name()), ("reason", reason)], counts.of(outcome))
            }),
        )?;
        families.histograms(
            "request_duration_seconds",
            "Time from the header of a request to the last byte of its answer.",
            Class::ALL.map(|class| ([("outcome", class.name())], self.reading.durations(class))),
        )?;
        families.gauges(
            "requests_in_flight",
            "Requests that are being answered.",
            [([], self.reading.in_flight)],
        )?;
        families.counters(
            "upstream_errors",
            "Requests that were allowed and that the upstream has not answered as it should.",
            UpstreamFailure::ALL
                .map(|kind| ([("kind", kind.name())], counts.of(Outcome::UpstreamFailed(kind)))),
        )
    }

    fn encode_keys(&self, families: &mut Families<'_>) -> fmt::Result {
        let each = |status| [("issuer", issuer(status))];
        families.gauges(
            "jwks_keys",
            "Keys in use; without any, tokens of the issuer are answered with 503.",
            self.keys.iter().filter(needs_keys).map(|status| (each(status), status.keys)),
        )?;
        let ages = self.keys.iter().filter_map(|status| Some((status, status.age?)));
        families.gauges(
            "jwks_age_seconds",
            "Time since the keys were last known to be what the issuer publishes.",
            ages.map(|(status, age)| (each(status), age.as_secs_f64())),
        )?;
        let next = self.keys.iter().filter_map(|status| Some((status, status.next_refresh?)));
        families.gauges(
            "jwks_next_refresh_seconds",
            "Time until the next attempt to refresh the keys; 0 when it is under way or overdue.",
            next.map(|(status, next)| (each(status), next.as_secs_f64())),
        )?;
        families.counters(
            "jwks_fetches",
            "Attempts to refresh the keys.",
            self.keys.iter().flat_map(|status| {
                fetches(status).map(|(outcome, count)| {
                    ([("issuer", issuer(status)), ("outcome", outcome)], count)
                })
            }),
        )
    }

    /// Nothing where no tokens are remembered.
    fn encode_cache(&self, families: &mut Families<'_>) -> fmt::Result {
        let Some(cache) = self.cache else { return Ok(()) };
        let help = "Tokens that were known from before.";
        families.counters("token_cache_hits", help, [([], cache.hits)])?;
        let help = "Tokens that had to be verified.";
        families.counters("token_cache_misses", help, [([], cache.misses)])?;
        let help = "Tokens that are remembered now.";
        families.gauges("token_cache_entries", help, [([], cache.entries)])
    }

    /// Nothing where no file is watched.
    fn encode_reloads(&self, families: &mut Families<'_>) -> fmt::Result {
        for (name, help, state) in [
            ("rules_reloads", "Changes of the rules file by what became of them.", &self.rules),
            (
                "tls_reloads",
                "Changes of the certificate by what became of them.",
                &self.certificate,
            ),
        ] {
            let Some(state) = state else { continue };
            let counts = [("good", state.good), ("failed", state.failed)];
            families.counters(
                name,
                help,
                counts.map(|(name, count)| ([("outcome", name)], count)),
            )?;
        }
        Ok(())
    }
}

/// Where none are needed, none are missing: an alert looks for 0.
fn needs_keys(status: &&KeyStatus) -> bool {
    match status.state {
        KeyState::Unneeded => false,
        KeyState::OnDemand => status.keys > 0 || status.last_error.is_some(),
        _ => true,
    }
}

fn issuer(status: &KeyStatus) -> &str {
    &status.issuer
}

/// By the names that the library gives them (feature `metrics`).
fn fetches(status: &KeyStatus) -> [(&'static str, u64); 3] {
    let fetches = status.fetches;
    [("changed", changes(fetches)), ("unchanged", fetches.unchanged), ("failed", fetches.failed)]
}

#[derive(Debug)]
struct Process {
    start_seconds: f64,
    resident_bytes: Option<u64>,
}

impl Collector for Process {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families(encoder);
        let help = "When the process started, as Unix time.";
        families.gauges("start_time_seconds", help, [([], self.start_seconds)])?;
        let Some(bytes) = self.resident_bytes else { return Ok(()) };
        families.gauges("resident_memory_bytes", "Memory in use.", [([], bytes)])
    }
}
