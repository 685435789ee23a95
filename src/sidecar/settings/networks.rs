//! The networks whose proxies are believed.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::env::{Problems, values};

/// Networks, by their addresses alone.
#[derive(Debug, Clone, Default)]
pub(in crate::sidecar) struct Networks(Vec<IpNet>);

impl Networks {
    pub(in crate::sidecar) fn contain(&self, address: IpAddr) -> bool {
        // A socket for both families writes IPv4 peers as IPv6 (RFC 4291 §2.5.5.2).
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether every address of a family is in one of them.
    pub(super) fn are_everything(&self) -> bool {
        self.0.iter().any(|network| network.prefix_len() == 0)
    }

    pub(in crate::sidecar) fn iter(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }
}

/// CIDRs; an address alone is a network of one.
pub(super) fn parse(text: &str) -> Result<Networks, Problems> {
    let networks = values::each_element(text, |element| {
        let network = match element.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => element.parse::<IpNet>().map_err(|_| {
                "must be a network such as 10.0.0.0/8 or fd00::/8, or an address".to_owned()
            })?,
        };
        if network.addr() != network.network() {
            return Err(format!(
                "has bits set beyond its prefix; did you mean {}?",
                network.trunc()
            ));
        }
        Ok(network)
    })?;
    Ok(Networks(networks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_addresses() {
        let networks = parse("10.0.0.0/8 192.0.2.7 fd00::/8").unwrap();
        for (address, inside) in [
            ("10.1.2.3", true),
            ("11.1.2.3", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("fd12::1", true),
            ("fe80::1", false),
            ("::ffff:10.1.2.3", true),
            ("::ffff:11.1.2.3", false),
        ] {
            assert_eq!(networks.contain(address.parse().unwrap()), inside, "{address}");
        }
        assert!(!Networks::default().contain([127, 0, 0, 1].into()));
    }

    #[test]
    fn a_network_of_all_addresses_is_noticed() {
        for (text, all) in [("0.0.0.0/0", true), ("10.0.0.0/8 ::/0", true), ("0.0.0.0/1", false)] {
            assert_eq!(parse(text).unwrap().are_everything(), all, "{text}");
        }
    }

    #[test]
    fn what_is_no_network_is_a_fault() {
        for bad in ["10.0.0.0/33", "10.0.0", "proxy.example", "*", "10.0.0.1/8"] {
            assert_eq!(parse(&format!("10.0.0.0/8 {bad}")).unwrap_err().len(), 1, "{bad}");
        }
    }
}
