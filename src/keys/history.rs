//! How the attempts went.

use std::sync::Arc;

use super::{Instant, LoadError};

/// What is told of past attempts.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) attempts: u64,
    /// The number of the last attempt that is written down here.
    pub(super) last: u64,
    pub(super) failed: u64,
    pub(super) unchanged: u64,
    pub(super) last_success: Option<Instant>,
    /// Of the last attempt.
    pub(super) last_error: Option<Arc<LoadError>>,
    /// What the last good attempt could do without.
    pub(super) trouble: Option<Arc<LoadError>>,
}

/// What about it is worth saying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// As before.
    None,
    /// It has begun, or is of another kind now.
    Worse,
    Over,
}

/// Whether an operator who knows of `before` learns something from `now`.
pub(super) fn change(before: Option<&Arc<LoadError>>, now: Option<&Arc<LoadError>>) -> Change {
    match (before, now) {
        (None, None) => Change::None,
        (Some(_), None) => Change::Over,
        (Some(before), Some(now)) if before.to_string() == now.to_string() => Change::None,
        (_, Some(_)) => Change::Worse,
    }
}
