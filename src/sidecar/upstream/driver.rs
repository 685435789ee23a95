//! The task that a connection of HTTP/1.1 lives in, and what wakes it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

/// Drives a connection, and wakes it by [`Bell`].
pub(super) struct Driver<C> {
    connection: C,
    bell: Bell,
    waker: Waker,
}

/// Wakes the task of a connection.
#[derive(Clone)]
pub(super) struct Bell(Arc<Rings>);

struct Rings {
    /// The one waker that the task has.
    task: OnceLock<Waker>,
    /// Whether they are counted only.
    is_muffled: AtomicBool,
    count: AtomicUsize,
}

impl<C> Driver<C> {
    pub(super) fn new(connection: C) -> Self {
        let rings = Arc::new(Rings {
            task: OnceLock::new(),
            is_muffled: AtomicBool::new(false),
            count: AtomicUsize::new(0),
        });
        Self { connection, bell: Bell(Arc::clone(&rings)), waker: rings.into() }
    }

    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }
}

impl<C: Future + Unpin> Future for Driver<C> {
    type Output = C::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<C::Output> {
        let Self { connection, bell, waker } = &mut *self;
        bell.0.task.get_or_init(|| context.waker().clone());
        Pin::new(connection).poll(&mut Context::from_waker(waker))
    }
}

impl Bell {
    /// Takes something from the connection. hyper rings for more whenever a part of an answer is taken,
    /// also if it was the last one, and then the connection would be woken for nothing. `take` says
    /// whether it was.
    pub(super) fn muffled<T>(&self, take: impl FnOnce() -> (T, bool)) -> T {
        let rings = &*self.0;
        rings.count.store(0, Ordering::Relaxed);
        rings.is_muffled.store(true, Ordering::SeqCst);
        let (taken, is_last) = take();
        rings.is_muffled.store(false, Ordering::SeqCst);
        if rings.count.load(Ordering::SeqCst) > usize::from(is_last) {
            rings.ring();
        }
        taken
    }
}

impl Rings {
    fn ring(&self) {
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }
}

impl Wake for Rings {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_muffled.load(Ordering::SeqCst) {
            self.count.fetch_add(1, Ordering::SeqCst);
            // What has ended meanwhile has counted without it.
            if self.is_muffled.load(Ordering::SeqCst) {
                return;
            }
        }
        self.ring();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Mutex;

    use tokio::task::yield_now;

    use super::*;

    /// A connection that does nothing, how it is woken and how often it has been.
    struct Idle {
        bell: Bell,
        waker: Arc<Mutex<Option<Waker>>>,
        polls: Arc<AtomicUsize>,
    }

    impl Idle {
        async fn new() -> Self {
            let (waker, polls) = (Arc::new(Mutex::new(None)), Arc::new(AtomicUsize::new(0)));
            let (its_waker, its_polls) = (Arc::clone(&waker), Arc::clone(&polls));
            let driver = Driver::new(poll_fn(move |context| {
                *its_waker.lock().unwrap() = Some(context.waker().clone());
                its_polls.fetch_add(1, Ordering::Relaxed);
                Poll::<()>::Pending
            }));
            let idle = Self { bell: driver.bell(), waker, polls };
            tokio::spawn(driver);
            assert_eq!(idle.woken_by(|_| {}).await, 1);
            idle
        }

        async fn woken_by(&self, action: impl FnOnce(&Self)) -> usize {
            let before = self.polls.load(Ordering::Relaxed);
            action(self);
            yield_now().await;
            self.polls.load(Ordering::Relaxed) - before
        }

        fn ring(&self) {
            self.waker.lock().unwrap().as_ref().unwrap().wake_by_ref();
        }
    }

    #[tokio::test]
    async fn a_connection_is_woken() {
        let idle = Idle::new().await;
        for _ in 0..3 {
            assert_eq!(idle.woken_by(Idle::ring).await, 1);
        }
    }

    #[tokio::test]
    async fn the_last_part_of_an_answer_wakes_nobody() {
        let idle = Idle::new().await;
        let taken = |times: usize, is_last| {
            move |idle: &Idle| {
                let taken = idle.bell.muffled(|| {
                    (0..times).for_each(|_| idle.ring());
                    (7, is_last)
                });
                assert_eq!(taken, 7);
            }
        };
        for (rings, is_last, polls) in
            [(0, false, 0), (0, true, 0), (1, true, 0), (1, false, 1), (2, true, 1)]
        {
            let woken = idle.woken_by(taken(rings, is_last)).await;
            assert_eq!(woken, polls, "{rings} {is_last}");
        }
        assert_eq!(idle.woken_by(Idle::ring).await, 1);
    }
}
