//! Making a connection.

use std::io;
use std::net::{IpAddr, SocketAddr};

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{CONNECT_TIMEOUT, Failure};
use crate::sidecar::settings::UpstreamAddress;

/// Where connections go.
pub(super) enum Target {
    Address(SocketAddr),
    /// Looked up for every connection, as names move.
    Name(String, u16),
}

impl Target {
    pub(super) fn new(upstream: &UpstreamAddress) -> Self {
        match upstream.host.parse::<IpAddr>() {
            Ok(ip) => Self::Address(SocketAddr::new(ip, upstream.port)),
            Err(_) => Self::Name(upstream.host.clone(), upstream.port),
        }
    }

    pub(super) async fn connect(&self) -> Result<TokioIo<TcpStream>, Failure> {
        let stream = match timeout(CONNECT_TIMEOUT, self.open()).await {
            Ok(stream) => stream.map_err(Failure::Unreachable)?,
            Err(_) => return Err(Failure::ConnectTimeout),
        };
        // Small answers must not wait for acknowledgements of others.
        stream.set_nodelay(true).map_err(Failure::Unreachable)?;
        Ok(TokioIo::new(stream))
    }

    async fn open(&self) -> io::Result<TcpStream> {
        match self {
            Self::Address(address) => TcpStream::connect(address).await,
            Self::Name(name, port) => TcpStream::connect((name.as_str(), *port)).await,
        }
    }
}
