//! Where a key set comes from, and one attempt to load it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};
use url::Url;

use super::discovery;
use crate::fetch::{self, AllowHttp, FetchError, HttpClient};
use crate::jose::jwk_set::MAX_BYTES;
use crate::jose::{Algorithm, JwkSet, JwkSetError, KeyOrigin};

/// Unless `Cache-Control` says otherwise.
const LIFETIME: Duration = Duration::from_secs(10 * 60);
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A local file costs nothing to read again.
const FILE_LIFETIME: Duration = Duration::from_secs(5);

/// Where the keys of an issuer are.
#[derive(Clone)]
pub(crate) enum KeySource {
    /// At the `jwks_uri` of the issuer's metadata.
    Discovery { client: HttpClient, issuer: String, allow_http: AllowHttp },
    /// At a known address.
    Uri { client: HttpClient, address: Url },
    /// In the configuration; never changes.
    Value(Bytes),
    /// In a local file, read again as time goes by.
    File(PathBuf),
}

/// A set that was loaded, and for how long it is fresh.
pub(crate) struct Loaded {
    pub(crate) set: JwkSet,
    pub(crate) lifetime: Duration,
}

/// Why no set could be loaded. `Display` is for operators.
#[derive(Debug)]
pub(crate) enum LoadError {
    Fetch { address: Url, error: FetchError },
    Metadata { address: Url, fault: &'static str },
    Set { origin: String, error: JwkSetError },
    File { path: PathBuf, error: std::io::Error },
    NoAddress,
    Aborted,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch { address, error } => write!(f, "{address}: {error}"),
            Self::Metadata { address, fault } => write!(f, "the metadata at {address} {fault}"),
            Self::Set { origin, error } => write!(f, "{origin}: {error}"),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::NoAddress => f.write_str("the issuer has no address to ask"),
            Self::Aborted => f.write_str("the attempt was given up"),
        }
    }
}

impl std::error::Error for LoadError {}

impl KeySource {
    /// One attempt; every step has its own deadline and size limit.
    pub(super) async fn load(&self, algorithms: &[Algorithm]) -> Result<Loaded, LoadError> {
        match self {
            Self::Discovery { client, issuer, allow_http } => {
                let address = discovery::jwks_uri(client, issuer, *allow_http).await?;
                fetch_set(client, address, algorithms).await
            }
            Self::Uri { client, address } => fetch_set(client, address.clone(), algorithms).await,
            Self::Value(document) => Self::read_value(document, algorithms),
            Self::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || {
                    std::fs::read(&path).map_err(|error| LoadError::File { path, error })
                });
                let document = read.await.map_err(|_| LoadError::Aborted)??;
                self.read_file(&document, algorithms)
            }
        }
    }

    /// For sources that need no network: what `build()` can already find wrong.
    pub(super) fn load_local(&self, algorithms: &[Algorithm]) -> Option<Result<Loaded, LoadError>> {
        match self {
            Self::Value(document) => Some(Self::read_value(document, algorithms)),
            Self::File(path) => Some(
                std::fs::read(path)
                    .map_err(|error| LoadError::File { path: path.clone(), error })
                    .and_then(|document| self.read_file(&document, algorithms)),
            ),
            Self::Discovery { .. } | Self::Uri { .. } => None,
        }
    }

    /// Whether loading again can never bring another key.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self, Self::Value(_))
    }

    fn read_value(document: &[u8], algorithms: &[Algorithm]) -> Result<Loaded, LoadError> {
        let set = JwkSet::parse(document, algorithms, KeyOrigin::Static)
            .map_err(|error| LoadError::Set { origin: "the configured key set".into(), error })?;
        Ok(Loaded { set, lifetime: Duration::MAX })
    }

    fn read_file(&self, document: &[u8], algorithms: &[Algorithm]) -> Result<Loaded, LoadError> {
        let set = JwkSet::parse(document, algorithms, KeyOrigin::Static)
            .map_err(|error| LoadError::Set { origin: self.to_string(), error })?;
        Ok(Loaded { set, lifetime: FILE_LIFETIME })
    }
}

/// Without the keys: a static set may hold secrets.
impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySource({self})")
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discovery { issuer, .. } => write!(f, "discovery at {issuer}"),
            Self::Uri { address, .. } => write!(f, "{address}"),
            Self::Value(_) => f.write_str("the configured key set"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

async fn fetch_set(
    client: &HttpClient,
    address: Url,
    algorithms: &[Algorithm],
) -> Result<Loaded, LoadError> {
    match fetch::get(client, &address, MAX_BYTES).await {
        Err(error) => Err(LoadError::Fetch { address, error }),
        // Judged by content: many servers send key sets as something else than application/json.
        Ok(document) => JwkSet::parse(&document.body, algorithms, KeyOrigin::Fetched)
            .map(|set| Loaded { set, lifetime: lifetime(&document.headers) })
            .map_err(|error| LoadError::Set { origin: address.into(), error }),
    }
}

/// `max-age` (RFC 9111 §5.2.2.1) within bounds.
fn lifetime(headers: &HeaderMap) -> Duration {
    headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| HeaderValue::to_str(value).ok())
        .flat_map(|value| value.split(','))
        .find_map(|directive| {
            let (name, seconds) = directive.trim().split_once('=')?;
            name.eq_ignore_ascii_case("max-age").then_some(seconds.trim_matches('"'))
        })
        .and_then(|seconds| seconds.parse().ok())
        .map_or(LIFETIME, Duration::from_secs)
        .clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avail_09_the_lifetime_follows_cache_control_within_bounds() {
        for (value, seconds) in [
            ("max-age=300", 300),
            ("public, Max-Age=300, immutable", 300),
            ("max-age=\"300\"", 300),
            ("max-age=1", 60),
            ("no-store", 600),
            ("max-age=999999999", 86_400),
            ("max-age=99999999999999999999999", 600),
            ("max-age", 600),
        ] {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(value))]);
            assert_eq!(lifetime(&headers), Duration::from_secs(seconds), "{value}");
        }
        assert_eq!(lifetime(&HeaderMap::new()), LIFETIME);
    }
}
