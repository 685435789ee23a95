//! The certificate that a client has shown in TLS, as far as it matters: its fingerprint.

use std::fmt;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

/// The certificate that the client of a connection has shown, for access tokens that are bound to one
/// (RFC 8705 §3). Such a token is good together with this certificate and no other.
///
/// Whoever accepts TLS connections puts it into the [extensions](http::Extensions) of every request
/// that comes over one; layers and extractors look for it there. Nothing of a request gets into its
/// extensions by itself, so no client can make one up.
///
/// ```
/// use std::convert::Infallible;
/// use http::{Request, Response};
/// use portcullis::{ClientCertificate, Issuer, ResourceServer, scope};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// let api = ResourceServer::builder()
///     .issuer(Issuer::discover("https://login.example.com").audience("https://api.example.com"))
///     .build()?;
/// let service = ServiceBuilder::new()
///     .layer(api.require(scope("payments.write")))
///     .service(service_fn(async |_: Request<String>| {
///         Ok::<_, Infallible>(Response::new(String::new()))
///     }));
///
/// # let leaf = b"DER";
/// // For each connection. With rustls, `leaf` is the first of `peer_certificates()`.
/// let certificate = ClientCertificate::from_der(leaf);
/// let of_this_connection = service.map_request(move |mut request: Request<String>| {
///     request.extensions_mut().insert(certificate.clone());
///     request
/// });
/// # let _ = of_this_connection;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
///
/// It has to be the certificate of the handshake, in which the client has proven that it has the key.
/// Whether an authority has signed it does not matter here: clients may have made it themselves
/// (RFC 8705 §2.2). From a field of the request it is to be taken only if that field can be written by
/// nobody but a proxy of yours.
///
/// It holds the SHA-256 of the certificate and nothing else of it, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    sha256: [u8; SHA256_OUTPUT_LEN],
}

impl ClientCertificate {
    /// The leaf certificate, in DER as TLS has it. It is not parsed: what is no certificate fits no
    /// token.
    pub fn from_der(der: impl AsRef<[u8]>) -> Self {
        let mut sha256 = [0; SHA256_OUTPUT_LEN];
        for (to, from) in sha256.iter_mut().zip(digest(&SHA256, der.as_ref()).as_ref()) {
            *to = *from;
        }
        Self { sha256 }
    }

    /// The one that has this SHA-256 over its DER.
    pub(crate) fn with_sha256(sha256: [u8; SHA256_OUTPUT_LEN]) -> Self {
        Self { sha256 }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn sha256(&self) -> &[u8] {
        &self.sha256
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    #[test]
    fn it_is_the_sha_256_of_the_der_and_is_not_shown() {
        let abc = ClientCertificate::from_der("abc");
        assert_eq!(abc.sha256[..4], [0xBA, 0x78, 0x16, 0xBF]);
        assert_eq!(abc.sha256[28..], [0xF2, 0x00, 0x15, 0xAD]);
        assert_eq!(abc, ClientCertificate::with_sha256(abc.sha256));
        assert_ne!(abc, ClientCertificate::from_der("abd"));
        assert_eq!(format!("{abc:?}"), "ClientCertificate(…)");
    }
}
