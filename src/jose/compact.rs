//! The three parts of a compact JWS (RFC 7515 §7.1).

use super::{JwsError, base64url};

/// Decoded header bytes beyond this are refused before they are decoded.
pub(crate) const MAX_HEADER: usize = 4096;

/// A token taken apart and decoded; nothing in it has been believed yet.
pub(crate) struct CompactJws<'a> {
    /// What was signed: the received bytes of parts one and two with the period between them.
    pub(crate) signing_input: &'a [u8],
    /// All three parts, decoded, one after the other.
    decoded: Vec<u8>,
    header_ends: usize,
    payload_ends: usize,
}

impl<'a> CompactJws<'a> {
    pub(crate) fn parse(token: &'a [u8]) -> Result<Self, JwsError> {
        let mut periods = memchr::memchr_iter(b'.', token);
        let (first, second) = periods.next().zip(periods.next()).ok_or(JwsError::Malformed)?;
        if periods.next().is_some() {
            let is_jwe = periods.count() == 1;
            return Err(if is_jwe { JwsError::Encrypted } else { JwsError::Malformed });
        }
        if first > base64url::encoded_len(MAX_HEADER) {
            return Err(JwsError::Malformed);
        }
        let mut decoded = Vec::with_capacity(token.len() / 4 * 3);
        let mut decode = |part| {
            let part = token.get(part).ok_or(JwsError::Malformed)?;
            base64url::decode_to(part, &mut decoded).ok_or(JwsError::Malformed)?;
            Ok(decoded.len())
        };
        let header_ends = decode(0..first)?;
        let payload_ends = decode(first + 1..second)?;
        decode(second + 1..token.len())?;
        let signing_input = token.get(..second).ok_or(JwsError::Malformed)?;
        Ok(Self { signing_input, decoded, header_ends, payload_ends })
    }

    pub(crate) fn header(&self) -> &[u8] {
        self.decoded.get(..self.header_ends).unwrap_or_default()
    }

    pub(crate) fn payload(&self) -> &[u8] {
        self.decoded.get(self.header_ends..self.payload_ends).unwrap_or_default()
    }

    pub(crate) fn signature(&self) -> &[u8] {
        self.decoded.get(self.payload_ends..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(token: &str) -> Option<JwsError> {
        CompactJws::parse(token.as_bytes()).err()
    }

    #[test]
    fn jws_01_exactly_two_periods() {
        assert_eq!(fault("QQ.QQ.QQ"), None);
        for token in ["", "QQ", "QQ.QQ", "QQ.QQ.QQ.QQ", "QQ.QQ.QQ.QQ.QQ.QQ", "{\"payload\":\"QQ\"}"]
        {
            assert_eq!(fault(token), Some(JwsError::Malformed), "{token}");
        }
    }

    #[test]
    fn bcp_03_f18_five_parts_are_a_jwe() {
        assert_eq!(fault("QQ.QQ.QQ.QQ.QQ"), Some(JwsError::Encrypted));
    }

    #[test]
    fn jws_02_and_jws_03_other_characters_are_no_jwt() {
        for part in ["Q+Q", "Q/Q", "Q~Q", "QQ=", "Q", "Q Q", "Q\nQ", "Qé"] {
            for token in [format!("{part}.QQ.QQ"), format!("QQ.{part}.QQ"), format!("QQ.QQ.{part}")]
            {
                assert_eq!(fault(&token), Some(JwsError::Malformed), "{token}");
            }
        }
    }

    #[test]
    fn jws_13_the_signing_input_is_the_received_text() {
        let jws = CompactJws::parse(b"e30.QQ.QUI").unwrap();
        assert_eq!(jws.signing_input, b"e30.QQ");
        assert_eq!(jws.header(), b"{}");
        assert_eq!(jws.signature(), b"AB");
    }

    #[test]
    fn jws_15_a_header_over_the_limit_is_not_decoded() {
        // Whole groups of four, so that nothing but the length is wrong.
        let longest = base64url::encoded_len(MAX_HEADER);
        assert_eq!(fault(&format!("{}.QQ.QQ", "A".repeat(longest))), None);
        assert_eq!(fault(&format!("{}.QQ.QQ", "A".repeat(longest + 4))), Some(JwsError::Malformed));
    }
}
