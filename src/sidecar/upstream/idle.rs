//! Connections that nobody uses: a stack, the one used last on top.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;
use http::header::HeaderName;

use super::driver::Bell;
use super::places::{Places, Unused};
use super::sender::Sender;

/// Seconds for which an unused connection is kept where the upstream does not say how long it keeps it.
/// Servers end idle connections without warning, Node and uvicorn after five seconds, and a request
/// that is sent at that very moment is lost. So ours end before.
const IDLE: u8 = 3;
const LONGEST_IDLE: u8 = 60;

/// Connections that are kept for later, for each worker.
const MAX_IDLE: usize = 256;

/// The stack. Its lock is a worker's own, and held for a push or a pop.
pub(super) struct Idle<B> {
    stack: Mutex<Vec<Resting<B>>>,
    places: Arc<Places>,
}

/// A connection that can take a request.
pub(super) struct Connection<B> {
    sender: Sender<B>,
    /// Seconds for which it may rest and be used after that. Small, as it is carried about with every
    /// answer.
    idle_time: u8,
}

struct Resting<B> {
    connection: Connection<B>,
    since: Instant,
}

impl<B> Connection<B> {
    pub(super) fn new(sender: Sender<B>, idle_time: u8) -> Self {
        Self { sender, idle_time }
    }

    pub(super) fn bell(&self) -> &Bell {
        self.sender.bell()
    }

    fn idle_time(&self) -> Duration {
        Duration::from_secs(self.idle_time.into())
    }
}

impl<B> Idle<B> {
    pub(super) fn new(places: Arc<Places>) -> Self {
        Self { stack: Mutex::new(Vec::new()), places }
    }

    /// The one that was used last, if it has rested for less than that.
    pub(super) fn pop(&self, rested: Duration, now: Instant) -> Option<Sender<B>> {
        let mut stack = self.stack.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(last) = stack.last() {
            let idle = now.saturating_duration_since(last.since);
            if idle >= rested && idle < last.connection.idle_time() {
                return None;
            }
            let Resting { connection, .. } = stack.pop()?;
            if idle < connection.idle_time() && connection.sender.is_ready() {
                return Some(connection.sender);
            }
        }
        None
    }

    pub(super) fn push(&self, connection: Connection<B>, now: Instant) {
        if connection.sender.is_closed() {
            return;
        }
        let mut stack = self.stack.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock, under which whoever waits asks for room.
        if self.places.are_wanted() {
            return;
        }
        // What is at the bottom was not needed for longest.
        if stack.len() >= MAX_IDLE {
            stack.remove(0);
        }
        stack.push(Resting { connection, since: now });
    }
}

impl<B: Send> Unused for Idle<B> {
    /// The one at the bottom: it was not needed for longest.
    fn end_one(&self) -> bool {
        let mut stack = self.stack.lock().unwrap_or_else(PoisonError::into_inner);
        let is_one = !stack.is_empty();
        if is_one {
            stack.remove(0);
        }
        is_one
    }
}

/// `Keep-Alive: timeout=…` as Node, Apache and others send it, and a second less.
pub(super) fn idle_time(headers: &HeaderMap) -> u8 {
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    let Some(hint) = headers.get(KEEP_ALIVE).and_then(|value| value.to_str().ok()) else {
        return IDLE;
    };
    let seconds = hint.split(',').find_map(|one| {
        let (name, value) = one.split_once('=')?;
        name.trim().eq_ignore_ascii_case("timeout").then(|| value.trim().parse::<u64>().ok())?
    });
    match seconds {
        Some(seconds) => u8::try_from(seconds.saturating_sub(1))
            .map_or(LONGEST_IDLE, |seconds| seconds.min(LONGEST_IDLE)),
        None => IDLE,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt as _;
    use http_body_util::Empty;
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
    use tokio::task::yield_now;

    use super::super::driver::Driver;
    use super::super::stream::Unanswered;
    use super::*;

    #[test]
    fn the_upstream_says_how_long_it_waits() {
        for (hint, seconds) in [
            (None, 3),
            (Some("timeout=5"), 4),
            (Some("timeout=5, max=1000"), 4),
            (Some("max=1000, Timeout = 30"), 29),
            (Some("timeout=1"), 0),
            (Some("timeout=0"), 0),
            (Some("timeout=86400"), 60),
            (Some("timeout=soon"), 3),
            (Some(""), 3),
        ] {
            let headers: HeaderMap = hint
                .into_iter()
                .map(|hint| (HeaderName::from_static("keep-alive"), hint.parse().unwrap()))
                .collect();
            assert_eq!(idle_time(&headers), seconds, "{hint:?}");
        }
    }

    /// A connection that nobody is at the other end of, and what keeps it open.
    async fn connection(idle_time: u8) -> (Connection<Empty<Bytes>>, DuplexStream) {
        let (near, far) = duplex(64);
        let (sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
        let driver = Driver::new(connection);
        let bell = driver.bell();
        tokio::spawn(driver);
        let mut sender = Sender::new(sender, Unanswered::new(), bell);
        while !sender.is_ready() {
            yield_now().await;
        }
        sender.answered();
        (Connection::new(sender, idle_time), far)
    }

    const LONG: u8 = 60;

    fn idle(places: usize) -> Idle<Empty<Bytes>> {
        Idle::new(Arc::new(Places::new(places)))
    }

    #[tokio::test]
    async fn no_more_are_kept_than_there_is_use_for() {
        let idle = idle(1_000);
        let mut others = Vec::new();
        for _ in 0..MAX_IDLE + 3 {
            let (connection, other) = connection(LONG).await;
            idle.push(connection, Instant::now());
            others.push(other);
        }
        assert_eq!(idle.stack.lock().unwrap().len(), MAX_IDLE);
        // It was the oldest that ended.
        let mut ended = others.iter_mut().map(|other| other.read_u8().now_or_never().is_some());
        yield_now().await;
        assert!(ended.by_ref().take(3).all(|ended| ended));
        assert!(!ended.any(|ended| ended));
    }

    #[tokio::test]
    async fn what_has_rested_for_too_long_is_not_used() {
        let idle = idle(10);
        let (brief, _one) = connection(0).await;
        let (long, _other) = connection(LONG).await;
        idle.push(long, Instant::now());
        idle.push(brief, Instant::now());
        assert!(idle.pop(Duration::ZERO, Instant::now()).is_none());
        assert!(idle.pop(Duration::MAX, Instant::now()).is_some());
        assert!(idle.pop(Duration::MAX, Instant::now()).is_none());
    }

    #[tokio::test]
    async fn what_has_ended_or_is_wanted_elsewhere_is_not_kept() {
        let idle = idle(0);
        let (ended, other) = connection(LONG).await;
        drop(other);
        while !ended.sender.is_closed() {
            yield_now().await;
        }
        idle.push(ended, Instant::now());
        assert!(idle.stack.lock().unwrap().is_empty());
        let mut waiting = Box::pin(idle.places.take());
        assert!(waiting.as_mut().now_or_never().is_none());
        let (open, _other) = connection(LONG).await;
        idle.push(open, Instant::now());
        assert!(idle.stack.lock().unwrap().is_empty());
    }
}
