//! The task that fetches: now, and again whenever it is due, for as long as its store lives.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::Instant;
use super::flights::Boarding;
use super::landing::Landing;
use super::schedule::Cause;
use super::shared::Shared;
use crate::fetch;

/// How long keys at hand wait for metadata, where a request may be waiting for the keys.
const GRACE: Duration = Duration::from_secs(1);
/// Where nobody waits: longer than metadata can take, wherever it is looked for.
const LONG_GRACE: Duration = fetch::TIMEOUT.saturating_mul(4);

/// A task that fetches. Dropping it ends the task.
#[derive(Debug)]
pub(super) struct Keeper {
    task: AbortHandle,
    began_with: u64,
}

impl Keeper {
    /// Carries out `attempt` and then stays.
    pub(super) fn start(runtime: &Handle, shared: Arc<Shared>, attempt: u64, cause: Cause) -> Self {
        let task = runtime.spawn(keep(shared, attempt, cause)).abort_handle();
        Self { task, began_with: attempt }
    }

    /// The number of its first attempt.
    pub(super) fn began_with(&self) -> u64 {
        self.began_with
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(shared: Arc<Shared>, mut attempt: u64, mut cause: Cause) {
    loop {
        let is_good = carry_out(&shared, attempt, cause).await;
        if is_good && let Some(written) = shared.remember() {
            // A failure is told of where it happens.
            let _ = written.await;
        }
        let Some(next) = shared.flights.look(|schedule| schedule.next()) else { return };
        tokio::time::sleep_until(next).await;
        let now = Instant::now();
        match shared.flights.board(Cause::Due, now, || false, |_| ()) {
            Boarding::Start(next) => attempt = next,
            // Somebody else has started an attempt, and with it another task.
            _ => return,
        }
        cause = Cause::Due;
        shared.depart(now);
    }
}

async fn carry_out(shared: &Shared, attempt: u64, cause: Cause) -> bool {
    // Before anything can fail: however this ends, the attempt is over then.
    let landing = Landing::of(shared, attempt);
    let known = shared.snapshot.load_full();
    let grace = match cause {
        Cause::NoKeys | Cause::UnknownKey => GRACE,
        Cause::Due | Cause::Asked => LONG_GRACE,
    };
    let known = known.as_ref().map(|known| &known.loaded);
    let result = shared.source.load(&shared.algorithms, known, grace).await;
    let is_good = result.is_ok();
    landing.with(result);
    is_good
}
