//! The keys of one issuer: discovered, fetched, kept, refreshed. Beside the road, never on it.
//!
//! 1. Requests read a snapshot without a lock ([`KeyStore::current`]), and wait for a fetch only
//!    when they cannot be judged otherwise, never longer than [`MAX_WAIT`].
//! 2. One attempt at a time per issuer ([`flights`]), by a task that belongs to the store: it
//!    fetches, sleeps until the next fetch is due, and so on ([`keeper`]). Where nobody drives that
//!    task, requests start the next fetch.
//! 3. When an attempt may start is one file without I/O ([`schedule`]): ahead of expiry; after
//!    failures at growing intervals; for unknown keys within a budget that failures use up too.
//! 4. Keys past their lifetime are used while the authorization server cannot be reached, and not
//!    merely because nobody asked it: the first request after a pause waits for fresh ones. Keys
//!    from the file of an earlier process are used until the first attempt of this one is over.
//! 5. A good answer replaces the snapshot as a whole: a key that is gone is gone. A bad answer
//!    replaces nothing ([`landing`]).

mod absent;
mod chance;
mod discovery;
mod due;
mod flights;
mod history;
mod keeper;
mod landing;
mod last_good;
mod lifetime;
mod load_error;
mod loaded;
mod memory;
#[cfg(feature = "metrics")]
mod metrics;
mod refresh;
mod report;
mod schedule;
mod settings;
mod shared;
mod snapshot;
mod source;
mod status;
mod store;
mod sync;

use std::time::Duration;

use tokio::time::Instant;

use chance::chance;
pub(crate) use discovery::Discovery;
pub(crate) use last_good::LastGoodFile;
pub(crate) use load_error::LoadError;
use loaded::Loaded;
pub(crate) use refresh::Refresh;
pub(crate) use settings::KeySettings;
pub(crate) use source::KeySource;
pub use status::{KeyFetches, KeyState, KeyStatus};
pub(crate) use store::{KeyStore, Missing};

/// The longest that a request waits for keys.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(2);

/// Whether a request may still wait for keys, or has to be judged by those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    MayWait,
    Exhausted,
}

#[cfg(test)]
mod tests;
