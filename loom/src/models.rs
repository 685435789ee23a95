use std::sync::Arc;
use std::time::Duration;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use super::Instant;
use super::flights::{Boarding, Flights};
use super::schedule::{Cause, LOST_AFTER, Left, Pace, Schedule};

/// Flights and what they bring: for keys stands the number of the attempt that brought them.
struct Store {
    flights: Flights,
    keys: AtomicU64,
    started: AtomicU64,
}

const NONE: u64 = 0;

impl Store {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            flights: Flights::new(Schedule::new(Pace::NETWORK)),
            keys: AtomicU64::new(NONE),
            started: AtomicU64::new(0),
        })
    }

    fn keys(&self) -> u64 {
        self.keys.load(Ordering::Acquire)
    }

    /// What somebody who has `seen` keys is answered.
    fn board(&self, cause: Cause, now: Instant, seen: u64) -> Boarding<()> {
        let boarding = self.flights.board(cause, now, || self.keys() != seen, |_| ());
        if let Boarding::Start(_) = boarding {
            self.started.fetch_add(1, Ordering::Relaxed);
        }
        boarding
    }

    /// The end of a good attempt.
    fn land(&self, attempt: u64) -> bool {
        self.flights.land(attempt, |schedule| {
            schedule.succeeded(None);
            self.keys.store(attempt, Ordering::Release);
        })
    }

    /// The end of one that failed, panicked or was aborted: the same call, without keys.
    fn crash(&self, attempt: u64, now: Instant) -> bool {
        self.flights.land(attempt, |schedule| _ = schedule.failed(Left::KeysForEver, 0.0, now))
    }

    fn wait(&self, attempt: u64) {
        self.flights.arrivals().wait_for(|landed| *landed >= attempt);
    }

    /// A request that cannot be judged by the keys that it has `seen`: who starts an attempt has
    /// it carried out by a task, and waits for it like all others. Returns the keys that it sees
    /// in the end.
    fn request(self: &Arc<Self>, cause: Cause, now: Instant, seen: u64) -> u64 {
        let attempt = match self.board(cause, now, seen) {
            Boarding::Start(attempt) => {
                let store = Arc::clone(self);
                thread::spawn(move || assert!(store.land(attempt)));
                attempt
            }
            Boarding::Join(attempt) => attempt,
            Boarding::News => NONE,
            Boarding::NotNow(()) => panic!("there is an attempt, or there are keys"),
        };
        self.wait(attempt);
        self.keys()
    }
}

fn spawn<T: 'static>(store: &Arc<Store>, run: impl FnOnce(Arc<Store>) -> T + 'static) -> Handle<T> {
    let store = Arc::clone(store);
    thread::spawn(move || run(store))
}

type Handle<T> = thread::JoinHandle<T>;

/// Every order of turns; for more threads, every order in which at most that many of them are
/// interrupted, as all orders take minutes.
fn model(interruptions: Option<usize>, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = interruptions;
    builder.check(run);
}

#[test]
fn those_who_find_no_keys_cause_one_attempt_and_see_what_it_brought() {
    // A second attempt would not be stopped by a pause: `Asked` knows none.
    for (others, interruptions) in
        [(&[Cause::Asked][..], None), (&[Cause::NoKeys, Cause::Asked], Some(3))]
    {
        model(interruptions, move || {
            let (store, now) = (Store::new(), Instant::now());
            let request = |cause| {
                move |store: Arc<Store>| match store.keys() {
                    NONE => store.request(cause, now, NONE),
                    keys => keys,
                }
            };
            let others: Vec<_> =
                others.iter().map(|cause| spawn(&store, request(*cause))).collect();
            assert_eq!(store.request(Cause::NoKeys, now, NONE), 1);
            for other in others {
                assert_eq!(other.join().unwrap(), 1);
            }
            assert_eq!(store.started.load(Ordering::Relaxed), 1);
        });
    }
}

#[test]
fn who_looked_before_keys_came_and_asks_afterwards_is_told_that_there_are_some() {
    model(None, || {
        let (store, now) = (Store::new(), Instant::now());
        assert_eq!(store.board(Cause::NoKeys, now, NONE), Boarding::Start(1));
        let task = spawn(&store, |store| assert!(store.land(1)));
        let other = spawn(&store, move |store| store.request(Cause::Asked, now, NONE));
        assert_eq!(store.request(Cause::Asked, now, NONE), 1);
        assert_eq!(other.join().unwrap(), 1);
        task.join().unwrap();
        assert_eq!(store.started.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn who_was_woken_finds_the_attempt_over() {
    model(None, || {
        let (store, now) = (Store::new(), Instant::now());
        assert_eq!(store.board(Cause::NoKeys, now, NONE), Boarding::Start(1));
        let task = spawn(&store, |store| assert!(store.land(1)));
        store.wait(1);
        assert_eq!(store.flights.arrivals().last(), 1);
        // The keys that came are not those that were looked for, and it asks again.
        let seen = store.keys();
        assert_eq!(seen, 1);
        assert_eq!(store.board(Cause::UnknownKey, now, seen), Boarding::Start(2));
        task.join().unwrap();
    });
}

#[test]
fn an_attempt_that_crashes_wakes_everybody_and_a_pause_follows() {
    for (others, interruptions) in [(1, None), (2, Some(3))] {
        model(interruptions, move || {
            let (store, now) = (Store::new(), Instant::now());
            assert_eq!(store.board(Cause::NoKeys, now, NONE), Boarding::Start(1));
            let task = spawn(&store, move |store| assert!(store.crash(1, now)));
            let request = move |store: Arc<Store>| {
                if let Boarding::Join(attempt) = store.board(Cause::NoKeys, now, NONE) {
                    assert_eq!(attempt, 1);
                    store.wait(1);
                }
                // Be it that it came too late for the attempt, or that its end woke it.
                assert_eq!(store.board(Cause::NoKeys, now, NONE), Boarding::NotNow(()));
                assert!(!store.flights.look(Schedule::has_answer));
            };
            let others: Vec<_> = (0..others).map(|_| spawn(&store, request)).collect();
            for handle in others.into_iter().chain([task]) {
                handle.join().unwrap();
            }
            assert_eq!(store.started.load(Ordering::Relaxed), 1);
        });
    }
}

#[test]
fn an_attempt_ends_once() {
    model(None, || {
        let (store, now) = (Store::new(), Instant::now());
        assert_eq!(store.board(Cause::NoKeys, now, NONE), Boarding::Start(1));
        let good = spawn(&store, |store| store.land(1));
        let crashed = spawn(&store, move |store| store.crash(1, now));
        store.wait(1);
        let ends = [good.join().unwrap(), crashed.join().unwrap()];
        assert_eq!(ends.iter().filter(|counts| **counts).count(), 1);
        assert_eq!(store.keys() == NONE, ends[1]);
        assert_eq!(store.flights.look(Schedule::has_answer), !ends[1]);
    });
}

#[test]
fn an_attempt_that_was_given_up_for_a_later_one_changes_nothing() {
    model(None, || {
        let (store, now) = (Store::new(), Instant::now());
        let late = now + LOST_AFTER + Duration::from_secs(1);
        assert_eq!(store.board(Cause::NoKeys, now, NONE), Boarding::Start(1));
        let slow = spawn(&store, |store| store.land(1));
        let requester = spawn(&store, move |store| match store.board(Cause::NoKeys, late, NONE) {
            Boarding::Start(later) => {
                assert_eq!(later, 2);
                let task = spawn(&store, |store| assert!(store.land(2)));
                store.wait(2);
                // Woken by the second, not by the first, whose keys nobody ever sees.
                assert_eq!(store.keys(), 2);
                task.join().unwrap();
                true
            }
            Boarding::News => {
                assert_eq!(store.keys(), 1);
                false
            }
            other => panic!("{other:?}"),
        });
        let counted = slow.join().unwrap();
        let was_given_up = requester.join().unwrap();
        assert_eq!(counted, !was_given_up);
        let last = if was_given_up { 2 } else { 1 };
        assert_eq!(store.keys(), last);
        store.wait(last);
        assert_eq!(store.flights.arrivals().last(), last);
    });
}

#[test]
fn arrivals_are_told_in_the_order_of_attempts() {
    model(None, || {
        let (store, now) = (Store::new(), Instant::now());
        assert_eq!(store.board(Cause::NoKeys, now, NONE), Boarding::Start(1));
        let first = spawn(&store, |store| assert!(store.land(1)));
        // Somebody who cannot use what the first attempt brought causes a second at once.
        let second = match store.board(Cause::Asked, now, 1) {
            Boarding::Start(2) => spawn(&store, |store| assert!(store.land(2))),
            Boarding::Join(1) => return first.join().unwrap(),
            other => panic!("{other:?}"),
        };
        store.wait(2);
        assert_eq!(store.keys(), 2);
        for task in [first, second] {
            task.join().unwrap();
        }
        assert_eq!(store.flights.arrivals().last(), 2);
    });
}
