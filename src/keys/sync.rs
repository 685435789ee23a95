//! What [`flights`](super::flights) is built from. A model checker has its own.

pub(super) use std::sync::Mutex;
use std::sync::{MutexGuard, PoisonError};

pub(super) use tokio::sync::watch;

/// A poisoned lock still guards consistent data here: nothing panics half-way through a change.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
