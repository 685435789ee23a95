//! The task that fetches: now, and again whenever it is due, for as long as its store lives.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::Instant;
use super::discovery::{Discovered, LateMetadata};
use super::flights::Boarding;
use super::landing::Landing;
use super::loaded::Known;
use super::schedule::Cause;
use super::shared::Shared;

/// A task that fetches. Dropping it ends the task.
#[derive(Debug)]
pub(super) struct Keeper {
    task: AbortHandle,
    began_with: u64,
}

impl Keeper {
    /// Carries out `attempt` and then stays.
    pub(super) fn start(runtime: &Handle, shared: Arc<Shared>, attempt: u64, cause: Cause) -> Self {
        // Here and not in the task, which may be dropped before it has run at all.
        let landing = Landing::of(Arc::clone(&shared), attempt);
        let task = runtime.spawn(keep(shared, landing, cause)).abort_handle();
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

async fn keep(shared: Arc<Shared>, mut landing: Landing, mut cause: Cause) {
    loop {
        let (is_good, late) = carry_out(&shared, landing, cause).await;
        if is_good && let Some(written) = shared.remember() {
            // A failure is told of where it happens.
            let _ = written.await;
        }
        if let Some(late) = late {
            let metadata = late.await;
            let now = Instant::now();
            if shared.note_metadata(metadata, now) {
                shared.flights.change(|schedule| schedule.try_soon(now));
            }
        }
        let Some(next) = shared.flights.look(|schedule| schedule.next()) else { return };
        tokio::time::sleep_until(next).await;
        let now = Instant::now();
        landing = match shared.flights.board(Cause::Due, now, || false, |_| ()) {
            Boarding::Start(attempt) => Landing::of(Arc::clone(&shared), attempt),
            // Somebody else has started an attempt, and with it another task.
            _ => return,
        };
        cause = Cause::Due;
        shared.depart(now);
    }
}

async fn carry_out(
    shared: &Shared,
    landing: Landing,
    cause: Cause,
) -> (bool, Option<LateMetadata>) {
    let snapshot = shared.snapshot.load_full();
    let known = Known {
        keys: snapshot.as_ref().map(|snapshot| &snapshot.loaded),
        // A key is missing: should the server be wrong about its versions, this finds it.
        ask_for_changes_only: cause != Cause::UnknownKey,
    };
    let metadata = shared.metadata.load_full();
    let (result, discovered) = shared.source.load(&shared.algorithms, known, metadata).await;
    let is_good = result.is_ok();
    let (metadata, late) = match discovered {
        Discovered::Nothing => (None, None),
        Discovered::Metadata(metadata) => (Some(metadata), None),
        Discovered::Late(late) => (None, Some(late)),
    };
    landing.with(result, metadata);
    (is_good, late)
}
