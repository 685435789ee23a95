//! The certificate and the key of the protected port.

use std::fmt;
use std::path::PathBuf;

use crate::env::{Origin, Read, Source, values, variables};

/// A certificate chain and its private key, both in PEM.
#[derive(Debug, Clone)]
pub(in crate::sidecar) struct TlsFiles {
    pub(in crate::sidecar) certificate: Pem,
    pub(in crate::sidecar) key: Pem,
}

/// PEM, or the file that it is read from, again whenever it changes.
#[derive(Clone)]
pub(in crate::sidecar) enum Pem {
    Text(String),
    File(PathBuf),
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

pub(super) fn read(source: &mut Source) -> Option<TlsFiles> {
    let certificate = pem(source, variables::TLS_CERT);
    let key = pem(source, variables::TLS_KEY);
    for (one, other, variable, missing) in [
        (&certificate, &key, variables::TLS_CERT, variables::TLS_KEY),
        (&key, &certificate, variables::TLS_KEY, variables::TLS_CERT),
    ] {
        if !one.is_unset() && other.is_unset() {
            source.fault(missing, format!("is required where {variable} is set"));
        }
    }
    Some(TlsFiles { certificate: certificate.value()?, key: key.value()? })
}

fn pem(source: &mut Source, variable: &'static str) -> Read<Pem> {
    match source.origin(variable) {
        Read::Value(Origin::File(path)) => Read::Value(Pem::File(path)),
        Read::Value(Origin::Value(_)) => {
            source.read(variable, |text| values::text(text).map(Pem::Text))
        }
        Read::Unset => Read::Unset,
        Read::Unusable => Read::Unusable,
    }
}
