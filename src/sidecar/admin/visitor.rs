//! Who may read the admin port: programs and people, and no page of another site.
//!
//! A browser that shows such a page can be made to send requests to addresses that only it can
//! reach. Its own scripts then read the answer where the name of that site has been made to lead
//! here (DNS rebinding), which the `Host` field gives away; other scripts send `Origin`.

use std::net::IpAddr;

use http::Request;
use http::header::{HOST, ORIGIN};

/// # Errors
/// Why not, for the one who asks.
pub(super) fn check<B>(request: &Request<B>, is_local: bool) -> Result<(), &'static str> {
    if request.headers().contains_key(ORIGIN) {
        return Err("Pages of other sites may not read this.");
    }
    // Where other machines may ask, they do so by whatever name they know this one by.
    if !is_local {
        return Ok(());
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    let is_own = match (first, request.uri().authority()) {
        // HTTP/1.0, which no browser speaks.
        (None, None) => true,
        (None, Some(authority)) => is_of_this_machine(authority.as_str()),
        (Some(host), authority) => [host.to_str().ok(), authority.map(|one| one.as_str())]
            .iter()
            .flatten()
            .all(|name| is_of_this_machine(name)),
    };
    let is_readable = first.is_none_or(|host| host.to_str().is_ok());
    if is_own && is_readable && second.is_none() {
        Ok(())
    } else {
        Err("Ask for this by its address or as localhost.")
    }
}

/// An address, which no name was looked up for, or `localhost`, which leads nowhere else.
fn is_of_this_machine(authority: &str) -> bool {
    let name = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split_once(':').map_or(authority, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, hosts: &[&str]) -> Request<()> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn a_local_port_is_asked_for_by_address_or_as_localhost() {
        for host in
            ["127.0.0.1:9090", "127.0.0.1", "localhost", "LocalHost:1", "[::1]:9090", "10.1.2.3"]
        {
            assert_eq!(check(&request("/", &[host]), true), Ok(()), "{host}");
        }
        for host in ["evil.example", "evil.example:9090", "localhost.evil.example", "", "[::1", "é"]
        {
            assert!(check(&request("/", &[host]), true).is_err(), "{host}");
            assert_eq!(check(&request("/", &[host]), false), Ok(()), "{host}");
        }
        assert_eq!(check(&request("/", &[]), true), Ok(()));
        assert!(check(&request("/", &["localhost", "evil.example"]), true).is_err());
        assert!(check(&request("http://evil.example/", &["localhost"]), true).is_err());
        assert!(check(&request("http://evil.example/", &[]), true).is_err());
        assert_eq!(check(&request("http://localhost/", &[]), true), Ok(()));
    }

    #[test]
    fn scripts_of_other_sites_are_refused_everywhere() {
        for origin in ["https://evil.example", "null", "http://localhost:9090"] {
            let mut request = request("/", &["localhost"]);
            request.headers_mut().insert(ORIGIN, origin.parse().unwrap());
            assert!(check(&request, true).is_err());
            assert!(check(&request, false).is_err());
        }
    }
}
