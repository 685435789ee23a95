//! The certificate that a gateway's client has shown in TLS, as the gateway passes it on.

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::client_certificate::ClientCertificate;
use crate::sidecar::path::escaped;
use crate::sidecar::telemetry::BadRequest;

/// Of the attribute. A certificate has 1 to 3 KiB, and with a signature that withstands quantum
/// computers 12.
const MAX_CERTIFICATE: usize = 32 * 1024;

/// Reads PEM, percent-encoded; `None` where there is nothing. Envoy writes the leaf of the chain and
/// nothing besides, so anything else is no certificate.
///
/// # Errors
/// One that cannot be read spoils the check, and with it every request over that connection. It is none
/// of the client's making, as Envoy writes down what it has read itself; and to go on as if there were
/// none would tell the client that its token is bad.
pub(super) fn read(attribute: &[u8]) -> Result<Option<ClientCertificate>, BadRequest> {
    if attribute.is_empty() {
        return Ok(None);
    }
    if attribute.len() > MAX_CERTIFICATE {
        return Err(BadRequest::OriginalTooLarge);
    }
    let certificate = unescaped(attribute).and_then(|pem| only(&pem));
    certificate.map(Some).ok_or(BadRequest::OriginalMalformed)
}

fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'%' { escaped(&mut bytes).ok()? } else { byte });
    }
    Some(plain)
}

/// The one certificate that there is.
fn only(pem: &[u8]) -> Option<ClientCertificate> {
    let mut certificates = CertificateDer::pem_slice_iter(pem);
    match (certificates.next(), certificates.next()) {
        (Some(Ok(only)), None) if !only.is_empty() => Some(ClientCertificate::from_der(only)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Envoy writes it: everything but unreserved characters is escaped.
    fn attribute(pem: &str) -> String {
        let escape = |byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        pem.bytes().map(escape).collect()
    }

    fn made() -> (String, ClientCertificate) {
        let made = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        (made.cert.pem(), ClientCertificate::from_der(made.cert.der()))
    }

    #[test]
    fn envoy_04_a_certificate_is_read_however_it_is_escaped() {
        assert_eq!(read(b""), Ok(None));
        let (pem, certificate) = made();
        let lower = ["%0A", "%2B", "%2F", "%3D"]
            .iter()
            .fold(attribute(&pem), |text, escape| text.replace(escape, &escape.to_lowercase()));
        for text in [
            attribute(&pem),
            lower,
            pem.clone(),
            attribute(pem.trim_end()),
            attribute(&pem.replace('\n', "\r\n")),
        ] {
            assert_eq!(read(text.as_bytes()), Ok(Some(certificate.clone())), "{text}");
        }
    }

    #[test]
    fn envoy_04_what_is_no_certificate_spoils_the_check() {
        let (pem, _) = made();
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let lines: Vec<_> = pem.lines().collect();
        let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
        for bad in [
            "x".to_owned(),
            "%".to_owned(),
            attribute(&pem).replacen("%0A", "%0", 1),
            attribute(&pem).replacen("%0A", "%zz", 1),
            attribute(&pem).replacen("%20", "+", 1),
            attribute(&attribute(&pem)),
            attribute(&key),
            attribute(&pem.repeat(2)),
            attribute(&lines[..lines.len() - 1].join("\n")),
            attribute(&lines[1..].join("\n")),
            attribute(&pem.replacen(lines[1], "!", 1)),
            attribute(empty),
            "%00".to_owned(),
        ] {
            assert_eq!(read(bad.as_bytes()), Err(BadRequest::OriginalMalformed), "{bad}");
        }
    }

    #[test]
    fn no_more_is_read_than_a_certificate_can_have() {
        let (pem, certificate) = made();
        let longest = format!("{}{pem}", "\n".repeat(MAX_CERTIFICATE - pem.len()));
        assert_eq!(read(longest.as_bytes()), Ok(Some(certificate)));
        let longer = format!("\n{longest}");
        assert_eq!(read(longer.as_bytes()), Err(BadRequest::OriginalTooLarge));
    }

    proptest! {
        #[test]
        fn mtls_01_any_der_is_read_as_it_was_written(der in prop::collection::vec(any::<u8>(), 1..2000)) {
            use base64::Engine as _;
            let text = base64::engine::general_purpose::STANDARD.encode(&der);
            let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
            let body = lines.join("\n");
            let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
            let expected = Ok(Some(ClientCertificate::from_der(&der)));
            prop_assert_eq!(read(attribute(&pem).as_bytes()), expected);
        }

        #[test]
        fn other_bytes_are_refused_and_nothing_breaks(bytes in prop::collection::vec(any::<u8>(), 1..300)) {
            prop_assert_eq!(read(&bytes), Err(BadRequest::OriginalMalformed));
        }
    }
}
