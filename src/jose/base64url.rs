//! base64url without padding (RFC 7515 §2, RFC 4648 §5), one spelling per value.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// `None` for padding, other characters, a length of 1 mod 4, and trailing bits that are not zero.
pub(crate) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The longest text that decodes to at most `bytes` bytes.
pub(crate) const fn encoded_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jws_03_and_jws_04_only_the_canonical_spelling_decodes() {
        assert_eq!(decode("QQ"), Some(b"A".to_vec()));
        for bad in ["QR", "QQ=", "QQ==", "Q", "Q Q", "QQ\n", "Q+", "Q/", "Qé"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
