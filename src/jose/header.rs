//! The JOSE header (RFC 7515 §4): what it may say, and what makes us refuse it.

use std::borrow::Cow;

use super::compact::MAX_HEADER;
use super::json::Json;
use super::{Algorithm, JwsError, json};

/// Longer key identifiers are refused.
const MAX_KID: usize = 256;

/// The members that matter. Everything else in the header has no effect, by intention: `jku`,
/// `jwk`, `x5u` and `x5c` would let the token bring its own key (RFC 8725 §3.10).
#[derive(Debug)]
pub(crate) struct JoseHeader<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Cow<'a, str>>,
    /// The media type in lower case without `application/`.
    pub(crate) typ: Option<Cow<'a, str>>,
}

impl<'a> JoseHeader<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, JwsError> {
        if bytes.len() > MAX_HEADER {
            return Err(JwsError::Malformed);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| JwsError::Malformed)?;
        let mut header = json::members(text).map_err(|_| JwsError::Malformed)?;
        // We implement no extension, so naming one is enough (RFC 7515 §4.1.11, RFC 7797 §6).
        if header.contains("crit") || header.contains("b64") {
            return Err(JwsError::Extension);
        }
        let algorithm = match header.get("alg") {
            Some(Json::String(name)) => Algorithm::from_name(name).ok_or(JwsError::Algorithm)?,
            _ => return Err(JwsError::Algorithm),
        };
        let kid = string(header.take("kid"))?;
        if kid.as_ref().is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KID) {
            return Err(JwsError::Malformed);
        }
        let typ = string(header.take("typ"))?.map(media_type);
        let cty = string(header.take("cty"))?.map(media_type);
        // A JWT inside a JWT (RFC 7519 §5.2).
        if cty.as_deref() == Some("jwt") {
            return Err(JwsError::Extension);
        }
        Ok(Self { algorithm, kid, typ })
    }
}

fn string(member: Option<Json<'_>>) -> Result<Option<Cow<'_, str>>, JwsError> {
    match member {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwsError::Malformed),
    }
}

/// Media types compare without regard to case; a missing slash means `application/`
/// (RFC 7515 §4.1.9).
fn media_type(text: Cow<'_, str>) -> Cow<'_, str> {
    const APPLICATION: &str = "application/";
    if text.len() <= APPLICATION.len() && !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return text;
    }
    let text = text.to_ascii_lowercase();
    match text.strip_prefix(APPLICATION) {
        Some(subtype) if !subtype.contains('/') => subtype.to_owned().into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<JoseHeader<'_>, JwsError> {
        JoseHeader::parse(text.as_bytes())
    }

    #[test]
    fn jws_07_alg_is_a_known_name() {
        assert_eq!(parse(r#"{"alg":"ES256"}"#).unwrap().algorithm, Algorithm::ES256);
        for text in [
            r"{}",
            r#"{"alg":null}"#,
            r#"{"alg":["ES256"]}"#,
            r#"{"alg":"es256"}"#,
            r#"{"alg":"none"}"#,
            r#"{"alg":"RSA1_5"}"#,
            r#"{"alg":""}"#,
        ] {
            assert_eq!(parse(text).unwrap_err(), JwsError::Algorithm, "{text}");
        }
    }

    #[test]
    fn jws_08_jws_09_jws_10_any_crit_or_b64_is_refused() {
        for member in [
            r#""crit":["exp"]"#,
            r#""crit":["x"],"x":1"#,
            r#""crit":[]"#,
            r#""crit":"b64""#,
            r#""crit":["alg"]"#,
            r#""crit":["x","x"]"#,
            r#""crit":null"#,
            r#""b64":false"#,
            r#""b64":true"#,
            r#""b64":false,"crit":["b64"]"#,
        ] {
            let text = format!(r#"{{"alg":"ES256",{member}}}"#);
            assert_eq!(parse(&text).unwrap_err(), JwsError::Extension, "{text}");
        }
    }

    #[test]
    fn jws_12_typ_is_a_media_type() {
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
            let text = format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#);
            let header = parse(&text).unwrap();
            assert_eq!(header.typ.as_deref(), Some("at+jwt"), "{typ}");
        }
        let header = parse(r#"{"alg":"ES256","typ":"application/at+jwt/x"}"#).unwrap();
        assert_ne!(header.typ.as_deref(), Some("at+jwt/x"));
        assert_eq!(parse(r#"{"alg":"ES256","typ":7}"#).unwrap_err(), JwsError::Malformed);
    }

    #[test]
    fn jws_14_a_nested_jwt_is_refused() {
        for cty in ["JWT", "jwt", "application/jwt"] {
            let text = format!(r#"{{"alg":"ES256","cty":"{cty}"}}"#);
            assert_eq!(parse(&text).unwrap_err(), JwsError::Extension, "{text}");
        }
        assert!(parse(r#"{"alg":"ES256","cty":"text/plain"}"#).is_ok());
    }

    #[test]
    fn jws_15_kid_is_a_short_string() {
        let with = |kid: &str| {
            let text = format!(r#"{{"alg":"ES256","kid":{kid}}}"#);
            parse(&text).map(|header| header.kid.map(Cow::into_owned))
        };
        assert_eq!(with(r#""k1""#).unwrap().as_deref(), Some("k1"));
        assert!(with(&format!("\"{}\"", "k".repeat(256))).is_ok());
        for kid in ["7", "null", "\"\"", "[\"k1\"]", &format!("\"{}\"", "k".repeat(257))] {
            assert_eq!(with(kid).unwrap_err(), JwsError::Malformed, "{kid}");
        }
    }

    #[test]
    fn jws_15_a_header_has_4096_bytes_at_most() {
        let of = |bytes: usize| {
            let rest = bytes - r#"{"alg":"ES256","x":""}"#.len();
            let text = format!(r#"{{"alg":"ES256","x":"{}"}}"#, "x".repeat(rest));
            parse(&text).map(|header| header.algorithm)
        };
        assert!(of(MAX_HEADER).is_ok());
        assert_eq!(of(MAX_HEADER + 1).unwrap_err(), JwsError::Malformed);
    }

    #[test]
    fn jws_11_members_that_bring_keys_have_no_effect() {
        let header = parse(
            r#"{"alg":"ES256","jku":"http://probe/","jwk":{"kty":"EC"},"x5u":7,"x5c":["AA"]}"#,
        )
        .unwrap();
        assert_eq!(header.kid, None);
    }
}
