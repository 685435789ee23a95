//! Where a key set comes from, and one attempt to load it.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::discovery::{Discovered, Discovery, Metadata};
use super::loaded::Known;
use super::{LoadError, Loaded};
use crate::fetch::{HttpClient, shown};
use crate::jose::jwk_set::MAX_BYTES;
use crate::jose::{Algorithm, KeyOrigin};

/// A local file costs nothing to read again.
const FILE_LIFETIME: Duration = Duration::from_secs(5);

/// Where the keys of an issuer are.
#[derive(Clone)]
pub(crate) enum KeySource {
    /// At the `jwks_uri` of the issuer's metadata.
    Discovery(Discovery),
    /// At a known address.
    Uri { client: HttpClient, address: Url },
    /// In the configuration; never changes.
    Value(Bytes),
    /// In a local file, read again as time goes by.
    File(PathBuf),
    /// There are none, and nothing needs any.
    #[cfg(feature = "introspection")]
    Unneeded,
}

impl KeySource {
    /// One attempt; every step has its own deadline and size limit.
    pub(super) async fn load(
        &self,
        algorithms: &[Algorithm],
        known: Known<'_>,
        metadata: Option<Arc<Metadata>>,
    ) -> (Result<Loaded, LoadError>, Discovered) {
        let loaded = match self {
            Self::Discovery(discovery) => {
                return discovery.load(algorithms, known, metadata).await;
            }
            Self::Uri { client, address } => {
                Loaded::fetch(client, address.clone(), algorithms, known).await
            }
            Self::Value(document) => self.parse(document, algorithms, known.keys),
            Self::File(path) => {
                let path = path.clone();
                match tokio::task::spawn_blocking(move || read_file(&path)).await {
                    Ok(document) => {
                        document.and_then(|text| self.parse(&text, algorithms, known.keys))
                    }
                    Err(_) => Err(LoadError::Aborted),
                }
            }
            #[cfg(feature = "introspection")]
            Self::Unneeded => Ok(known.keys.cloned().unwrap_or_else(Loaded::none)),
        };
        (loaded, Discovered::Nothing)
    }

    /// For sources that need no network: what `build()` can already find wrong.
    pub(super) fn load_local(&self, algorithms: &[Algorithm]) -> Option<Result<Loaded, LoadError>> {
        match self {
            Self::Value(document) => Some(self.parse(document, algorithms, None)),
            Self::File(path) => {
                let document = read_file(path);
                Some(document.and_then(|document| self.parse(&document, algorithms, None)))
            }
            #[cfg(feature = "introspection")]
            Self::Unneeded => Some(Ok(Loaded::none())),
            Self::Discovery(_) | Self::Uri { .. } => None,
        }
    }

    /// Whether loading again can never bring another key.
    pub(super) fn is_fixed(&self) -> bool {
        match self {
            Self::Value(_) => true,
            #[cfg(feature = "introspection")]
            Self::Unneeded => true,
            _ => false,
        }
    }

    /// Whether nothing needs keys.
    pub(super) fn is_unneeded(&self) -> bool {
        match self {
            #[cfg(feature = "introspection")]
            Self::Unneeded => true,
            _ => false,
        }
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Whether keys from there can be those that this source would fetch.
    pub(super) fn may_lead_to(&self, place: &Url) -> bool {
        match self {
            Self::Discovery(discovery) => discovery.may_lead_to(place),
            Self::Uri { address, .. } => address == place,
            Self::Value(_) | Self::File(_) => false,
            #[cfg(feature = "introspection")]
            Self::Unneeded => false,
        }
    }

    fn parse(
        &self,
        document: &Bytes,
        algorithms: &[Algorithm],
        known: Option<&Loaded>,
    ) -> Result<Loaded, LoadError> {
        let loaded = Loaded::parse(document, algorithms, KeyOrigin::Static, known, self)?;
        let lifetime = if self.is_file() { FILE_LIFETIME } else { Duration::MAX };
        Ok(Loaded { lifetime, ..loaded })
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
            Self::Discovery(discovery) => write!(f, "discovery at {}", shown(&discovery.issuer)),
            Self::Uri { address, .. } => f.write_str(&shown(address.as_str())),
            Self::Value(_) => f.write_str("the configured key set"),
            Self::File(path) => write!(f, "{}", path.display()),
            #[cfg(feature = "introspection")]
            Self::Unneeded => f.write_str("nowhere: its tokens are introspected"),
        }
    }
}

/// Not more than a byte over what a key set may have, whatever the path leads to.
fn read_file(path: &Path) -> Result<Bytes, LoadError> {
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut document = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut document))
        .map_err(|error| LoadError::File { path: path.to_owned(), error })?;
    Ok(document.into())
}
