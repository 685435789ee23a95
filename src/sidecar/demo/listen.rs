//! Where the demo API listens.

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::config_error::ConfigError;
use crate::env::Source;
use crate::sidecar::settings::loopback_socket;
use crate::testing::serve::LoopbackSocket;

const VARIABLE: &str = "PORTCULLIS_LISTEN";

const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// The configured address. Misspelt variables are faults here as they are anywhere.
pub(super) fn configured(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Option<SocketAddr>, ConfigError> {
    let mut source = Source::new(variables);
    let address = source.read(VARIABLE, |text| {
        let problem = "must be host:port with a loopback host, for example 127.0.0.1:8080";
        loopback_socket(text).ok_or_else(|| vec![problem.to_owned()])
    });
    source.finish(address.value())
}

/// Binds the configured address, or the default one; if that is taken, any free port.
pub(super) async fn bind(configured: Option<SocketAddr>) -> io::Result<LoopbackSocket> {
    match configured {
        None => bind_or_free_port(DEFAULT).await,
        Some(address) => LoopbackSocket::bind(address).await.map_err(|error| {
            io::Error::new(error.kind(), format!("{VARIABLE}: {address}: {error}"))
        }),
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

    fn read(name: &str, value: &str) -> Result<Option<SocketAddr>, ConfigError> {
        configured([(name.into(), value.into())])
    }

    #[tokio::test]
    async fn loopback_addresses_are_bound() {
        for value in ["127.0.0.1:0", "localhost:0", "127.1.2.3:0"] {
            let address = read(VARIABLE, value).unwrap();
            assert!(address.is_some());
            assert!(bind(address).await.is_ok(), "{value}");
        }
        assert_eq!(read(VARIABLE, ""), Ok(None));
        assert_eq!(configured([]), Ok(None));
    }

    #[test]
    fn everything_else_is_a_fault_of_the_configuration() {
        for value in
            ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "8080", ":8080", "127.0.0.1", "h.example:80"]
        {
            let error = read(VARIABLE, value).unwrap_err();
            assert_eq!(error.faults()[0].setting(), VARIABLE, "{value}");
        }
        let error = read("PORTCULLIS_LISTN", "127.0.0.1:0").unwrap_err().to_string();
        assert!(error.contains("did you mean PORTCULLIS_LISTEN?"), "{error}");
        let error = read("PORTCULLIS_LISTEN_FILE", "/nonexistent/listen").unwrap_err();
        assert_eq!(error.faults()[0].setting(), "PORTCULLIS_LISTEN_FILE");
    }

    #[tokio::test]
    async fn a_default_port_that_is_taken_is_replaced_and_a_configured_one_is_not() {
        let first = LoopbackSocket::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let second = bind_or_free_port(first.address()).await.unwrap();
        assert_ne!(first.address(), second.address());
        assert!(bind(Some(first.address())).await.is_err());
    }
}
