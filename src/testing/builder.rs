//! Configuration of an authority: collected first, checked as a whole.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::Authority;
use super::addresses::Addresses;
use super::clock::ManualClock;
use super::in_process::exchange;
use super::serve::LoopbackSocket;
use super::state::{Settings, State};
use crate::config_error::{ConfigError, Faults};
use crate::jose::Algorithm;

const ISSUER: &str = "https://authority.example";
const AUDIENCE: &str = "https://api.example.com";
/// Of tokens from the token endpoint.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// ES256 first, as nothing is faster to sign with; the rest is [`Algorithm::DEFAULT`].
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::Ed25519,
    Algorithm::RS256,
    Algorithm::PS256,
];

/// Configures an [`Authority`].
///
/// ```
/// use portcullis::{Algorithm, testing::Authority};
///
/// let authority = Authority::builder()
///     .issuer("https://login.example.com/tenant/")
///     .audience("orders-api")
///     .algorithms([Algorithm::RS256])
///     .build()?;
/// assert_eq!(authority.issuer_url(), "https://login.example.com/tenant/");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct AuthorityBuilder {
    issuer: Option<String>,
    audiences: Vec<String>,
    algorithms: Option<Vec<Algorithm>>,
    clock: ManualClock,
    token_lifetime: Option<Duration>,
    opaque_tokens: bool,
}

impl AuthorityBuilder {
    /// The issuer URL, exactly as it will stand in `iss`. Default: `https://authority.example`.
    ///
    /// On a socket, the socket's address takes the place of scheme, host and port; the path stays.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Whom tokens are for. May be called several times: the first is the default, and clients of
    /// the token endpoint can choose among all of them by `resource` or `audience`. Default:
    /// `https://api.example.com`.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The algorithms whose keys are published and that [`Authority::issuer`] allows. Tokens are
    /// signed by the first unless they [say otherwise](super::TokenBuilder::algorithm).
    ///
    /// Default: ES256, ES384, EdDSA, Ed25519, RS256, PS256. The RSA keys of this default, which
    /// take long to make, are published from the first token on that is signed with one; those of
    /// a list of your own are there from the start.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// The clock by which tokens are dated. Default: one that [stands still](ManualClock::new).
    ///
    /// A server that runs for long, or that clients in other processes use, wants one that
    /// [runs](ManualClock::running).
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = clock;
        self
    }

    /// How long tokens from the token endpoint live. Default: one hour. (Minted ones live 300
    /// seconds, see [`TokenBuilder::expires_in`](super::TokenBuilder::expires_in).)
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = Some(lifetime);
        self
    }

    /// Tokens from the token endpoint are opaque: only the
    /// [introspection endpoint](Authority::introspection_endpoint) knows what they mean. Default:
    /// they are JWTs.
    pub fn opaque_tokens(mut self) -> Self {
        self.opaque_tokens = true;
        self
    }

    /// An authority without a socket.
    ///
    /// # Errors
    /// Every fault that was found.
    pub fn build(self) -> Result<Authority, ConfigError> {
        let issuer = self.issuer.clone().unwrap_or_else(|| ISSUER.to_owned());
        Ok(Authority::new_with(self.state(issuer)?, None))
    }

    /// An authority on a free port of 127.0.0.1, which is also its issuer. It stops when its last
    /// handle is dropped.
    ///
    /// # Errors
    /// When no socket can be had, or with a [`ConfigError`] inside.
    pub async fn serve(self) -> io::Result<Authority> {
        self.serve_on((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Like [`serve`](Self::serve), on an address of your choice.
    ///
    /// # Errors
    /// When the address is not loopback or not free, or with a [`ConfigError`] inside.
    pub async fn serve_on(self, address: SocketAddr) -> io::Result<Authority> {
        let socket = LoopbackSocket::bind(address).await?;
        let issuer = on_socket(self.issuer.as_deref().unwrap_or(ISSUER), socket.address());
        let state = self
            .state(issuer)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let served = Arc::clone(&state);
        let server = socket.serve(move |request| {
            let state = Arc::clone(&served);
            async move { exchange(&state, request).await }
        });
        Ok(Authority::new_with(state, Some(server)))
    }

    fn state(self, issuer: String) -> Result<Arc<State>, ConfigError> {
        let mut faults = Faults::default();
        let mut audiences = self.audiences;
        if audiences.is_empty() {
            audiences.push(AUDIENCE.to_owned());
        }
        if audiences.iter().any(|audience| audience.is_empty() || audience == "*") {
            faults.add("audience", "must be an exact string; \"*\" and the empty string are not");
        }
        let lazy_rsa = self.algorithms.is_none();
        let algorithms = self.algorithms.unwrap_or_else(|| ALGORITHMS.to_vec());
        if algorithms.is_empty() {
            faults.add("algorithms", "at least one is needed");
        }
        if algorithms.iter().any(|algorithm| algorithm.is_symmetric()) {
            faults.add("algorithms", "HS256, HS384 and HS512 have no key that could be published");
        }
        match Addresses::new(issuer) {
            Ok(addresses) => faults.or(Arc::new(State::new(Settings {
                addresses,
                audiences,
                algorithms,
                lazy_rsa,
                clock: self.clock,
                token_lifetime: self.token_lifetime.unwrap_or(LIFETIME),
                opaque_tokens: self.opaque_tokens,
            }))),
            Err(problem) => Err(faults.and("issuer", problem)),
        }
    }
}

/// The issuer as it is when this address serves it. What is no URL stays as it is, to be refused.
fn on_socket(issuer: &str, address: SocketAddr) -> String {
    match Url::parse(issuer) {
        // `Url` adds this path where there is none.
        Ok(url) if url.path() == "/" => format!("http://{address}"),
        Ok(url) => format!("http://{address}{}", url.path()),
        Err(_) => issuer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_reported() {
        let error = Authority::builder()
            .issuer("http://login.example.com")
            .audience("*")
            .algorithms([Algorithm::ES256, Algorithm::HS256])
            .build()
            .unwrap_err();
        let settings: Vec<_> = error.faults().iter().map(|fault| fault.setting()).collect();
        assert_eq!(settings, ["audience", "algorithms", "issuer"]);
        assert!(Authority::builder().algorithms([]).build().is_err());
        assert!(Authority::builder().audience("").build().is_err());
    }

    #[tokio::test]
    async fn only_loopback_addresses_are_served() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:0.0.0.0]:0"] {
            let error = Authority::builder().serve_on(address.parse().unwrap()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{address}");
        }
    }

    #[tokio::test]
    async fn on_a_socket_the_issuer_is_the_address_and_the_path() {
        for (issuer, path) in [
            (None, ""),
            (Some("https://login.example.com"), ""),
            (Some("https://login.example.com/tenant/"), "/tenant/"),
            (Some("http://127.0.0.1:1/t"), "/t"),
        ] {
            let mut builder = Authority::builder();
            builder.issuer = issuer.map(str::to_owned);
            let authority = builder.serve().await.unwrap();
            let rest = authority.issuer_url().strip_prefix("http://127.0.0.1:").unwrap();
            let (port, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            assert!(port.parse::<u16>().unwrap() > 0);
            assert_eq!(rest, path);
        }
        let error = Authority::builder().issuer("tenant").serve().await.unwrap_err();
        assert!(error.to_string().starts_with("issuer: "), "{error}");
    }
}
