//! Addresses: where to listen, and where the service is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::Uri;
use http::uri::Scheme;

use crate::env::{Problems, Read, Source, values, variables};

pub(super) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const ADMIN_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);

/// The service behind the sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sidecar) struct UpstreamAddress {
    pub(in crate::sidecar) protocol: Protocol,
    /// A name, or an IP address without brackets.
    pub(in crate::sidecar) host: String,
    pub(in crate::sidecar) port: u16,
}

/// What the upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum Protocol {
    Http1,
    /// HTTP/2 without TLS, with prior knowledge (RFC 9113 §3.3).
    H2c,
}

impl UpstreamAddress {
    /// Where the variable is at fault, for the rest to be judged all the same.
    pub(super) fn stand_in() -> Self {
        Self { protocol: Protocol::Http1, host: "stand-in.invalid".to_owned(), port: 80 }
    }

    /// Whether connecting to it would lead back to a socket that listens here.
    pub(super) fn is(&self, listen: SocketAddr) -> bool {
        let ip = match self.host.as_str() {
            "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            host => host.parse().ok().map(|ip| match ip {
                // Connecting to nowhere leads to this machine.
                IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
                ip => ip,
            }),
        };
        let reached =
            |ip: IpAddr| ip == listen.ip() || (listen.ip().is_unspecified() && ip.is_loopback());
        self.port == listen.port() && ip.is_some_and(reached)
    }
}

impl fmt::Display for UpstreamAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.protocol {
            Protocol::Http1 => "http",
            Protocol::H2c => "h2c",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// `http://host:port`, or `h2c://host:port`.
pub(super) fn upstream(text: &str) -> Result<UpstreamAddress, Problems> {
    let problem = "must be http://host:port, for example http://127.0.0.1:3000 (h2c:// for HTTP/2)";
    let fault = || vec![problem.to_owned()];
    let uri: Uri = text.parse().map_err(|_| fault())?;
    let protocol = match uri.scheme().map(Scheme::as_str) {
        Some("http") => Protocol::Http1,
        Some("h2c") => Protocol::H2c,
        Some("https") => {
            return values::problem(
                "must be http://host:port: the way from the sidecar to its service is plain",
            );
        }
        _ => return Err(fault()),
    };
    let authority = uri.authority().ok_or_else(fault)?;
    if !matches!(uri.path(), "" | "/") {
        return values::problem(
            "must end after the port: requests keep their own path, and none can be put before it",
        );
    }
    if uri.query().is_some() || authority.as_str().contains('@') || text.contains('#') {
        return Err(fault());
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = match authority.port_u16() {
        Some(port) => port,
        None if authority.as_str().ends_with(authority.host()) => 80,
        None => return Err(fault()),
    };
    if host.is_empty() || port == 0 {
        return Err(fault());
    }
    Ok(UpstreamAddress { protocol, host: host.to_owned(), port })
}

/// The protected port and the admin port.
pub(super) fn listen(source: &mut Source) -> (SocketAddr, Option<SocketAddr>) {
    let listen = source.read(variables::LISTEN, |text| {
        socket(text).ok_or_else(|| {
            vec!["must be host:port with an IP address, for example 0.0.0.0:8080".to_owned()]
        })
    });
    let admin = source.read(variables::ADMIN_LISTEN, |text| match text {
        "off" => Ok(None),
        text => socket(text).map(Some).ok_or_else(|| {
            vec!["must be off, or host:port with an IP address, for example 127.0.0.1:9090".into()]
        }),
    });
    let listen = listen.value().unwrap_or(LISTEN);
    let admin = match admin {
        Read::Value(admin) => admin,
        Read::Unset => Some(ADMIN_LISTEN),
        Read::Unusable => None,
    };
    // Port 0 is another port each time.
    if admin.is_some_and(|admin| overlap(listen, admin)) {
        let problem = format!("must not be the address of {}", variables::LISTEN);
        source.fault(variables::ADMIN_LISTEN, problem);
    }
    (listen, admin)
}

fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.port() != 0 && (everywhere || one.ip() == other.ip())
}

/// No name but `localhost` is looked up: others may lead anywhere.
fn socket(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into()),
        None => text.parse().ok(),
    }
}

/// An address that nobody else's machine can reach.
pub(in crate::sidecar) fn loopback_socket(text: &str) -> Option<SocketAddr> {
    socket(text).filter(|address| address.ip().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_a_host_and_a_port() {
        for (text, shown) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://127.0.0.1:3000/", "http://127.0.0.1:3000"),
            ("http://orders.internal:80", "http://orders.internal:80"),
            ("http://orders", "http://orders:80"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://[::1]", "http://[::1]:80"),
            ("h2c://127.0.0.1:50051", "h2c://127.0.0.1:50051"),
            ("HTTP://localhost:1", "http://localhost:1"),
        ] {
            assert_eq!(upstream(text).unwrap().to_string(), shown, "{text}");
        }
        for bad in [
            "127.0.0.1:3000",
            "localhost",
            "https://127.0.0.1:3000",
            "ftp://127.0.0.1",
            "http://127.0.0.1:3000/api",
            "http://127.0.0.1:3000?x",
            "http://127.0.0.1:3000/#x",
            "http://user:secret@127.0.0.1:3000",
            "http://127.0.0.1:0",
            "http://127.0.0.1:99999",
            "http://127.0.0.1:",
            "http://",
            "http://:80",
            "http://a b",
        ] {
            let problems = upstream(bad).unwrap_err();
            assert!(!problems.concat().contains("secret"), "{problems:?}");
        }
    }

    #[test]
    fn a_path_is_told_as_the_fault() {
        let problems = upstream("http://localhost:3000/api").unwrap_err();
        assert!(problems.concat().starts_with("must end after the port"), "{problems:?}");
    }

    #[test]
    fn an_upstream_that_leads_back_is_noticed() {
        let to = |text: &str| upstream(text).unwrap();
        let at = |text: &str| text.parse().unwrap();
        assert!(to("http://127.0.0.1:8080").is(at("127.0.0.1:8080")));
        assert!(to("http://localhost:8080").is(at("127.0.0.1:8080")));
        assert!(to("http://127.0.0.1:8080").is(at("0.0.0.0:8080")));
        assert!(to("http://[::1]:8080").is(at("[::]:8080")));
        assert!(to("http://0.0.0.0:8080").is(at("127.0.0.1:8080")));
        assert!(to("http://[::]:8080").is(at("[::1]:8080")));
        assert!(!to("http://127.0.0.1:8081").is(at("127.0.0.1:8080")));
        assert!(!to("http://10.0.0.1:8080").is(at("0.0.0.0:8080")));
    }

    #[test]
    fn loopback_is_loopback() {
        for good in ["127.0.0.1:0", "localhost:80", "127.1.2.3:1", "[::1]:80"] {
            assert!(loopback_socket(good).is_some(), "{good}");
        }
        for bad in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "8080", ":8080", "h.example:80", ""] {
            assert!(loopback_socket(bad).is_none(), "{bad}");
        }
    }
}
