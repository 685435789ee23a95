//! The protected port: connections come in here and go to a worker.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::unconstrained;
use tokio::time::sleep;

use super::connection::Accepted;
use super::tls::Tls;
use super::worker::Workers;
use crate::sidecar::drain::{Drain, Guest};
use crate::sidecar::proxy::Peer;
use crate::sidecar::seat::Seat;
use crate::sidecar::settings::Networks;

/// After a failure to accept, most likely for want of files.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Listener {
    socket: TcpListener,
    workers: Workers,
    guest: Guest,
    tls: Option<Arc<Tls>>,
    trusted: Networks,
    /// A place for each connection. Who finds none waits in the queue of the system.
    places: Arc<Semaphore>,
}

impl Listener {
    /// Takes as many connections as `most`, at once.
    pub(super) fn new(
        socket: TcpListener,
        most: usize,
        workers: Workers,
        drain: &Drain,
        tls: Option<Arc<Tls>>,
        trusted: Networks,
    ) -> Self {
        let places = Arc::new(Semaphore::new(most));
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

    fn hand_over(&self, stream: TcpStream, address: IpAddr, place: OwnedSemaphorePermit) {
        let stream = match stream.set_nodelay(true).and_then(|()| stream.into_std()) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection has ended already");
                return;
            }
        };
        self.workers.give(|load| {
            let (seat, guest) = (Seat::new(place, load), self.guest.clone());
            let peer = Peer::new(address, self.tls.is_some(), &self.trusted, guest, seat);
            Accepted { stream, peer, tls: self.tls.clone() }
        });
    }
}
