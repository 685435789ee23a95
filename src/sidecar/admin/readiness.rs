//! Whether requests should be sent here.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::shown::Line;
use crate::keys::{KeyState, KeyStatus};

/// What besides keys decides about readiness.
#[derive(Debug, Default)]
pub(in crate::sidecar) struct Readiness {
    draining: AtomicBool,
}

/// Whether it is ready, and what an operator should know about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) is_ready: bool,
    pub(super) is_draining: bool,
    /// One line each. There may be some even where it is ready.
    pub(super) reasons: Vec<String>,
}

impl Readiness {
    /// The process ends soon, and gets no more requests if it can help it. There is no way back.
    pub(in crate::sidecar) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Ready is who is not about to end and can judge the tokens of some issuer.
    pub(super) fn judge(&self, keys: &[KeyStatus]) -> Verdict {
        let is_draining = self.draining.load(Ordering::Relaxed);
        let has_keys = keys.iter().any(|status| status.state != KeyState::Missing);
        let draining = is_draining.then(|| "it is shutting down".to_owned());
        Verdict {
            is_ready: has_keys && !is_draining,
            is_draining,
            reasons: draining.into_iter().chain(keys.iter().filter_map(complaint)).collect(),
        }
    }
}

/// What is wrong with the keys of an issuer.
fn complaint(status: &KeyStatus) -> Option<String> {
    let problem = match status.state {
        KeyState::Fresh | KeyState::OnDemand | KeyState::Unneeded => return None,
        KeyState::Stale => "its keys are old, and cannot be refreshed",
        KeyState::Missing => "there are no keys, so that its tokens are answered with 503",
    };
    let cause = match &status.last_error {
        Some(error) => format!(": {}", Line(error)),
        None if status.fetches.attempts == 0 => ": none were fetched yet".to_owned(),
        None => String::new(),
    };
    Some(format!("{}: {problem}{cause}", Line(&status.issuer)))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_ready { "ready" } else { "not ready" })?;
        self.reasons.iter().try_for_each(|reason| write!(f, "\n{reason}"))
    }
}
