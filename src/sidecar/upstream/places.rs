//! How many connections to the upstream there may be, of all workers together.
//!
//! One connection of a client can have a hundred requests under way, and each of them needs a
//! connection to an upstream that speaks HTTP/1.1. Without a bound of their own they would take all
//! the files that the process may open.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A place for each connection.
pub(in crate::sidecar) struct Places {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
    stacks: Mutex<Vec<Weak<dyn Unused>>>,
}

/// Held as long as a connection's file is open.
pub(super) struct Place {
    _held: Option<OwnedSemaphorePermit>,
}

/// A worker's connections that nobody uses.
pub(super) trait Unused: Send + Sync {
    /// Ends one of them; whether there was one.
    fn end_one(&self) -> bool;
}

impl Places {
    pub(in crate::sidecar) fn new(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            waiting: AtomicUsize::new(0),
            stacks: Mutex::new(Vec::new()),
        }
    }

    /// Asks these to make room when there is none.
    pub(super) fn may_end(&self, stack: Weak<dyn Unused>) {
        self.stacks.lock().unwrap_or_else(PoisonError::into_inner).push(stack);
    }

    /// Waits for a place.
    pub(super) async fn take(&self) -> Place {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Place { _held: Some(place) };
        }
        // Told before anybody is asked: what is not among the unused yet will not get there.
        let _waiting = Waiting::begin(&self.waiting);
        self.make_room();
        // It is never closed.
        Place { _held: Arc::clone(&self.free).acquire_owned().await.ok() }
    }

    /// Whether somebody waits, so that a connection had better end than be kept.
    pub(super) fn are_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    fn make_room(&self) {
        let stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = stacks.iter().filter_map(Weak::upgrade).any(|stack| stack.end_one());
    }
}

/// One that waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// Connections that were kept, with their places.
    struct Kept(Mutex<Vec<Place>>);

    impl Unused for Kept {
        fn end_one(&self) -> bool {
            self.0.lock().unwrap().pop().is_some()
        }
    }

    #[tokio::test]
    async fn who_finds_no_place_waits_until_one_is_given_back() {
        let places = Places::new(2);
        let (one, _other) = (places.take().await, places.take().await);
        assert!(!places.are_wanted());
        let mut third = Box::pin(places.take());
        assert!(third.as_mut().now_or_never().is_none());
        assert!(places.are_wanted());
        drop(one);
        let _third = third.now_or_never().unwrap();
        assert!(!places.are_wanted());
    }

    #[tokio::test]
    async fn who_gives_up_waits_no_longer() {
        let places = Places::new(1);
        let one = places.take().await;
        assert!(places.take().now_or_never().is_none());
        assert!(!places.are_wanted());
        drop(one);
        assert!(places.take().now_or_never().is_some());
    }

    #[tokio::test]
    async fn what_nobody_uses_makes_room() {
        let places = Places::new(2);
        let empty = Arc::new(Kept(Mutex::default()));
        let kept = Arc::new(Kept(Mutex::default()));
        let gone = Arc::new(Kept(Mutex::default()));
        for stack in [&gone, &empty, &kept] {
            let stack: Arc<dyn Unused> = Arc::clone(stack) as _;
            places.may_end(Arc::downgrade(&stack));
        }
        drop(gone);
        let _used = places.take().await;
        let unused = places.take().await;
        kept.0.lock().unwrap().push(unused);
        // Only one is ended for one that waits.
        let _third = places.take().now_or_never().unwrap();
        assert!(kept.0.lock().unwrap().is_empty());
        assert!(places.take().now_or_never().is_none());
    }
}
