//! The keys of one issuer: discovered, fetched, kept, refreshed. Beside the road, never on it.
//!
//! 1. Requests read a snapshot without a lock ([`KeyStore::current`]).
//! 2. One fetch at a time per issuer; it runs in a task of its own, so a client that hangs up
//!    takes nothing with it ([`flight`]).
//! 3. A request waits for a fetch only when it cannot be judged otherwise, and never longer than
//!    [`MAX_WAIT`].
//! 4. Keys past their lifetime are used while the authorization server cannot be reached, and not
//!    merely because nobody asked it: the first request after a pause waits for fresh ones.
//! 5. A good answer replaces the snapshot as a whole: a key that is gone is gone. A bad answer
//!    replaces nothing.

mod discovery;
mod flight;
#[allow(dead_code, reason = "the store does not ask it yet")]
mod last_good;
mod schedule;
mod shared;
mod snapshot;
mod source;
mod store;

use std::time::Duration;

pub(crate) use flight::Refresh;
pub(crate) use last_good::LastGoodFile;
pub(crate) use source::{KeySource, LoadError};
pub(crate) use store::{KeyStore, Missing};

/// The longest that a request waits for keys.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(2);

/// Whether a request may still wait for keys, or has to be judged by those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    MayWait,
    Exhausted,
}
