//! TLS on the protected port.

use std::future::Future;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;

use super::pem::{Pems, Unfit};
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
    /// Reads the files; with what was found in them. What is wrong with them goes to `source`.
    pub(super) fn load(files: &TlsFiles, source: &mut Source) -> Option<(Arc<Self>, Pems)> {
        let pems = Pems::read(files);
        let tell = |unfit: Vec<Unfit>| {
            unfit.into_iter().for_each(|one| source.fault(one.variable, one.problem));
        };
        let tls = Self::showing(files, &pems).map_err(tell).ok()?;
        Some((tls, pems))
    }

    fn showing(files: &TlsFiles, pems: &Pems) -> Result<Arc<Self>, Vec<Unfit>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let current = Arc::new(Current(ArcSwap::from_pointee(pems.certified(&provider)?)));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&current) as _;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                vec![Unfit { variable: variables::TLS_CERT, problem: error.to_string() }]
            })?
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

    /// Whether there is a file that can change.
    pub(super) fn is_watched(&self) -> bool {
        let TlsFiles { certificate, key } = &self.files;
        matches!((certificate, key), (Pem::File(_), _) | (_, Pem::File(_)))
    }

    /// What there is to be compared with what was there before.
    pub(super) fn read(&self) -> Pems {
        Pems::read(&self.files)
    }

    /// Shows these from now on.
    ///
    /// # Errors
    /// Why they are not fit; what was shown before still is.
    pub(super) fn use_now(&self, pems: &Pems) -> Result<(), Vec<Unfit>> {
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
