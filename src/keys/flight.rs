//! One fetch in a task of its own, and those who wait for its end.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::MAX_WAIT;

/// A fetch under way. Dropping it ends the fetch.
#[derive(Debug)]
pub(super) struct Flight {
    landed: watch::Receiver<()>,
    task: AbortHandle,
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
        Some(Self { landed, task: task.abort_handle() })
    }

    pub(super) fn is_over(&self) -> bool {
        self.landed.has_changed().is_err()
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
    /// Until the fetch is over, well or not, but no longer than [`MAX_WAIT`].
    pub(crate) async fn wait(self) {
        // Running out of patience is no error here: the caller looks at the keys again.
        let _ = tokio::time::timeout(MAX_WAIT, self.wait_for_end()).await;
    }

    /// Until the fetch is over; its own deadlines bound it.
    pub(crate) async fn wait_for_end(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
