//! What a connection of a client takes up: one of the places that there are for clients, and a part
//! of its worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::OwnedSemaphorePermit;

/// Held as long as files are open for the connection. A tunnel outlives the connection that it was
/// asked for over.
pub(super) struct Seat {
    _place: OwnedSemaphorePermit,
    _load: Load,
}

/// A connection in the count of its worker.
pub(super) struct Load(Arc<AtomicUsize>);

impl Seat {
    pub(super) fn new(place: OwnedSemaphorePermit, load: Load) -> Self {
        Self { _place: place, _load: load }
    }

    #[cfg(test)]
    pub(super) fn somewhere() -> Self {
        let places = Arc::new(tokio::sync::Semaphore::new(1));
        Self::new(places.try_acquire_owned().unwrap(), Load::one_more(&Arc::default()))
    }
}

impl Load {
    pub(super) fn one_more(load: &Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(load))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
