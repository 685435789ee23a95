//! Why there is no answer from the upstream.

use std::io;
use std::sync::Arc;

/// A request that the upstream did not answer. Shared by those who waited for the same connection.
#[derive(Debug, Clone)]
pub(in crate::sidecar) enum Failure {
    /// No connection could be made.
    Unreachable(Arc<io::Error>),
    /// No connection was made in time.
    ConnectTimeout,
    /// The connection ended, or what came over it was no HTTP.
    Broken(Arc<hyper::Error>),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Unreachable(Arc::new(error))
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        Self::Broken(Arc::new(error))
    }
}
