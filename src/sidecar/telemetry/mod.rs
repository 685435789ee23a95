//! What the proxy tells about the requests it has answered.
//!
//! 1. Telling costs a request no lock, no allocation and no line of memory that worker threads
//!    share: each thread counts in a [`Shard`] of its own.
//! 2. Whoever reads sums up the shards ([`Reading`]); nothing is worked out before that.
//! 3. What is told is an [`Outcome`], which holds nothing of the request: no token, subject or path
//!    can get into what is made of it.

mod dialect;
mod exposition;
mod families;
mod histogram;
mod outcome;
mod process;
mod reading;
mod recent;
mod reloads;
mod shard;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use thread_local::ThreadLocal;
use tokio::time::Instant;

pub(in crate::sidecar) use dialect::Dialect;
pub(in crate::sidecar) use exposition::exposition;
pub(in crate::sidecar) use outcome::{BadRequest, Class, Outcome, UpstreamFailure};
pub(in crate::sidecar) use reading::{Counts, Reading};
use recent::Recent;
pub(in crate::sidecar) use reloads::{Reloads, Watched, WatchedState};
pub(in crate::sidecar) use shard::InFlight;
use shard::Shard;

use super::log_writer::Lost;
use crate::keys::KeyFetches;
use crate::resource_server::ResourceServer;

/// Counts of one running proxy.
pub(in crate::sidecar) struct Telemetry {
    server: ResourceServer,
    started: Instant,
    started_at: SystemTime,
    shards: ThreadLocal<Shard>,
    recent: Mutex<Recent>,
    logs: Vec<(&'static str, Lost)>,
}

impl Telemetry {
    /// Starts with nothing counted. `server` is the one whose keys and tokens are told of.
    pub(in crate::sidecar) fn new(server: ResourceServer) -> Self {
        Self {
            server,
            started: Instant::now(),
            started_at: SystemTime::now(),
            shards: ThreadLocal::new(),
            recent: Mutex::default(),
            logs: Vec::new(),
        }
    }

    /// Tells of lines of these logs that were not written too.
    pub(in crate::sidecar) fn with_logs(self, logs: Vec<(&'static str, Lost)>) -> Self {
        Self { logs, ..self }
    }

    /// A request that is being answered as long as the guard lives, on whatever thread.
    pub(in crate::sidecar) fn in_flight(&self) -> InFlight {
        self.shard().in_flight()
    }

    /// A request that was answered, and how long it took from its header to the last byte.
    pub(in crate::sidecar) fn record(&self, outcome: Outcome, took: Duration) {
        self.shard().record(outcome, took);
    }

    /// What was counted since the start.
    pub(in crate::sidecar) fn read(&self) -> Reading {
        self.shards.iter().collect()
    }

    /// Notes what was counted up to now, for [`since`](Self::since). To be called every
    /// [`SAMPLE_EVERY`](Self::SAMPLE_EVERY).
    pub(in crate::sidecar) fn sample(&self, now: Instant) {
        let counts = self.read().requests;
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).sample(now, counts);
    }

    pub(in crate::sidecar) const SAMPLE_EVERY: Duration = recent::EVERY;

    /// What of `counts`, which were read just now, came in the last minutes: at most fifteen, and
    /// exact to one sample.
    pub(in crate::sidecar) fn since(&self, ago: Duration, counts: &Counts, now: Instant) -> Counts {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.before(ago, now).map_or_else(|| counts.clone(), |before| counts.without(before))
    }

    pub(in crate::sidecar) fn server(&self) -> &ResourceServer {
        &self.server
    }

    /// Since when it counts, by the monotonic clock.
    pub(in crate::sidecar) fn started(&self) -> Instant {
        self.started
    }

    fn shard(&self) -> &Shard {
        self.shards.get_or(Shard::default)
    }
}

/// Attempts that brought other keys.
pub(in crate::sidecar) fn changes(fetches: KeyFetches) -> u64 {
    fetches.attempts.saturating_sub(fetches.failed).saturating_sub(fetches.unchanged)
}

#[cfg(test)]
mod tests;
