//! Where the demo API listens.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use crate::sidecar::Failure;
use crate::testing::serve::LoopbackSocket;

pub(super) const VARIABLE: &str = "PORTCULLIS_LISTEN";

const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Binds the configured address, or the default one; if that is taken, any free port.
pub(super) async fn bind(configured: Option<OsString>) -> Result<LoopbackSocket, Failure> {
    match configured.filter(|value| !value.is_empty()) {
        None => Ok(bind_or_free_port(DEFAULT).await?),
        Some(value) => {
            let address = value.to_str().and_then(parse).ok_or_else(|| {
                fault("must be host:port with a loopback host, for example 127.0.0.1:8080")
            })?;
            LoopbackSocket::bind(address).await.map_err(|error| match error.kind() {
                io::ErrorKind::InvalidInput => fault(&format!("{error}; the demo uses no other")),
                _ => io::Error::new(error.kind(), format!("{VARIABLE}: {address}: {error}")).into(),
            })
        }
    }
}

fn fault(problem: &str) -> Failure {
    Failure::Configuration { variable: VARIABLE, problem: problem.to_owned() }
}

/// No name but this one is looked up: others may lead anywhere.
fn parse(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into()),
        None => text.parse().ok(),
    }
}

async fn bind_or_free_port(address: SocketAddr) -> io::Result<LoopbackSocket> {
    match LoopbackSocket::bind(address).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            LoopbackSocket::bind(SocketAddr::new(address.ip(), 0)).await
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn loopback_addresses_are_bound() {
        for value in ["127.0.0.1:0", "localhost:0", "127.1.2.3:0"] {
            assert!(bind(Some(value.into())).await.is_ok(), "{value}");
        }
    }

    #[tokio::test]
    async fn everything_else_is_a_fault_of_the_configuration() {
        for value in
            ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "8080", ":8080", "127.0.0.1", "h.example:80"]
        {
            match bind(Some(value.into())).await {
                Err(Failure::Configuration { variable: VARIABLE, .. }) => {}
                Err(other) => panic!("{value}: {other}"),
                Ok(_) => panic!("{value} was bound"),
            }
        }
    }

    #[tokio::test]
    async fn a_default_port_that_is_taken_is_replaced_and_a_configured_one_is_not() {
        let first = LoopbackSocket::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let second = bind_or_free_port(first.address()).await.unwrap();
        assert_ne!(first.address(), second.address());
        let taken = bind(Some(first.address().to_string().into())).await.err().unwrap();
        assert!(matches!(taken, Failure::Io(_)), "{taken}");
    }
}
