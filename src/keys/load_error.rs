//! Why no key set could be loaded.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use crate::fetch::{FetchError, shown};
use crate::jose::JwkSetError;

/// Why no key set could be loaded. `Display` is for operators: it says where and what.
#[derive(Debug)]
pub(crate) enum LoadError {
    Fetch { address: Url, error: FetchError },
    Metadata { address: Url, fault: String },
    Set { origin: String, error: JwkSetError },
    File { path: PathBuf, error: std::io::Error },
    NoAddress,
    Aborted,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch { address, error } => write!(f, "{}: {error}", shown(address.as_str())),
            Self::Metadata { address, fault } => {
                write!(f, "the metadata at {} {fault}", shown(address.as_str()))
            }
            Self::Set { origin, error } => write!(f, "{origin}: {error}"),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::NoAddress => f.write_str("the issuer has no address to ask"),
            Self::Aborted => f.write_str("the attempt was given up"),
        }
    }
}

impl std::error::Error for LoadError {}
