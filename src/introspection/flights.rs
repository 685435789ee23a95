//! One call at a time for each question, and everybody who asks the same waits for it.
//!
//! A call runs in a task of its own, so that a client that goes away leaves nobody else waiting. What
//! it brings is handed to all who wait for it.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

/// A call that took longer is one whose runtime stands still; another one takes its place.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// The calls under way.
pub(super) struct Flights<K, V>(Mutex<UnderWay<K, V>>);

struct UnderWay<K, V> {
    flights: HashMap<K, Flight<V>>,
    last: u64,
    most: usize,
}

struct Flight<V> {
    number: u64,
    since: Instant,
    seat: watch::Receiver<Option<V>>,
}

/// What becomes of the wish for an answer.
pub(super) enum Boarding<V> {
    Wait(Seat<V>),
    /// The answer has come meanwhile.
    There(V),
    /// Too many calls are under way.
    Full,
}

/// Waits for the end of one call.
pub(crate) struct Seat<V>(watch::Receiver<Option<V>>);

impl<V: Clone> Seat<V> {
    /// `None` if the call was dropped with its runtime.
    pub(super) async fn landed(mut self) -> Option<V> {
        let landed = self.0.wait_for(Option::is_some).await.ok()?;
        landed.as_ref().cloned()
    }

    /// `None` if the call is not over by then, too.
    pub(crate) async fn landed_by(self, deadline: Instant) -> Option<V> {
        // Without a runtime there is no timer, and waiting without end is out of the question.
        Handle::try_current().ok()?;
        tokio::time::timeout_at(deadline, self.landed()).await.ok()?
    }
}

impl<K, V> Flights<K, V>
where
    K: Copy + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new(most: usize) -> Self {
        Self(Mutex::new(UnderWay { flights: HashMap::new(), last: 0, most }))
    }

    /// A seat in the call about `key`, which begins with `call` unless it is under way. `known` tells
    /// whether the answer is there after all; it is not asked while a call is under way.
    pub(super) fn board<F>(
        self: &Arc<Self>,
        runtime: &Handle,
        key: K,
        known: impl FnOnce() -> Option<V>,
        call: impl FnOnce() -> F,
    ) -> Boarding<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut under_way = self.lock();
        if let Some(flight) = under_way.flights.get(&key)
            && flight.since.elapsed() < LOST_AFTER
        {
            return Boarding::Wait(Seat(flight.seat.clone()));
        }
        // A call makes its answer known before it is taken off the list.
        if let Some(value) = known() {
            return Boarding::There(value);
        }
        if under_way.flights.len() >= under_way.most {
            return Boarding::Full;
        }
        under_way.last += 1;
        let number = under_way.last;
        let (landed, seat) = watch::channel(None);
        let flight = Flight { number, since: Instant::now(), seat: seat.clone() };
        under_way.flights.insert(key, flight);
        drop(under_way);
        // Here and not in the task, which may be dropped before it has run at all.
        let landing = Landing { flights: Arc::clone(self), key, number, landed };
        let call = call();
        runtime.spawn(async move {
            let value = call.await;
            landing.landed.send_replace(Some(value));
        });
        Boarding::Wait(Seat(seat))
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a call off the list, however it ends.
struct Landing<K: Copy + Eq + Hash + Send + 'static, V: Clone + Send + Sync + 'static> {
    flights: Arc<Flights<K, V>>,
    key: K,
    number: u64,
    landed: watch::Sender<Option<V>>,
}

impl<K, V> Drop for Landing<K, V>
where
    K: Copy + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn drop(&mut self) {
        let mut under_way = self.flights.lock();
        let number = under_way.flights.get(&self.key).map(|flight| flight.number);
        // A later call may have taken its place.
        if number == Some(self.number) {
            under_way.flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    fn flights(most: usize) -> Arc<Flights<u8, u8>> {
        Arc::new(Flights::new(most))
    }

    fn seat<V>(boarding: Boarding<V>) -> Seat<V> {
        match boarding {
            Boarding::Wait(seat) => seat,
            Boarding::There(_) | Boarding::Full => panic!("no seat"),
        }
    }

    #[tokio::test]
    async fn intro_11_all_who_ask_meanwhile_get_one_answer() {
        let (flights, runtime) = (flights(10), Handle::current());
        let first = seat(flights.board(&runtime, 1, || None, || async { 7 }));
        let second = seat(flights.board(&runtime, 1, || Some(0), || async { 8 }));
        let other = seat(flights.board(&runtime, 2, || None, || async { 9 }));
        assert_eq!(first.landed().await, Some(7));
        assert_eq!(second.landed().await, Some(7));
        assert_eq!(other.landed().await, Some(9));
        tokio::task::yield_now().await;
        assert!(matches!(
            flights.board(&runtime, 1, || Some(7), || async { 8 }),
            Boarding::There(7)
        ));
        assert_eq!(
            seat(flights.board(&runtime, 1, || None, || async { 8 })).landed().await,
            Some(8)
        );
    }

    #[tokio::test]
    async fn calls_are_bounded_in_number() {
        let (flights, runtime) = (flights(1), Handle::current());
        let _held = seat(flights.board(&runtime, 1, || None, pending));
        assert!(matches!(flights.board(&runtime, 2, || None, pending), Boarding::Full));
        let joined = flights.board(&runtime, 1, || None, pending);
        assert!(matches!(joined, Boarding::Wait(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nobody_drives_is_replaced() {
        let (flights, runtime) = (flights(10), Handle::current());
        let lost = seat(flights.board(&runtime, 1, || None, pending));
        tokio::time::advance(LOST_AFTER).await;
        let second = seat(flights.board(&runtime, 1, || None, || async { 8 }));
        assert_eq!(second.landed().await, Some(8));
        assert_eq!(lost.landed_by(Instant::now()).await, None);
    }

    #[test]
    fn a_call_that_is_dropped_with_its_runtime_is_as_if_it_had_not_been() {
        let flights = flights(10);
        let first = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let lost = seat(flights.board(first.handle(), 1, || None, pending));
        drop(first);
        let second = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        assert_eq!(second.block_on(lost.landed()), None);
        let seat = seat(flights.board(second.handle(), 1, || None, || async { 8 }));
        assert_eq!(second.block_on(seat.landed()), Some(8));
    }
}
