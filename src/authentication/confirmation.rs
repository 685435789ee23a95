//! Sender constraint (RFC 7800 `cnf`): a bound token is never accepted as a plain bearer token.

use crate::client_certificate::ClientCertificate;
use crate::jose::base64url;
use crate::jose::json::{Json, Members};
use crate::rejection_kind::RejectionKind;

/// A key, by DPoP (RFC 9449 §6.1).
const KEY: &str = "jkt";
/// A certificate, by TLS (RFC 8705 §3.1).
const CERTIFICATE: &str = "x5t#S256";

/// The certificate that a token is bound to; `None` where it is bound to nothing.
///
/// What is bound to a key is refused: nothing here proves that a client has one. So is what is bound by
/// a method that we do not know, although RFC 7800 §3.1 would let us ignore it: that would turn a bound
/// token into a bearer token.
pub(super) fn read(claims: &Members<'_>) -> Result<Option<ClientCertificate>, RejectionKind> {
    let Some(confirmation) = claims.get("cnf") else { return Ok(None) };
    let Json::Object(methods) = confirmation else { return Err(RejectionKind::MalformedClaim) };
    let certificate = methods.get(CERTIFICATE).map(certificate).transpose()?;
    match methods.get(KEY) {
        Some(key) if key.as_str().is_some_and(|value| !value.is_empty()) => {
            Err(RejectionKind::SenderConstrained)
        }
        Some(_) => Err(RejectionKind::MalformedClaim),
        None => certificate.map(Some).ok_or(RejectionKind::MalformedClaim),
    }
}

fn certificate(value: &Json<'_>) -> Result<ClientCertificate, RejectionKind> {
    let sha256 = value.as_str().and_then(base64url::decode).and_then(|bytes| bytes.try_into().ok());
    sha256.map(ClientCertificate::with_sha256).ok_or(RejectionKind::MalformedClaim)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jose::json;

    fn judge(cnf: &str) -> Result<Option<ClientCertificate>, RejectionKind> {
        read(&json::members(&format!(r#"{{"cnf":{cnf}}}"#)).unwrap())
    }

    #[test]
    fn what_is_not_bound_is_bound_to_nothing() {
        assert_eq!(read(&json::members("{}").unwrap()), Ok(None));
    }

    #[test]
    fn f53_mtls_04_bound_to_a_key_is_refused_whatever_else_it_is_bound_to() {
        let good = format!(r#"{{"jkt":"t","x5t#S256":"{}"}}"#, base64url::encode([7; 32]));
        for cnf in [r#"{"jkt":"t"}"#, r#"{"jkt":"t","jwk":{}}"#, &good] {
            assert_eq!(judge(cnf), Err(RejectionKind::SenderConstrained), "{cnf}");
        }
    }

    #[test]
    fn f58_dpop_29_mtls_07_malformed_or_unknown_confirmation_is_refused() {
        for cnf in [
            r#""x""#,
            "null",
            "{}",
            "[]",
            r#"{"jkt":7}"#,
            r#"{"jkt":""}"#,
            r#"{"jwk":{}}"#,
            r#"{"x5t#s256":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#,
            r#"{"jkt":"t","x5t#S256":"t"}"#,
            r#"{"jkt":7,"x5t#S256":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#,
        ] {
            assert_eq!(judge(cnf), Err(RejectionKind::MalformedClaim), "{cnf}");
        }
    }

    #[test]
    fn mtls_03_a_thumbprint_is_32_bytes_in_their_one_spelling() {
        let of = |text: &str| judge(&serde_json::json!({ "x5t#S256": text }).to_string());
        let good = base64url::encode([0xA5; 32]);
        assert_eq!(of(&good), Ok(Some(ClientCertificate::with_sha256([0xA5; 32]))));
        let (all_but_last, last) = good.split_at(42);
        assert_eq!(last, "U");
        for bad in [
            "",
            "x",
            all_but_last,
            // Bits that belong to no byte.
            &format!("{all_but_last}V"),
            &format!("{good}="),
            &format!(" {good}"),
            &format!("{good}\n"),
            &format!("+{}", &good[1..]),
            &base64url::encode([0xA5; 31]),
            &base64url::encode([0xA5; 33]),
            // In hexadecimal digits, as tools print it.
            &"a5".repeat(32),
        ] {
            assert_eq!(of(bad), Err(RejectionKind::MalformedClaim), "{bad:?}");
        }
        for value in ["7", "null", "[]", "{}", "true"] {
            let cnf = format!(r#"{{"x5t#S256":{value}}}"#);
            assert_eq!(judge(&cnf), Err(RejectionKind::MalformedClaim), "{cnf}");
        }
    }

    proptest! {
        #[test]
        fn mtls_01_mtls_03_what_is_read_is_what_was_bound(der: Vec<u8>, others: Vec<u8>) {
            let certificate = ClientCertificate::from_der(&der);
            let sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
            let cnf = serde_json::json!({ "x5t#S256": base64url::encode(sha256), "x": others });
            prop_assert_eq!(judge(&cnf.to_string()), Ok(Some(certificate)));
        }

        #[test]
        fn mtls_03_no_other_text_is_a_thumbprint(text in "[A-Za-z0-9_-]{0,50}|.{0,50}") {
            let cnf = serde_json::json!({ "x5t#S256": text }).to_string();
            let is_one = base64url::decode(&text).is_some_and(|bytes| bytes.len() == 32);
            prop_assert_eq!(judge(&cnf).is_ok(), is_one);
        }
    }
}
