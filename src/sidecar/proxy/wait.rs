//! How long the upstream may take to begin an answer.

use std::future::Future as _;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::request_body::Upload;

/// Counted from the last sign of life of the request's own body. nginx's default too.
const TIMEOUT: Duration = Duration::from_secs(60);

/// So much longer where there is a body: a client that stops in the middle of it is told so first.
const GRACE: Duration = Duration::from_secs(1);

/// One request's wait for its answer.
///
/// A connection of HTTP/1.1 is looked at every few seconds, and the one request on it with it, so
/// that it needs no timer. A request over HTTP/2 runs by itself.
pub(super) struct Wait {
    until: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    has_begun: bool,
}

impl Wait {
    pub(super) fn new(since: Instant, is_http2: bool) -> Self {
        let until = since + TIMEOUT;
        Self { until, timer: is_http2.then(|| Box::pin(sleep_until(until))), has_begun: false }
    }

    /// Whether it has been too long.
    pub(super) fn poll(&mut self, upload: &Upload, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.timer {
                Some(timer) => ready!(timer.as_mut().poll(context)),
                // Nobody is late who has just been asked.
                None if !mem::replace(&mut self.has_begun, true) => return Poll::Pending,
                None if Instant::now() < self.until => return Poll::Pending,
                None => {}
            }
            // As long as the request is still coming, nobody is late.
            match upload.last_progress().map(|progress| progress + TIMEOUT + GRACE) {
                Some(until) if until > Instant::now() => {
                    self.until = until;
                    if let Some(timer) = &mut self.timer {
                        timer.as_mut().reset(until);
                    }
                }
                _ => return Poll::Ready(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::advance;

    use super::*;

    async fn is_over(wait: &mut Wait, upload: &Upload) -> bool {
        poll_fn(|context| Poll::Ready(wait.poll(upload, context).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_a_minute() {
        for is_http2 in [false, true] {
            let (mut wait, upload) = (Wait::new(Instant::now(), is_http2), Upload::of_nothing());
            assert!(!is_over(&mut wait, &upload).await);
            advance(TIMEOUT - Duration::from_millis(10)).await;
            assert!(!is_over(&mut wait, &upload).await);
            advance(Duration::from_millis(20)).await;
            assert!(is_over(&mut wait, &upload).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_minute_begins_anew_with_each_part_of_the_request() {
        for is_http2 in [false, true] {
            let (mut wait, upload) = (Wait::new(Instant::now(), is_http2), Upload::begun());
            for _ in 0..3 {
                advance(TIMEOUT - Duration::from_secs(1)).await;
                assert!(!is_over(&mut wait, &upload).await);
                upload.note_progress();
            }
            advance(TIMEOUT - Duration::from_secs(1)).await;
            assert!(!is_over(&mut wait, &upload).await);
            advance(Duration::from_secs(1) + GRACE).await;
            assert!(is_over(&mut wait, &upload).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn over_http2_its_end_wakes_whoever_waits() {
        let start = Instant::now();
        let (mut wait, upload) = (Wait::new(start, true), Upload::of_nothing());
        poll_fn(|context| wait.poll(&upload, context)).await;
        assert!(start.elapsed() >= TIMEOUT);
    }
}
