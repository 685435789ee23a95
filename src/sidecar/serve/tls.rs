//! TLS on the protected port.

use std::fmt::{self, Display, Formatter};
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

use crate::env::{Source, variables};
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
    /// Reads the files. What is wrong with them goes to `source`.
    pub(super) fn load(files: &TlsFiles, source: &mut Source) -> Option<Arc<Self>> {
        let tell = |unfit: Vec<Unfit>| {
            unfit.into_iter().for_each(|one| source.fault(one.variable, one.problem));
        };
        Self::read_first(files).map_err(tell).ok()
    }

    fn read_first(files: &TlsFiles) -> Result<Arc<Self>, Vec<Unfit>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certified = Pems::read(files)?.certified(&provider).map_err(|unfit| vec![unfit])?;
        let current = Arc::new(Current(ArcSwap::from_pointee(certified)));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&current) as _;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| vec![unfit(variables::TLS_CERT, error)])?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
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
    pub(super) fn read(&self) -> Option<Result<Pems, Vec<Unfit>>> {
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
    pub(super) fn use_now(&self, pems: &Pems) -> Result<(), Unfit> {
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

/// Why a certificate or its key is of no use; nothing of the key is in it.
pub(super) struct Unfit {
    variable: &'static str,
    problem: String,
}

impl Display for Unfit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.problem)
    }
}

impl Pems {
    fn read(files: &TlsFiles) -> Result<Self, Vec<Unfit>> {
        let certificate = text(&files.certificate, variables::TLS_CERT);
        match (certificate, text(&files.key, variables::TLS_KEY)) {
            (Ok(certificate), Ok(key)) => Ok(Self { certificate, key }),
            (one, other) => Err(one.err().into_iter().chain(other.err()).collect()),
        }
    }

    fn certified(&self, provider: &CryptoProvider) -> Result<CertifiedKey, Unfit> {
        let certificates = CertificateDer::pem_slice_iter(self.certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| unfit(variables::TLS_CERT, "is no certificate in PEM"))?;
        if certificates.is_empty() {
            return Err(unfit(variables::TLS_CERT, "holds no certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())
            .map_err(|_| unfit(variables::TLS_KEY, "holds no private key in PEM"))?;
        CertifiedKey::from_der(certificates, key, provider)
            .map_err(|error| unfit(variables::TLS_KEY, format!("does not fit: {error}")))
    }
}

fn text(pem: &Pem, variable: &'static str) -> Result<String, Unfit> {
    match pem {
        Pem::Text(text) => Ok(text.clone()),
        Pem::File(path) => fs::read_to_string(path)
            .map_err(|error| unfit(variable, format!("cannot read {path:?}: {error}"))),
    }
}

fn unfit(variable: &'static str, problem: impl Display) -> Unfit {
    Unfit { variable, problem: problem.to_string() }
}
