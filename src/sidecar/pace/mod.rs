//! How long a connection may keep us waiting.
//!
//! A timer for each request would cost more than checking its token. So a connection notes where it
//! stands, and is looked at every few seconds.

mod paced;
mod streams;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(super) use paced::{Paced, Protocol};
pub(super) use streams::{Streams, note};

/// From the first byte of a request to the end of its header.
const HEADER: Duration = Duration::from_secs(15);

/// Between requests. Longer than the minute for which balancers keep their connections, so that
/// it is they who end them.
const IDLE: Duration = Duration::from_secs(75);

/// Without a byte of what is to be sent that the client has taken. nginx's default too.
const UNSENT: Duration = Duration::from_secs(60);

/// Where a connection stands.
pub(super) struct Pace {
    start: Instant,
    requests: AtomicU32,
    has_begun: AtomicBool,
    is_http2: AtomicBool,
    is_leaving: AtomicBool,
    has_gone: AtomicBool,
    /// Milliseconds after `start` at which that became so.
    since: AtomicU64,
    /// Milliseconds after `start` since which the client takes nothing; zero where it does.
    unsent_since: AtomicU64,
}

/// What to do about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    Left,
    /// Nothing has been asked for a long time.
    IdleOver,
    /// A header does not come to its end.
    HeaderOver,
    /// The client does not take what it has asked for.
    UnsentOver,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            start: now,
            requests: AtomicU32::new(0),
            has_begun: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
            has_gone: AtomicBool::new(false),
            since: AtomicU64::new(0),
            unsent_since: AtomicU64::new(0),
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

    /// Whether a client of HTTP/1.1 waits for an answer.
    fn is_answering(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0 && !self.is_http2()
    }

    /// Whether the client went away while it was answered.
    pub(super) fn has_gone(&self) -> bool {
        self.has_gone.load(Ordering::Relaxed)
    }

    fn client_has_gone(&self) {
        self.has_gone.store(true, Ordering::Relaxed);
    }

    /// A request whose header is complete.
    pub(super) fn request(self: &Arc<Self>) -> Underway {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.has_begun.store(false, Ordering::Relaxed);
        Underway { pace: Arc::clone(self), ended: None }
    }

    fn bytes_came(&self, now: impl FnOnce() -> Instant) {
        let is_first = self.requests.load(Ordering::Relaxed) == 0
            && !self.is_http2()
            && !self.has_begun.swap(true, Ordering::Relaxed);
        if is_first {
            self.note(now());
        }
    }

    /// What came was not a request but the preface of HTTP/2 (RFC 9113 §3.4), after which a client
    /// may be silent as between requests.
    fn preface_came(&self, now: Instant) {
        self.is_http2.store(true, Ordering::Relaxed);
        self.has_begun.store(false, Ordering::Relaxed);
        self.note(now);
    }

    fn bytes_went(&self) {
        // Most writes follow one that went well.
        if self.unsent_since.load(Ordering::Relaxed) > 0 {
            self.unsent_since.store(0, Ordering::Relaxed);
        }
    }

    fn bytes_must_wait(&self, now: impl FnOnce() -> Instant) {
        if self.unsent_since.load(Ordering::Relaxed) == 0 {
            self.unsent_since.store(self.milliseconds(now()), Ordering::Relaxed);
        }
    }

    fn note(&self, now: Instant) {
        self.since.store(self.milliseconds(now), Ordering::Relaxed);
    }

    /// Never zero, which stands for what has not happened.
    fn milliseconds(&self, now: Instant) -> u64 {
        let after = now.saturating_duration_since(self.start);
        u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn waited(&self, since: &AtomicU64, now: Instant) -> Duration {
        let since = self.start + Duration::from_millis(since.load(Ordering::Relaxed));
        now.saturating_duration_since(since)
    }

    pub(super) fn patience(&self, now: Instant) -> Patience {
        if self.unsent_since.load(Ordering::Relaxed) > 0
            && self.waited(&self.unsent_since, now) > UNSENT
        {
            return Patience::UnsentOver;
        }
        if self.requests.load(Ordering::Relaxed) > 0 {
            return Patience::Left;
        }
        let waited = self.waited(&self.since, now);
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
pub(super) struct Underway {
    pace: Arc<Pace>,
    ended: Option<Instant>,
}

impl Underway {
    /// When it has ended, so that the clock need not be asked again.
    pub(super) fn ended(&mut self, now: Instant) {
        self.ended = Some(now);
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if self.pace.requests.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.pace.note(self.ended.unwrap_or_else(Instant::now));
        }
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
        let request = pace.request();
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
        drop(pace.request());
        assert!(!pace.is_untouched());
    }

    #[test]
    fn what_a_client_does_not_take_is_not_kept_for_long() {
        let start = Instant::now();
        let pace = Arc::new(Pace::new(start));
        let request = pace.request();
        pace.bytes_must_wait(|| start + seconds(100));
        // Another attempt that fails does not make it longer.
        pace.bytes_must_wait(|| start + seconds(150));
        assert_eq!(pace.patience(start + seconds(160)), Patience::Left);
        assert_eq!(pace.patience(start + seconds(161)), Patience::UnsentOver);
        pace.bytes_went();
        assert_eq!(pace.patience(start + seconds(10_000)), Patience::Left);
        pace.bytes_must_wait(|| start + seconds(200));
        assert_eq!(pace.patience(start + seconds(260)), Patience::Left);
        // An answer of our own is over for us before its client has taken it.
        drop(request);
        assert_eq!(pace.patience(start + seconds(261)), Patience::UnsentOver);
    }

    #[test]
    fn who_has_begun_with_http2_may_be_silent_as_between_requests() {
        let start = Instant::now();
        let pace = Arc::new(Pace::new(start));
        pace.bytes_came(|| start + seconds(50));
        pace.preface_came(start + seconds(51));
        pace.bytes_came(|| start + seconds(52));
        assert!(pace.is_http2() && !pace.is_untouched());
        assert_eq!(pace.patience(start + seconds(126)), Patience::Left);
        assert_eq!(pace.patience(start + seconds(127)), Patience::IdleOver);
    }

    #[test]
    fn http2_frames_between_requests_are_no_header() {
        let start = Instant::now();
        let pace = Arc::new(Pace::new(start));
        pace.preface_came(start);
        let (one, other) = (pace.request(), pace.request());
        drop(one);
        assert_eq!(pace.patience(start + seconds(10_000)), Patience::Left);
        drop(other);
        pace.bytes_came(Instant::now);
        assert_eq!(pace.patience(Instant::now() + seconds(60)), Patience::Left);
    }
}
