//! `portcullis serve`.

use std::io;

use super::Failure;

/// Runs until it is told to end.
pub(super) fn run() -> Result<(), Failure> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the command \"serve\" is not there yet").into())
}
