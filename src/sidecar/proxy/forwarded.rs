//! Where a request comes from: `Forwarded` (RFC 7239) and the `X-Forwarded-*` that came before it.
//!
//! Both say the same. A trusted proxy's account is extended by this hop; anybody else's has been
//! removed before, and this hop is all there is to tell. A trusted proxy that gives one of the two
//! accounts gets no other beside it, which could only tell of this hop and so contradict.

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Peer;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

pub(super) fn set(headers: &mut HeaderMap, host: &HeaderValue, peer: &Peer) {
    let tells =
        |names: &[HeaderName]| peer.trusted && names.iter().any(|name| headers.contains_key(name));
    let (in_old_words, in_new_words) = (tells(&[FOR, HOST, PROTO]), tells(&[FORWARDED]));
    if (in_new_words || !in_old_words)
        && let Some(element) = peer.forwarded(host)
    {
        extend(headers, FORWARDED, element, peer.trusted);
    }
    if in_old_words || !in_new_words {
        set_old_words(headers, host, peer);
    }
}

fn set_old_words(headers: &mut HeaderMap, host: &HeaderValue, peer: &Peer) {
    if let Some(address) = &peer.forwarded_for {
        extend(headers, FOR, address.clone(), peer.trusted);
    }
    // What the first proxy saw is what counts, and the client speaks to the first one.
    let is_told = |headers: &HeaderMap, name| peer.trusted && headers.contains_key(name);
    if !host.is_empty() && !is_told(headers, HOST) {
        headers.insert(HOST, host.clone());
    }
    if !is_told(headers, PROTO) {
        headers.insert(PROTO, HeaderValue::from_static(peer.scheme));
    }
}

fn extend(headers: &mut HeaderMap, name: HeaderName, last: HeaderValue, trusted: bool) {
    if !trusted || !headers.contains_key(&name) {
        headers.insert(name, last);
        return;
    }
    let mut list = Vec::new();
    for line in headers.get_all(&name) {
        list.extend_from_slice(line.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(last.as_bytes());
    if let Ok(list) = HeaderValue::from_bytes(&list) {
        headers.insert(name, list);
    }
}

/// The address of the client as a trusted proxy tells it: the last one in the list that is no
/// trusted proxy's.
pub(super) fn client<'a>(
    headers: &'a HeaderMap,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let lines: Vec<&'a [u8]> = headers.get_all(FOR).iter().map(HeaderValue::as_bytes).collect();
    let mut last = None;
    for address in lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b',')) {
        let address = std::str::from_utf8(address.trim_ascii()).ok()?;
        let Some(address) = without_port(address) else { break };
        last = Some(address);
        if !is_trusted(address) {
            break;
        }
    }
    last
}

/// Some proxies write the port too.
fn without_port(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

/// `for=…;host=…;proto=…`.
pub(super) fn element(address: IpAddr, host: &HeaderValue, scheme: &str) -> Option<HeaderValue> {
    let node = match address {
        IpAddr::V4(address) => format!("for={address}"),
        IpAddr::V6(address) => format!("for=\"[{address}]\""),
    };
    let host = host.to_str().ok()?;
    let element = if host.is_empty() {
        format!("{node};proto={scheme}")
    } else {
        // A host holds neither quotes nor backslashes.
        format!("{node};host=\"{host}\";proto={scheme}")
    };
    HeaderValue::from_str(&element).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidecar::drain::Drain;
    use crate::sidecar::seat::Seat;
    use crate::sidecar::settings::Networks;

    fn after(address: &str, trusted: bool, before: &[(&'static str, &'static str)]) -> HeaderMap {
        let guest = Drain::new().guest();
        let (networks, seat) = (Networks::default(), Seat::somewhere());
        let mut peer = Peer::new(address.parse().unwrap(), true, &networks, guest, seat);
        peer.trusted = trusted;
        let mut headers: HeaderMap = before
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        set(&mut headers, &HeaderValue::from_static("api.example:8443"), &peer);
        headers
    }

    #[test]
    fn this_hop_is_told() {
        let headers = after("192.0.2.1", false, &[]);
        assert_eq!(headers[FOR], "192.0.2.1");
        assert_eq!(headers[HOST], "api.example:8443");
        assert_eq!(headers[PROTO], "https");
        assert_eq!(headers[FORWARDED], "for=192.0.2.1;host=\"api.example:8443\";proto=https");
        let headers = after("2001:db8::1", false, &[]);
        assert_eq!(headers[FOR], "2001:db8::1");
        assert!(headers[FORWARDED].to_str().unwrap().starts_with("for=\"[2001:db8::1]\";"));
        assert_eq!(after("::ffff:192.0.2.1", false, &[])[FOR], "192.0.2.1");
    }

    #[test]
    fn a_trusted_account_is_extended_and_its_host_and_scheme_stay() {
        let before = [
            ("x-forwarded-for", "198.51.100.7"),
            ("x-forwarded-for", "10.0.0.9"),
            ("x-forwarded-host", "shop.example"),
            ("x-forwarded-proto", "http"),
            ("forwarded", "for=198.51.100.7"),
        ];
        let headers = after("10.0.0.1", true, &before);
        assert_eq!(headers.get_all(FOR).iter().count(), 1);
        assert_eq!(headers[FOR], "198.51.100.7, 10.0.0.9, 10.0.0.1");
        assert_eq!(headers[HOST], "shop.example");
        assert_eq!(headers[PROTO], "http");
        assert_eq!(
            headers[FORWARDED],
            "for=198.51.100.7, for=10.0.0.1;host=\"api.example:8443\";proto=https"
        );
        let headers = after("10.0.0.1", false, &before);
        assert_eq!(headers[FOR], "10.0.0.1");
        assert_eq!(headers[HOST], "api.example:8443");
        assert_eq!(headers[PROTO], "https");
    }

    #[test]
    fn a_trusted_account_is_not_contradicted_in_other_words() {
        let headers = after("10.0.0.1", true, &[("x-forwarded-proto", "http")]);
        assert_eq!(headers[PROTO], "http");
        assert_eq!(headers[FOR], "10.0.0.1");
        assert!(!headers.contains_key(FORWARDED), "{headers:?}");
        let headers = after("10.0.0.1", true, &[("forwarded", "for=198.51.100.7;proto=http")]);
        assert!(
            headers[FORWARDED].to_str().unwrap().starts_with("for=198.51.100.7;proto=http, for=")
        );
        for name in [FOR, HOST, PROTO] {
            assert!(!headers.contains_key(&name), "{headers:?}");
        }
        // Without any account there is nothing to contradict, and from others nothing counts.
        for (trusted, before) in [(true, &[][..]), (false, &[("x-forwarded-proto", "http")])] {
            let headers = after("10.0.0.1", trusted, before);
            assert!(headers.contains_key(FORWARDED) && headers[PROTO] == "https", "{headers:?}");
        }
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_proxys() {
        for (list, expected) in [
            ("198.51.100.7", Some("198.51.100.7")),
            ("203.0.113.1, 198.51.100.7, 10.0.0.9", Some("198.51.100.7")),
            ("10.0.0.8, 10.0.0.9", Some("10.0.0.8")),
            ("198.51.100.7:555, 10.0.0.9", Some("198.51.100.7")),
            ("[2001:db8::1]:555", Some("2001:db8::1")),
            ("unknown", None),
            ("unknown, 10.0.0.9", Some("10.0.0.9")),
            ("", None),
        ] {
            let headers: HeaderMap = [(FOR, HeaderValue::from_static(list))].into_iter().collect();
            let found = client(&headers, |ip| ip.to_string().starts_with("10."));
            assert_eq!(found.map(|ip| ip.to_string()).as_deref(), expected, "{list}");
        }
    }
}
