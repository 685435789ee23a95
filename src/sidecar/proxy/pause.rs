//! How long a body may stand still.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// A timer that runs only while nothing comes, as most bodies never stand still.
pub(super) struct Pause {
    longest: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pause {
    pub(super) fn new(longest: Duration) -> Self {
        Self { longest, timer: None }
    }

    /// To be asked when nothing has come. Ready when that has been so for too long.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.timer.get_or_insert_with(|| Box::pin(sleep(self.longest))).as_mut().poll(context)
    }

    /// Something has come.
    pub(super) fn end(&mut self) {
        self.timer = None;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{Instant, advance};

    use super::*;

    const LONGEST: Duration = Duration::from_secs(60);

    async fn is_over(pause: &mut Pause) -> bool {
        poll_fn(|context| Poll::Ready(pause.poll(context).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn it_begins_anew_with_whatever_comes() {
        let start = Instant::now();
        let mut pause = Pause::new(LONGEST);
        for _ in 0..3 {
            assert!(!is_over(&mut pause).await);
            advance(LONGEST - Duration::from_secs(1)).await;
            assert!(!is_over(&mut pause).await);
            pause.end();
        }
        poll_fn(|context| pause.poll(context)).await;
        let waited = start.elapsed() - 3 * (LONGEST - Duration::from_secs(1));
        assert!((LONGEST..LONGEST + Duration::from_secs(1)).contains(&waited), "{waited:?}");
    }
}
