//! What stands before several sidecars: it sends nobody to one that is not ready.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{Answer, Connection, Sidecar};

/// A sidecar's protected port, and the one where it says whether it is ready.
#[derive(Clone, Copy)]
struct Place {
    address: SocketAddr,
    admin: SocketAddr,
}

/// Knows where sidecars are, and nothing else of them.
pub(crate) struct Balancer {
    places: Mutex<Vec<Place>>,
    next: AtomicUsize,
}

/// A client that keeps its connection until it is told to close it.
pub(crate) struct KeepAlive {
    balancer: Arc<Balancer>,
    connection: Option<Connection>,
}

impl Balancer {
    pub(crate) fn of<'s>(sidecars: impl IntoIterator<Item = &'s Sidecar>) -> Self {
        let places = sidecars.into_iter().map(Place::of).collect();
        Self { places: Mutex::new(places), next: AtomicUsize::new(0) }
    }

    /// Another process in the place of one that has ended.
    pub(crate) fn replace(&self, number: usize, sidecar: &Sidecar) {
        self.places.lock().unwrap()[number] = Place::of(sidecar);
    }

    /// The address of one that is ready, in turn.
    pub(crate) fn choose(&self) -> SocketAddr {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let places = self.places.lock().unwrap().clone();
        let mut in_turn = places.iter().cycle().skip(first % places.len()).take(places.len());
        in_turn.find(|place| place.is_ready()).expect("none is ready").address
    }
}

impl Place {
    fn of(sidecar: &Sidecar) -> Self {
        Self { address: sidecar.address(), admin: sidecar.admin() }
    }

    /// One that has ended is not.
    fn is_ready(&self) -> bool {
        let Some(mut connection) = Connection::try_open(self.admin) else { return false };
        connection.send(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        connection.answer().is_some_and(|answer| answer.status == 200)
    }
}

impl KeepAlive {
    pub(crate) fn new(balancer: &Arc<Balancer>) -> Self {
        Self { balancer: Arc::clone(balancer), connection: None }
    }

    /// Sent once.
    pub(crate) fn send(&mut self, request: &[u8]) -> Answer {
        let open = || Connection::open(self.balancer.choose());
        let mut connection = self.connection.take().unwrap_or_else(open);
        connection.send(request);
        let answer = connection.answer().expect("a request was lost");
        if answer.field("connection") != Some("close") {
            self.connection = Some(connection);
        }
        answer
    }
}
