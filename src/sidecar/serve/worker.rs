//! Workers: one thread for each processor, with a runtime of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use tokio::runtime::{self, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::connection::Accepted;
use super::logging::Log;
use super::protocols::Protocols;
use crate::sidecar::desk::Shared;
use crate::sidecar::front::Front;
use crate::sidecar::seat::Load;
use crate::sidecar::settings::Settings;
use crate::sidecar::upstream::Places;

/// All workers. Connections go to the one that has fewest.
pub(super) struct Workers(Vec<Worker>);

struct Worker {
    connections: UnboundedSender<Accepted>,
    load: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Workers {
    /// How many there are.
    pub(super) fn usual() -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }

    pub(super) fn start(
        shared: &Arc<Shared>,
        settings: &Settings,
        places: &Arc<Places>,
        log: &Log,
    ) -> io::Result<Self> {
        let worker = |number| {
            let front = Front::new(Arc::clone(shared), settings, Arc::clone(places), log.access());
            Worker::start(number, front)
        };
        (0..Self::usual()).map(worker).collect::<io::Result<_>>().map(Self)
    }

    /// Gives a connection to the one that it is told to count for.
    pub(super) fn give(&self, connection: impl FnOnce(Load) -> Accepted) {
        let Some(worker) = self.0.iter().min_by_key(|worker| worker.load.load(Ordering::Relaxed))
        else {
            return;
        };
        // A worker ends after the listener only.
        let _ = worker.connections.send(connection(Load::one_more(&worker.load)));
    }

    pub(super) fn connections(&self) -> usize {
        self.0.iter().map(|worker| worker.load.load(Ordering::Relaxed)).sum()
    }

    /// Ends what is still open.
    pub(super) fn stop(self) {
        let stopped = self.0.into_iter().map(|worker| worker.thread);
        let threads: Vec<_> = stopped.collect();
        for thread in threads {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

impl Worker {
    fn start(number: usize, front: Front) -> io::Result<Self> {
        let (connections, incoming) = unbounded_channel();
        let load = Arc::new(AtomicUsize::new(0));
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let front = Arc::new(front);
        let thread = thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || work(runtime, &front, incoming))?;
        Ok(Self { connections, load, thread })
    }
}

fn work(runtime: Runtime, front: &Arc<Front>, mut incoming: UnboundedReceiver<Accepted>) {
    let protocols = Arc::new(Protocols::new());
    runtime.block_on(async {
        while let Some(accepted) = incoming.recv().await {
            tokio::spawn(accepted.serve(Arc::clone(front), Arc::clone(&protocols)));
        }
    });
    // Requests that are cut off here still have their lines.
    front.end();
    drop(runtime);
    front.log().flush();
}
