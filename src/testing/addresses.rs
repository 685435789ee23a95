//! Where the endpoints of an issuer are (RFC 8414 §3.1, OpenID Connect Discovery 1.0 §4).

use url::{Origin, Url};

use crate::authentication::Preset;
use crate::fetch::AllowHttp;

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// An endpoint of an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Metadata,
    Jwks,
    Token,
    Introspection,
}

/// The issuer and the paths below it.
#[derive(Debug)]
pub(super) struct Addresses {
    issuer: String,
    origin: Origin,
    /// The issuer's path without a slash at its end.
    path: String,
}

impl Addresses {
    /// `issuer` is kept as it is written: resource servers compare it byte by byte.
    pub(super) fn new(issuer: String) -> Result<Self, &'static str> {
        let url = AllowHttp::Loopback.check(&issuer)?;
        if url.query().is_some() {
            return Err("must not have a query");
        }
        let path = url.path().trim_end_matches('/').to_owned();
        Ok(Self { issuer, origin: url.origin(), path })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn jwks_uri(&self) -> String {
        self.below("/jwks")
    }

    pub(super) fn token_endpoint(&self) -> String {
        self.below("/token")
    }

    pub(super) fn introspection_endpoint(&self) -> String {
        self.below("/introspect")
    }

    fn below(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.trim_end_matches('/'))
    }

    /// Whether a URL leads to this server at all.
    pub(super) fn is_origin_of(&self, url: &Url) -> bool {
        url.origin() == self.origin
    }

    /// What is at this path of the server.
    pub(super) fn endpoint(&self, path: &str) -> Option<Endpoint> {
        let own = &self.path;
        if [format!("{OAUTH}{own}"), format!("{OPENID}{own}"), format!("{own}{OPENID}")]
            .iter()
            .any(|known| known == path)
        {
            return Some(Endpoint::Metadata);
        }
        // At its own addresses, and where presets look for them that go without metadata.
        match path.strip_prefix(own.as_str())? {
            "/jwks" | Preset::WRISTBAND_KEYS => Some(Endpoint::Jwks),
            "/token" | Preset::MOBILEFIRST_TOKEN => Some(Endpoint::Token),
            "/introspect" | Preset::MOBILEFIRST_INTROSPECTION => Some(Endpoint::Introspection),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(issuer: &str) -> Addresses {
        Addresses::new(issuer.to_owned()).unwrap()
    }

    #[test]
    fn disc_01_disc_02_metadata_is_at_the_well_known_places() {
        for (issuer, path) in [
            ("https://h", "/.well-known/oauth-authorization-server"),
            ("https://h/", "/.well-known/openid-configuration"),
            ("https://h:8443/t", "/.well-known/oauth-authorization-server/t"),
            ("https://h:8443/t/", "/.well-known/openid-configuration/t"),
            ("https://h:8443/t", "/t/.well-known/openid-configuration"),
        ] {
            assert_eq!(at(issuer).endpoint(path), Some(Endpoint::Metadata), "{issuer} {path}");
        }
        assert_eq!(at("https://h/t").endpoint("/.well-known/openid-configuration"), None);
    }

    #[test]
    fn endpoints_are_below_the_issuer() {
        for issuer in ["https://h/t", "https://h/t/"] {
            let addresses = at(issuer);
            assert_eq!(addresses.issuer(), issuer);
            assert_eq!(addresses.jwks_uri(), "https://h/t/jwks");
            assert_eq!(addresses.token_endpoint(), "https://h/t/token");
            assert_eq!(addresses.endpoint("/t/jwks"), Some(Endpoint::Jwks));
            assert_eq!(addresses.endpoint("/t/token"), Some(Endpoint::Token));
            for path in ["/t/api/v1/oauth2/jwks", "/t/api/az/v1/token"] {
                assert!(addresses.endpoint(path).is_some(), "{path}");
            }
            for path in ["/jwks", "/t", "/t/", "/t/token/", "/T/token", "/tt/token"] {
                assert_eq!(addresses.endpoint(path), None, "{path}");
            }
        }
    }

    #[test]
    fn issuers_are_https_or_loopback() {
        for bad in ["http://h", "h", "", "https://h?x=1", "https://h#f", "https://u:p@h"] {
            assert!(Addresses::new(bad.to_owned()).is_err(), "{bad}");
        }
        let addresses = at("http://127.0.0.1:8080");
        assert!(addresses.is_origin_of(&Url::parse("http://127.0.0.1:8080/x").unwrap()));
        assert!(!addresses.is_origin_of(&Url::parse("http://127.0.0.1:8081/x").unwrap()));
        assert!(at("https://h").is_origin_of(&Url::parse("https://H:443/").unwrap()));
    }
}
