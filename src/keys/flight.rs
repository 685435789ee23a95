//! One fetch in a task of its own, and those who wait for its end.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Longer than the deadlines of all steps of a fetch together. A fetch that is still not over then
/// is not driven by anybody: its runtime stands still, or a file does not answer.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// A fetch under way. Dropping it ends the fetch.
#[derive(Debug)]
pub(super) struct Flight {
    landed: watch::Receiver<()>,
    task: AbortHandle,
    started: Instant,
}

impl Flight {
    /// Starts `fetch`. `None` outside a tokio runtime, where nothing could drive it.
    pub(super) fn start(fetch: impl Future<Output = ()> + Send + 'static) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let (pilot, landed) = watch::channel(());
        let task = runtime.spawn(async move {
            // Dropped at the end, by a panic or an abort too: that is what wakes those who wait.
            let _pilot = pilot;
            fetch.await;
        });
        Some(Self { landed, task: task.abort_handle(), started: Instant::now() })
    }

    pub(super) fn is_over(&self) -> bool {
        self.landed.has_changed().is_err() || self.started.elapsed() > LOST_AFTER
    }

    pub(super) fn refresh(&self) -> Refresh {
        Refresh(self.landed.clone())
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A seat in the waiting room of one fetch.
#[derive(Debug)]
pub(crate) struct Refresh(watch::Receiver<()>);

impl Refresh {
    /// Until the fetch is over, well or not, but not beyond `deadline`.
    pub(crate) async fn wait_until(self, deadline: Instant) {
        // Without a runtime there is no timer, and waiting without end is out of the question.
        if Handle::try_current().is_ok() {
            // Running out of patience is no error: the caller looks at the keys again.
            let _ = tokio::time::timeout_at(deadline, self.wait_for_end()).await;
        }
    }

    /// Until the fetch is over; its own deadlines bound it.
    pub(crate) async fn wait_for_end(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
