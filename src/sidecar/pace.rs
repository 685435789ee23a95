//! How long a connection may keep us waiting.
//!
//! A timer for each request would cost more than checking its token. So a connection notes where it
//! stands, and is looked at every few seconds.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// From the first byte of a request to the end of its header.
const HEADER: Duration = Duration::from_secs(15);

/// Between requests. Longer than the minute for which balancers keep their connections, so that
/// it is they who end them.
const IDLE: Duration = Duration::from_secs(75);

/// Where a connection stands.
pub(super) struct Pace {
    start: Instant,
    requests: AtomicU32,
    has_begun: AtomicBool,
    is_http2: AtomicBool,
    is_leaving: AtomicBool,
    /// Milliseconds after `start` at which that became so.
    since: AtomicU64,
}

/// What to do about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    Left,
    /// Nothing has been asked for a long time.
    IdleOver,
    /// A header does not come to its end.
    HeaderOver,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            start: now,
            requests: AtomicU32::new(0),
            has_begun: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
            since: AtomicU64::new(0),
        }
    }

    pub(super) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// Whether nothing has come yet.
    pub(super) fn is_untouched(&self) -> bool {
        !self.has_begun.load(Ordering::Relaxed)
            && self.requests.load(Ordering::Relaxed) == 0
            && self.since.load(Ordering::Relaxed) == 0
    }

    /// Whether clients of HTTP/1.1 are to close with their next answer.
    pub(super) fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Relaxed)
    }

    pub(super) fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }

    /// A request whose header is complete.
    pub(super) fn request(self: &Arc<Self>, is_http2: bool) -> Underway {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.has_begun.store(false, Ordering::Relaxed);
        self.is_http2.store(is_http2, Ordering::Relaxed);
        Underway(Arc::clone(self))
    }

    fn bytes_came(&self, now: impl FnOnce() -> Instant) {
        let is_first = self.requests.load(Ordering::Relaxed) == 0
            && !self.is_http2()
            && !self.has_begun.swap(true, Ordering::Relaxed);
        if is_first {
            self.note(now());
        }
    }

    fn note(&self, now: Instant) {
        let after = u64::try_from((now - self.start).as_millis()).unwrap_or(u64::MAX);
        // Nothing but a new connection has zero.
        self.since.store(after.max(1), Ordering::Relaxed);
    }

    pub(super) fn patience(&self, now: Instant) -> Patience {
        if self.requests.load(Ordering::Relaxed) > 0 {
            return Patience::Left;
        }
        let since = self.start + Duration::from_millis(self.since.load(Ordering::Relaxed));
        let waited = now.saturating_duration_since(since);
        if self.has_begun.load(Ordering::Relaxed) {
            if waited > HEADER { Patience::HeaderOver } else { Patience::Left }
        } else if waited > IDLE {
            Patience::IdleOver
        } else {
            Patience::Left
        }
    }
}

/// A request that is being answered.
pub(super) struct Underway(Arc<Pace>);

impl Drop for Underway {
    fn drop(&mut self) {
        if self.0.requests.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.note(Instant::now());
        }
    }
}

/// A connection that notes when something comes.
pub(super) struct Paced<T> {
    io: T,
    pace: Arc<Pace>,
}

impl<T> Paced<T> {
    pub(super) fn new(io: T, pace: Arc<Pace>) -> Self {
        Self { io, pace }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.pace.bytes_came(Instant::now);
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_connection_may_be_idle_longer_than_a_header_may_take() {
        let start = Instant::now();
        let pace = Arc::new(Pace::new(start));
        assert_eq!(pace.patience(start + seconds(75)), Patience::Left);
        assert_eq!(pace.patience(start + seconds(76)), Patience::IdleOver);
        pace.bytes_came(|| start + seconds(60));
        // The bytes that follow do not make it longer.
        pace.bytes_came(|| start + seconds(74));
        assert_eq!(pace.patience(start + seconds(75)), Patience::Left);
        assert_eq!(pace.patience(start + seconds(76)), Patience::HeaderOver);
        let request = pace.request(false);
        pace.bytes_came(|| start + seconds(80));
        assert_eq!(pace.patience(start + seconds(10_000)), Patience::Left);
        drop(request);
        assert_eq!(pace.patience(Instant::now() + seconds(74)), Patience::Left);
        assert_eq!(pace.patience(Instant::now() + seconds(76)), Patience::IdleOver);
    }

    #[test]
    fn a_connection_is_untouched_until_something_comes() {
        let start = Instant::now();
        let pace = Arc::new(Pace::new(start));
        assert!(pace.is_untouched());
        pace.bytes_came(|| start);
        assert!(!pace.is_untouched());
        drop(pace.request(false));
        assert!(!pace.is_untouched());
    }

    #[test]
    fn http2_frames_between_requests_are_no_header() {
        let start = Instant::now();
        let pace = Arc::new(Pace::new(start));
        let (one, other) = (pace.request(true), pace.request(true));
        drop(one);
        assert_eq!(pace.patience(start + seconds(10_000)), Patience::Left);
        drop(other);
        pace.bytes_came(Instant::now);
        assert_eq!(pace.patience(Instant::now() + seconds(60)), Patience::Left);
    }
}
