//! The three parts of a compact JWS (RFC 7515 §7.1).

use super::{JwsError, base64url};

/// Decoded header bytes beyond this are refused before they are decoded.
pub(crate) const MAX_HEADER: usize = 4096;

/// A token taken apart and decoded; nothing in it has been believed yet.
pub(crate) struct CompactJws<'a> {
    /// What was signed: the received bytes of parts one and two with the period between them.
    pub(crate) signing_input: &'a [u8],
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl<'a> CompactJws<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, JwsError> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(JwsError::Malformed);
        };
        match parts.count() {
            0 => {}
            2 => return Err(JwsError::Encrypted),
            _ => return Err(JwsError::Malformed),
        }
        if header.len() > base64url::encoded_len(MAX_HEADER) {
            return Err(JwsError::Malformed);
        }
        let signed = header.len() + 1 + payload.len();
        let decode = |part| base64url::decode(part).ok_or(JwsError::Malformed);
        Ok(Self {
            signing_input: token.as_bytes().get(..signed).ok_or(JwsError::Malformed)?,
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(token: &str) -> Option<JwsError> {
        CompactJws::parse(token).err()
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
        let jws = CompactJws::parse("e30.QQ.QUI").unwrap();
        assert_eq!(jws.signing_input, b"e30.QQ");
        assert_eq!(jws.header, b"{}");
        assert_eq!(jws.signature, b"AB");
    }

    #[test]
    fn jws_15_a_header_over_the_limit_is_not_decoded() {
        // Whole groups of four, so that nothing but the length is wrong.
        let longest = base64url::encoded_len(MAX_HEADER);
        assert_eq!(fault(&format!("{}.QQ.QQ", "A".repeat(longest))), None);
        assert_eq!(fault(&format!("{}.QQ.QQ", "A".repeat(longest + 4))), Some(JwsError::Malformed));
    }
}
