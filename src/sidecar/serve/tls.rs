//! TLS on the protected port.

use std::fmt::Display;
use std::fs;
use std::future::Future;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;

use crate::config_error::{ConfigError, Fault, Faults};
use crate::env::variables;
use crate::sidecar::settings::{Pem, TlsFiles};

/// A certificate and its key, and whoever is about to shake hands.
pub(super) struct Tls {
    files: TlsFiles,
    acceptor: TlsAcceptor,
    current: Arc<Current>,
}

/// What is shown to clients now.
#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong with them, under the names of their variables.
    pub(super) fn load(files: &TlsFiles) -> Result<Arc<Self>, ConfigError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pems = Pems::read(files).map_err(one)?;
        let current =
            Arc::new(Current(ArcSwap::from_pointee(pems.certified(&provider).map_err(one)?)));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&current) as _;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| one(Fault::new(variables::TLS_CERT, error.to_string())))?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        let mut config = config;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Arc::new(Self { files: files.clone(), acceptor, current }))
    }

    pub(super) fn accept<T>(
        &self,
        stream: T,
    ) -> impl Future<Output = std::io::Result<TlsStream<T>>> + use<T>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream)
    }

    /// What there is to be compared with what was there before; `None` where nothing can change.
    pub(super) fn read(&self) -> Option<Result<Pems, Fault>> {
        let given = |pem: &Pem| matches!(pem, Pem::Text(_));
        if given(&self.files.certificate) && given(&self.files.key) {
            return None;
        }
        Some(Pems::read(&self.files))
    }

    /// Shows these from now on.
    ///
    /// # Errors
    /// Why they are not fit; what was shown before still is.
    pub(super) fn use_now(&self, pems: &Pems) -> Result<(), Fault> {
        let provider = aws_lc_rs::default_provider();
        self.current.0.store(Arc::new(pems.certified(&provider)?));
        Ok(())
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        match self.current.0.load().cert.len() {
            1 => "one certificate".to_owned(),
            count => format!("{count} certificates"),
        }
    }
}

/// Both texts, neither of them shown to anybody.
#[derive(PartialEq, Eq)]
pub(super) struct Pems {
    certificate: String,
    key: String,
}

impl Pems {
    fn read(files: &TlsFiles) -> Result<Self, Fault> {
        Ok(Self {
            certificate: text(&files.certificate, variables::TLS_CERT)?,
            key: text(&files.key, variables::TLS_KEY)?,
        })
    }

    fn certified(&self, provider: &CryptoProvider) -> Result<CertifiedKey, Fault> {
        let certificates = CertificateDer::pem_slice_iter(self.certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| fault(variables::TLS_CERT, "is no certificate in PEM"))?;
        if certificates.is_empty() {
            return Err(fault(variables::TLS_CERT, "holds no certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())
            .map_err(|_| fault(variables::TLS_KEY, "holds no private key in PEM"))?;
        CertifiedKey::from_der(certificates, key, provider)
            .map_err(|error| fault(variables::TLS_KEY, format!("does not fit: {error}")))
    }
}

fn text(pem: &Pem, variable: &'static str) -> Result<String, Fault> {
    match pem {
        Pem::Text(text) => Ok(text.clone()),
        Pem::File(path) => fs::read_to_string(path).map_err(|error| {
            fault(&format!("{variable}_FILE"), format!("cannot read {path:?}: {error}"))
        }),
    }
}

fn fault(variable: &str, problem: impl Display) -> Fault {
    Fault::new(variable, problem.to_string())
}

fn one(fault: Fault) -> ConfigError {
    Faults::default().and(fault.setting(), fault.problem())
}
