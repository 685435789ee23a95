//! Which URLs may be contacted.

use std::net::IpAddr;

use url::{Host, Url};

/// Where plain `http` is acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum AllowHttp {
    /// To this machine only.
    #[default]
    Loopback,
    /// Anywhere: whoever is on the path can then supply keys.
    Dangerously,
}

impl AllowHttp {
    /// A URL that keys may come from, or what is wrong with it.
    pub(crate) fn check(self, text: &str) -> Result<Url, &'static str> {
        // The parser would mend what is written otherwise, and the comparison with `iss` would not.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || !text.contains("://") {
            return Err("is not an absolute URL");
        }
        let url = Url::parse(text).map_err(|_| "is not an absolute URL")?;
        if url.host_str().is_none_or(|host| host.contains(',')) || url.port() == Some(0) {
            return Err("has no usable host and port");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user name or password");
        }
        if url.fragment().is_some() {
            return Err("must not have a fragment");
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if self == Self::Dangerously || is_loopback(&url) => Ok(url),
            "http" => Err("must be https (http is allowed to loopback addresses only)"),
            _ => Err("must be an https URL"),
        }
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disc_05_https_or_http_to_loopback() {
        for good in [
            "https://h",
            "https://h/t?x=1",
            "http://127.0.0.1:1",
            "http://localhost/t",
            "http://[::1]/",
        ] {
            assert!(AllowHttp::Loopback.check(good).is_ok(), "{good}");
        }
        for bad in [
            "http://h",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "ftp://h",
            "h",
            "",
            "https://u:p@h",
            "https://h#f",
            " https://h",
            "https://h\t",
            "https:h",
            "https:\\\\h",
            "https://h:0",
            "https://a,https://b",
            "https://hé",
            "file:///etc/passwd",
        ] {
            assert!(AllowHttp::Loopback.check(bad).is_err(), "{bad}");
        }
        assert!(AllowHttp::Dangerously.check("http://h").is_ok());
        assert!(AllowHttp::Dangerously.check("ftp://h").is_err());
    }
}
