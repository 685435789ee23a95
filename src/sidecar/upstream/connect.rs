//! Making a connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::places::Places;
use super::reach::REACH;
use super::stream::Stream;
use super::{CONNECT_TIMEOUT, Failure};
use crate::sidecar::settings::UpstreamAddress;

/// Where connections go, and how many may.
pub(super) struct Target {
    address: Address,
    places: Arc<Places>,
}

enum Address {
    Socket(SocketAddr),
    /// Looked up for every connection, as names move.
    Name(String, u16),
}

impl Target {
    pub(super) fn new(upstream: &UpstreamAddress, places: Arc<Places>) -> Self {
        let address = match upstream.host.parse::<IpAddr>() {
            Ok(ip) => Address::Socket(SocketAddr::new(ip, upstream.port)),
            Err(_) => Address::Name(upstream.host.clone(), upstream.port),
        };
        Self { address, places }
    }

    pub(super) fn places(&self) -> &Arc<Places> {
        &self.places
    }

    /// Waits for a place too, all of it within [`CONNECT_TIMEOUT`].
    pub(super) async fn connect(&self) -> Result<TokioIo<Stream>, Failure> {
        match timeout(CONNECT_TIMEOUT, self.open()).await {
            Ok(Ok(stream)) => {
                REACH.found();
                Ok(TokioIo::new(stream))
            }
            Ok(Err(error)) => {
                REACH.lost(&error);
                Err(error.into())
            }
            Err(_) => {
                REACH.lost(&"no connection in time");
                Err(Failure::ConnectTimeout)
            }
        }
    }

    async fn open(&self) -> io::Result<Stream> {
        let place = self.places.take().await;
        let stream = match &self.address {
            Address::Socket(address) => TcpStream::connect(address).await?,
            Address::Name(name, port) => TcpStream::connect((name.as_str(), *port)).await?,
        };
        // Small answers must not wait for acknowledgements of others.
        stream.set_nodelay(true)?;
        Ok(Stream::new(stream, place))
    }
}
