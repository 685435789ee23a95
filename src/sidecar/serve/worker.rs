//! Workers: one thread for each processor, with a runtime of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use tokio::runtime::{self, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::connection::{Accepted, Protocols};
use super::logging::Log;
use crate::sidecar::access_log::AccessLog;
use crate::sidecar::proxy::{Proxy, Shared};
use crate::sidecar::settings::Settings;

/// All workers. Connections go to the one that has fewest.
pub(super) struct Workers(Vec<Worker>);

struct Worker {
    connections: UnboundedSender<Accepted>,
    load: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Workers {
    pub(super) fn start(shared: &Arc<Shared>, settings: &Settings, log: &Log) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let worker = |number| Worker::start(number, shared, settings, log.access());
        (0..count).map(worker).collect::<io::Result<_>>().map(Self)
    }

    pub(super) fn give(&self, connection: Accepted) {
        let Some(worker) = self.0.iter().min_by_key(|worker| worker.load.load(Ordering::Relaxed))
        else {
            return;
        };
        worker.load.fetch_add(1, Ordering::Relaxed);
        // A worker ends after the listener only.
        let _ = worker.connections.send(connection);
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
    fn start(
        number: usize,
        shared: &Arc<Shared>,
        settings: &Settings,
        log: AccessLog,
    ) -> io::Result<Self> {
        let (connections, incoming) = unbounded_channel();
        let load = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&load);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let proxy = Arc::new(Proxy::new(Arc::clone(shared), settings, log));
        let thread = thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || work(runtime, &proxy, incoming, &counted))?;
        Ok(Self { connections, load, thread })
    }
}

fn work(
    runtime: Runtime,
    proxy: &Arc<Proxy>,
    mut incoming: UnboundedReceiver<Accepted>,
    load: &Arc<AtomicUsize>,
) {
    let protocols = Arc::new(Protocols::new());
    runtime.block_on(async {
        while let Some(accepted) = incoming.recv().await {
            let serving = accepted.serve(Arc::clone(proxy), Arc::clone(&protocols));
            let load = Arc::clone(load);
            tokio::spawn(async move {
                serving.await;
                load.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    // Requests that are cut off here still have their lines.
    drop(runtime);
    proxy.log().flush();
}
