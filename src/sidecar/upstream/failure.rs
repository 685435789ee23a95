//! Why there is no answer from the upstream.

use std::io;

/// A request that the upstream did not answer.
#[derive(Debug)]
pub(in crate::sidecar) enum Failure {
    /// No connection could be made.
    Unreachable(io::Error),
    /// No connection was made in time.
    ConnectTimeout,
    /// The connection ended, or what came over it was no HTTP.
    Broken(hyper::Error),
}
