//! A connection while an answer is read from it.

use std::sync::Arc;
use std::time::Instant;

use super::idle::{Connection, Idle};

/// Keeps a connection for one exchange. Given back when the answer has been read to its end;
/// dropped before that, the connection ends, as what is left in it is of no use to anybody.
pub(in crate::sidecar) struct Lease<B>(Option<(Arc<Idle<B>>, Connection<B>)>);

impl<B> Lease<B> {
    pub(super) fn new(idle: Arc<Idle<B>>, connection: Connection<B>) -> Self {
        Self(Some((idle, connection)))
    }

    /// Of a connection that many requests share.
    pub(super) fn shared() -> Self {
        Self(None)
    }

    /// Takes a part of the answer; `take` says whether it was the last one.
    pub(in crate::sidecar) fn take<T>(&self, take: impl FnOnce() -> (T, bool)) -> T {
        match &self.0 {
            Some((_, connection)) => connection.bell().muffled(take),
            None => take().0,
        }
    }

    pub(in crate::sidecar) fn give_back(&mut self, now: Instant) {
        if let Some((idle, connection)) = self.0.take() {
            idle.push(connection, now);
        }
    }
}
