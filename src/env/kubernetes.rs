//! The variables that Kubernetes sets in every pod for each Service of its namespace.
//!
//! A Service `portcullis` or `portcullis-orders` makes them begin like ours. They are told by
//! their names; where a name could as well be somebody's idea of a setting (`PORTCULLIS_PORT`),
//! by the form of the value too.

use std::ffi::OsStr;

/// Whether Kubernetes sets this variable for some Service.
pub(super) fn is_service_link(name: &str, value: &OsStr) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if !name.bytes().all(upper) {
        return false;
    }
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.rsplit_once("_PORT_").is_some_and(|(_, rest)| is_numbered_port(rest))
        || (name.ends_with("_PORT") && is_address(value))
}

/// `80_TCP`, `80_TCP_PROTO`, `80_TCP_PORT`, `80_TCP_ADDR`.
fn is_numbered_port(text: &str) -> bool {
    let mut parts = text.split('_');
    parts.next().is_some_and(|number| number.parse::<u16>().is_ok())
        && parts.next().is_some_and(|protocol| matches!(protocol, "TCP" | "UDP" | "SCTP"))
        && parts.next().is_none_or(|last| matches!(last, "PROTO" | "PORT" | "ADDR"))
        && parts.next().is_none()
}

/// `tcp://10.0.0.1:80`.
fn is_address(value: &OsStr) -> bool {
    let value = value.to_str().unwrap_or_default();
    ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_kubernetes_sets_is_told() {
        for service in ["PORTCULLIS", "PORTCULLIS_ORDERS", "PORTCULLIS_ISSUER", "PORTCULLIS_2"] {
            for (rest, value) in [
                ("SERVICE_HOST", "10.96.7.7"),
                ("SERVICE_HOST", "fd00::7"),
                ("SERVICE_PORT", "8080"),
                ("SERVICE_PORT_HTTP", "8080"),
                ("SERVICE_PORT_HTTP_ADMIN", "9090"),
                ("PORT", "tcp://10.96.7.7:8080"),
                ("PORT", "udp://[fd00::7]:53"),
                ("PORT_8080_TCP", "tcp://10.96.7.7:8080"),
                ("PORT_8080_TCP_PROTO", "tcp"),
                ("PORT_8080_TCP_PORT", "8080"),
                ("PORT_8080_TCP_ADDR", "10.96.7.7"),
                ("PORT_53_UDP", "udp://10.96.7.7:53"),
                ("PORT_9_SCTP_ADDR", "10.96.7.7"),
            ] {
                let name = format!("{service}_{rest}");
                assert!(is_service_link(&name, value.as_ref()), "{name}={value}");
            }
        }
    }

    #[test]
    fn what_resembles_it_is_not_let_through() {
        for (name, value) in [
            ("PORTCULLIS_PORT", "8080"),
            ("PORTCULLIS_LISTEN_PORT", "8080"),
            ("PORTCULLIS_PORT", "0.0.0.0:8080"),
            ("PORTCULLIS_UPSTREAM_PORT", "http://127.0.0.1:80"),
            ("PORTCULLIS_SERVICE_HOSTS", "10.0.0.1"),
            ("PORTCULLIS_SERVICE_PORTS", "80"),
            ("PORTCULLIS_service_HOST", "10.0.0.1"),
            ("PORTCULLIS_SUPPORT", "tcp://10.0.0.1:80"),
            ("PORTCULLIS_PORT_HTTP_TCP", "tcp://10.0.0.1:80"),
            ("PORTCULLIS_PORT_80_HTTP", "tcp://10.0.0.1:80"),
            ("PORTCULLIS_PORT_80_TCP_X", "tcp://10.0.0.1:80"),
            ("PORTCULLIS_PORT_80_TCP_PORT_X", "80"),
            ("PORTCULLIS_PORT_80", "80"),
            ("PORTCULLIS_JWKS_URL", "tcp://10.0.0.1:80"),
            ("PORTCULLIS_SERVICE_HOST_FILE", "/x"),
        ] {
            assert!(!is_service_link(name, value.as_ref()), "{name}={value}");
        }
    }
}
