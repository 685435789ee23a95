//! What is counted about keys, through the `metrics` facade; the names are listed where users look,
//! in the documentation of the crate. Labels are what is configured, so there are as many series
//! as there are issuers.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::SharedString;

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
    let label_of_issuer = label_of(issuer);
    let issuer = || label_of_issuer.clone();
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
    metrics::counter!("portcullis_unknown_keys_total", "issuer" => label_of(issuer)).increment(1);
}

/// Characters of the longest label; most backends refuse longer ones.
const LONGEST: usize = 256;

/// As addresses are told to anybody.
fn label_of(issuer: &Arc<str>) -> SharedString {
    let shown = crate::fetch::shown(issuer);
    match shown.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            let front = shown.get(..end).unwrap_or_default();
            format!("{front}…").into()
        }
        None if shown == **issuer => Arc::clone(issuer).into(),
        None => shown.into_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_what_may_be_shown_and_not_endless() {
        for (issuer, label) in [
            ("https://as.example/a", "https://as.example/a".to_owned()),
            ("https://user:pass@as.example/", "https://…@as.example/".to_owned()),
            (&*"ä".repeat(256), "ä".repeat(256)),
            (&*"ä".repeat(257), "ä".repeat(256) + "…"),
        ] {
            assert_eq!(&*label_of(&Arc::from(issuer)), label);
        }
    }
}
