//! What is counted about keys, through the `metrics` facade; the names are listed where users look,
//! in the documentation of the crate. Labels are what is configured, so there are as many series
//! as there are issuers.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Changed,
    Unchanged,
    Failed,
}

/// An attempt is over, and so many keys are in use.
pub(super) fn attempt(
    issuer: &Arc<str>,
    outcome: Outcome,
    took: Duration,
    keys: usize,
    wall: SystemTime,
) {
    let label = match outcome {
        Outcome::Changed => "changed",
        Outcome::Unchanged => "unchanged",
        Outcome::Failed => "failed",
    };
    let issuer = || Arc::clone(issuer);
    metrics::counter!("portcullis_jwks_fetches_total", "issuer" => issuer(), "outcome" => label)
        .increment(1);
    metrics::histogram!("portcullis_jwks_fetch_duration_seconds", "issuer" => issuer())
        .record(took);
    let keys = u32::try_from(keys).unwrap_or(u32::MAX);
    metrics::gauge!("portcullis_jwks_keys", "issuer" => issuer()).set(keys);
    if outcome != Outcome::Failed {
        let now = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        metrics::gauge!("portcullis_jwks_last_success_timestamp_seconds", "issuer" => issuer())
            .set(now.as_secs_f64());
    }
}

/// A token names a key that is not there.
pub(super) fn unknown_key(issuer: &Arc<str>) {
    metrics::counter!("portcullis_unknown_keys_total", "issuer" => Arc::clone(issuer)).increment(1);
}
