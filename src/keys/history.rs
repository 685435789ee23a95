//! How the attempts went.

use std::sync::Arc;

use super::LoadError;

/// What is told of past attempts.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) attempts: u64,
    /// The number of the last attempt that is written down here.
    pub(super) last: u64,
    pub(super) failed: u64,
    pub(super) unchanged: u64,
    pub(super) troubles: Troubles,
}

/// What is wrong now.
#[derive(Debug, Clone, Default)]
pub(super) struct Troubles {
    /// Of the last attempt.
    pub(super) last_error: Option<Arc<LoadError>>,
    /// What the last good attempt could do without.
    pub(super) metadata: Option<Arc<LoadError>>,
}
