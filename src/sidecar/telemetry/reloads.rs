//! Files that are read again when they change: what the one who reads them tells.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// The files that are watched; `None` for what is not configured.
#[derive(Debug, Default)]
pub(in crate::sidecar) struct Reloads {
    pub(in crate::sidecar) rules: Option<Watched>,
    pub(in crate::sidecar) certificate: Option<Watched>,
}

/// One file, or the two of a certificate and its key.
#[derive(Debug)]
pub(in crate::sidecar) struct Watched(Mutex<WatchedState>);

/// How a file was at the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sidecar) struct WatchedState {
    /// What is in use, for people: `12 rules`, `api.example.com, until 2027-01-31`.
    pub(in crate::sidecar) summary: String,
    /// Since when that is in use.
    pub(in crate::sidecar) loaded: Instant,
    /// Why what came later is not in use; nothing secret.
    pub(in crate::sidecar) last_error: Option<String>,
    /// Reloads after the start, which is none.
    pub(in crate::sidecar) good: u64,
    pub(in crate::sidecar) failed: u64,
}

impl Watched {
    /// What was loaded at the start.
    pub(in crate::sidecar) fn new(summary: impl Into<String>) -> Self {
        Self(Mutex::new(WatchedState {
            summary: summary.into(),
            loaded: Instant::now(),
            last_error: None,
            good: 0,
            failed: 0,
        }))
    }

    /// A change is in use.
    pub(in crate::sidecar) fn loaded(&self, summary: impl Into<String>) {
        self.change(|state| {
            state.summary = summary.into();
            state.loaded = Instant::now();
            state.last_error = None;
            state.good += 1;
        });
    }

    /// A change is not in use, and what was there before still is.
    pub(in crate::sidecar) fn failed(&self, error: impl Into<String>) {
        self.change(|state| {
            state.last_error = Some(error.into());
            state.failed += 1;
        });
    }

    pub(in crate::sidecar) fn state(&self) -> WatchedState {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut WatchedState)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_leaves_what_is_in_use_and_the_next_success_ends_it() {
        let watched = Watched::new("2 rules");
        let start = watched.state();
        assert_eq!((start.good, start.failed, start.last_error), (0, 0, None));
        tokio::time::advance(Duration::from_secs(5)).await;
        watched.failed("line 3: unknown key");
        let failed = watched.state();
        assert_eq!((&*failed.summary, failed.loaded), ("2 rules", start.loaded));
        assert_eq!((failed.good, failed.failed), (0, 1));
        assert_eq!(failed.last_error.as_deref(), Some("line 3: unknown key"));
        watched.loaded("3 rules");
        let loaded = watched.state();
        assert_eq!((&*loaded.summary, loaded.last_error), ("3 rules", None));
        assert_eq!(loaded.loaded, start.loaded + Duration::from_secs(5));
        assert_eq!((loaded.good, loaded.failed), (1, 1));
    }
}
