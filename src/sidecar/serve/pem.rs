//! A certificate chain and its key, as texts and as what TLS makes of them.

use std::fmt::{self, Display, Formatter};

use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};

use super::files;
use crate::env::variables;
use crate::sidecar::settings::{Pem, TlsFiles};

/// Both texts as they were found, or why they were not; neither is shown to anybody.
#[derive(PartialEq, Eq)]
pub(super) struct Pems {
    certificate: Result<String, Unfit>,
    key: Result<String, Unfit>,
}

/// Why a certificate or its key is of no use; nothing of the key is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unfit {
    pub(super) variable: &'static str,
    pub(super) problem: String,
}

impl Display for Unfit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.problem)
    }
}

impl Pems {
    pub(super) fn read(files: &TlsFiles) -> Self {
        Self {
            certificate: text(&files.certificate).map_err(of_certificate),
            key: text(&files.key).map_err(of_key),
        }
    }

    /// # Errors
    /// Everything that is wrong with either.
    pub(super) fn certified(&self, provider: &CryptoProvider) -> Result<CertifiedKey, Vec<Unfit>> {
        let certificates = self.certificate.clone().and_then(|text| certificates(&text));
        let key = self.key.clone().and_then(|text| {
            let key = PrivateKeyDer::from_pem_slice(text.as_bytes())
                .map_err(|_| of_key("holds no private key in PEM"))?;
            provider.key_provider.load_private_key(key).map_err(|_| of_key("holds no usable key"))
        });
        let certified = match (certificates, key) {
            (Ok(certificates), Ok(key)) => CertifiedKey::new(certificates, key),
            (one, other) => return Err(one.err().into_iter().chain(other.err()).collect()),
        };
        // Some keys do not say which certificate is theirs.
        if certified.keys_match() == Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) {
            return Err(vec![of_key("does not fit the certificate")]);
        }
        Ok(certified)
    }
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, Unfit> {
    let certificates = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| of_certificate("is no certificate in PEM"))?;
    let Some(first) = certificates.first() else {
        return Err(of_certificate("holds no certificate"));
    };
    ParsedCertificate::try_from(first)
        .map_err(|error| of_certificate(format!("holds no usable certificate: {error}")))?;
    Ok(certificates)
}

fn text(pem: &Pem) -> Result<String, String> {
    match pem {
        Pem::Text(text) => Ok(text.clone()),
        Pem::File(path) => files::read(path),
    }
}

fn of_certificate(problem: impl Into<String>) -> Unfit {
    Unfit { variable: variables::TLS_CERT, problem: problem.into() }
}

fn of_key(problem: impl Into<String>) -> Unfit {
    Unfit { variable: variables::TLS_KEY, problem: problem.into() }
}
