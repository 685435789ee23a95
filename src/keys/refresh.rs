//! Waiting for the end of an attempt.

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Instant;

/// A seat in the waiting room of one attempt.
#[derive(Debug)]
pub(crate) struct Refresh {
    arrivals: watch::Receiver<u64>,
    attempt: u64,
}

impl Refresh {
    pub(super) fn new(arrivals: watch::Receiver<u64>, attempt: u64) -> Self {
        Self { arrivals, attempt }
    }

    /// Until the attempt is over, well or not, but not beyond `deadline`.
    pub(crate) async fn wait_until(self, deadline: Instant) {
        // Without a runtime there is no timer, and waiting without end is out of the question.
        if Handle::try_current().is_ok() {
            // Running out of patience is no error: the caller looks at the keys again.
            let _ = tokio::time::timeout_at(deadline, self.wait_for_end()).await;
        }
    }

    /// Until the attempt is over; its own deadlines bound it.
    pub(crate) async fn wait_for_end(mut self) {
        // An error means that the store is gone, and its attempts with it.
        let _ = self.arrivals.wait_for(|landed| *landed >= self.attempt).await;
    }
}
