//! Clients that go on and on, and never send a request twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// Threads at work. A request that fails is a panic of its thread, which `finish` passes on.
pub(crate) struct Load {
    is_over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<usize>>,
}

impl Load {
    /// As many clients as `client` has answers to their number; each call of one is a request.
    pub(crate) fn start<C>(clients: usize, client: impl Fn(usize) -> C) -> Self
    where
        C: FnMut() + Send + 'static,
    {
        let is_over = Arc::new(AtomicBool::new(false));
        let clients = (0..clients).map(|number| {
            let (mut request, is_over) = (client(number), Arc::clone(&is_over));
            thread::spawn(move || {
                let mut requests = 0;
                while !is_over.load(Ordering::Relaxed) {
                    request();
                    requests += 1;
                }
                requests
            })
        });
        Self { clients: clients.collect(), is_over }
    }

    /// How many requests were answered, all in all.
    pub(crate) fn finish(self) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        self.clients.into_iter().map(|client| client.join().unwrap()).sum()
    }
}
