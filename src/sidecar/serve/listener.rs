//! The protected port: connections come in here and go to a worker.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::unconstrained;
use tokio::time::sleep;

use super::connection::Accepted;
use super::tls::Tls;
use super::worker::Workers;
use crate::sidecar::drain::{Drain, Guest};
use crate::sidecar::proxy::Peer;
use crate::sidecar::settings::Networks;

/// After a failure to accept, most likely for want of files.
const PAUSE: Duration = Duration::from_millis(50);

/// Files that are left to everything but connections of clients: keys, logs, the admin port.
const RESERVED_FILES: u64 = 100;

pub(super) struct Listener {
    socket: TcpListener,
    workers: Workers,
    guest: Guest,
    tls: Option<Arc<Tls>>,
    trusted: Networks,
    /// A place for each connection, so that those to the upstream find a file too. Who finds none
    /// waits in the queue of the system.
    places: Arc<Semaphore>,
}

impl Listener {
    pub(super) fn new(
        socket: TcpListener,
        workers: Workers,
        drain: &Drain,
        tls: Option<Arc<Tls>>,
        trusted: Networks,
    ) -> Self {
        let places = Arc::new(Semaphore::new(most_connections()));
        Self { socket, workers, guest: drain.guest(), tls, trusted, places }
    }

    /// Waits for a connection and hands it over. Nothing is lost when it is dropped.
    pub(super) async fn accept(&self) {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
        match self.socket.accept().await {
            Ok((stream, address)) => self.hand_over(stream, address.ip(), place),
            // A connection that has ended already, or too many open files: others may close some.
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection");
                sleep(PAUSE).await;
            }
        }
    }

    /// Takes what has come already, all of it at once, and closes the port.
    pub(super) fn close(self) -> Workers {
        while let Ok(place) = Arc::clone(&self.places).try_acquire_owned()
            && let Some(Ok((stream, address))) = unconstrained(self.socket.accept()).now_or_never()
        {
            self.hand_over(stream, address.ip(), place);
        }
        self.workers
    }

    fn hand_over(
        &self,
        stream: TcpStream,
        address: std::net::IpAddr,
        place: tokio::sync::OwnedSemaphorePermit,
    ) {
        let handed = stream.set_nodelay(true).and_then(|()| stream.into_std()).map(|stream| {
            let peer = Peer::new(address, self.tls.is_some(), &self.trusted, self.guest.clone());
            Accepted { stream, peer, tls: self.tls.clone(), place, load: None }
        });
        match handed {
            Ok(accepted) => self.workers.give(accepted),
            Err(error) => tracing::debug!(%error, "a connection has ended already"),
        }
    }
}

/// Half of what may be open, as each connection may need one to the upstream.
fn most_connections() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let connections = files.saturating_sub(RESERVED_FILES) / 2;
    usize::try_from(connections).unwrap_or(usize::MAX).clamp(16, Semaphore::MAX_PERMITS)
}
