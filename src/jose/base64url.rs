//! base64url without padding (RFC 7515 §2, RFC 4648 §5), one spelling per value.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::NO_PAD;

// The library has vector instructions for these two, and says so in its types.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Codec = base64::engine::GeneralPurpose;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
type Codec = base64::engine::Simd;

static CODEC: LazyLock<Codec> = LazyLock::new(|| {
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Codec::new(&base64::alphabet::URL_SAFE, NO_PAD);
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Codec::url_safe(NO_PAD);
});

/// `None` for padding, other characters, a length of 1 mod 4, and trailing bits that are not zero.
pub(crate) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    CODEC.decode(text).ok()
}

/// As [`decode`], to the end of what is in `bytes`, which then holds nothing useful if it fails.
pub(crate) fn decode_to(text: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    CODEC.decode_vec(text, bytes).ok()
}

/// The length of text that decodes to as many bytes, and so the longest that may be looked at where
/// no more are allowed; up to two more can be in it.
pub(crate) const fn encoded_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    CODEC.encode(bytes)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn jws_03_and_jws_04_only_the_canonical_spelling_decodes() {
        assert_eq!(decode("QQ"), Some(b"A".to_vec()));
        for bad in ["QR", "QQ=", "QQ==", "Q", "Q Q", "QQ\n", "Q+", "Q/", "Qé"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    /// Long texts go through other instructions than short ones, and so does each place in them.
    #[test]
    fn jws_03_and_jws_04_so_does_only_the_canonical_spelling_of_long_texts() {
        for length in (0..200).chain([1000]) {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 89 + length) as u8).collect();
            let text = encode(&bytes);
            assert_eq!(text, URL_SAFE_NO_PAD.encode(&bytes));
            assert_eq!(decode(&text), Some(bytes));
        }
        let good = encode([0xA5; 150]);
        for place in 0..good.len() {
            for byte in 0..=u8::MAX {
                let mut text = good.clone().into_bytes();
                text[place] = byte;
                assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok(), "{byte} at {place}");
            }
        }
    }
}
