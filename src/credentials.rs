//! What the client presented: the `Authorization` field, judged by its form alone.
//!
//! 1. One field at most (RFC 9110 §5.3: it is no list). A blank one counts as absent.
//! 2. A scheme that is not offered counts as absent. Schemes compare without regard to case.
//! 3. After `Bearer` come one or more spaces and one token68 (RFC 9110 §11.2), at most
//!    [`MAX_TOKEN`] bytes. Whether it is a token68 is a question of its own ([`check_alphabet`]):
//!    what turns out to be a JWT is one, so that only what does not has to be asked.
//! 4. A token in the query is never used (RFC 9700 §4.3.2). Next to one in the header it makes the
//!    request ambiguous, and refused unless configured otherwise.
//!
//! Nothing is decoded here, and the body is never read.

use http::header::{AUTHORIZATION, HeaderMap};
use http::{HeaderValue, Uri};

use crate::rejection_kind::RejectionKind;

/// Longer tokens are refused before anything looks at them. Bytes.
pub(crate) const MAX_TOKEN: usize = 16_384;

const SCHEME: &[u8] = b"bearer";
const QUERY_KEY: &str = "access_token";

/// What to do with `access_token` in the query when the header holds a token too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum QueryToken {
    /// Refuse the request: two methods at once are `invalid_request` (RFC 6750 §3.1).
    #[default]
    Refuse,
    /// Look at the header alone, as the OAuth 2.1 draft has it (§5.1).
    Ignore,
}

/// What a request presents as its bearer token: the size is good, nothing else is known.
pub(crate) fn bearer_token<'a>(
    headers: &'a HeaderMap,
    uri: &Uri,
    query_token: QueryToken,
) -> Result<&'a [u8], RejectionKind> {
    let token = after_scheme(authorization(headers)?)?;
    check_size(token)?;
    if query_token == QueryToken::Refuse && uri.query().is_some_and(names_access_token) {
        check_alphabet(token)?;
        return Err(RejectionKind::CredentialsInQuery);
    }
    Ok(token)
}

fn authorization(headers: &HeaderMap) -> Result<&[u8], RejectionKind> {
    let mut fields = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    let first = fields.next().unwrap_or_default().trim_ascii();
    match fields.next() {
        None if first.is_empty() => Err(RejectionKind::MissingCredentials),
        None => Ok(first),
        Some(second) => {
            let blank = first.is_empty()
                && second.trim_ascii().is_empty()
                && fields.all(|field| field.trim_ascii().is_empty());
            Err(if blank {
                RejectionKind::MissingCredentials
            } else {
                RejectionKind::MultipleCredentials
            })
        }
    }
}

/// What follows the scheme and the spaces after it. A tab is no space, so it stays.
fn after_scheme(value: &[u8]) -> Result<&[u8], RejectionKind> {
    match value.split_at_checked(SCHEME.len()) {
        Some((scheme, rest))
            if scheme.eq_ignore_ascii_case(SCHEME)
                && rest.first().is_none_or(|next| matches!(next, b' ' | b'\t')) =>
        {
            let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
            Ok(rest.get(spaces..).unwrap_or_default())
        }
        _ => Err(RejectionKind::MissingCredentials),
    }
}

/// Whether a token has at most [`MAX_TOKEN`] bytes.
pub(crate) fn check_size(token: &[u8]) -> Result<(), RejectionKind> {
    if token.len() > MAX_TOKEN { Err(RejectionKind::TokenTooLarge) } else { Ok(()) }
}

/// Whether a token is a token68.
pub(crate) fn check_alphabet(token: &[u8]) -> Result<(), RejectionKind> {
    let padding = token.iter().rev().take_while(|byte| **byte == b'=').count();
    let characters = token.get(..token.len() - padding).unwrap_or_default();
    if characters.is_empty() || !are_token68(characters) {
        return Err(RejectionKind::MalformedCredentials);
    }
    Ok(())
}

/// Without a branch per byte, so that the compiler takes many at once.
fn are_token68(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, byte| {
        let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        // `-`, `.`, `/` and the digits stand in a row.
        let is_digit_or_mark = byte.wrapping_sub(b'-') <= b'9' - b'-';
        all & (is_letter | is_digit_or_mark | (*byte == b'_') | (*byte == b'~') | (*byte == b'+'))
    })
}

/// The key is decoded once and compared as it is; the value is not looked at.
fn names_access_token(query: &str) -> bool {
    query.split('&').any(|pair| {
        let key = pair.split('=').next().unwrap_or_default();
        key == QUERY_KEY
            || (key.contains('%')
                && form_urlencoded::parse(key.as_bytes()).any(|(key, _)| key == QUERY_KEY))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(values: &[&[u8]]) -> Result<String, RejectionKind> {
        judge_with(values, "/r", QueryToken::Refuse)
    }

    fn judge_with(values: &[&[u8]], uri: &str, query: QueryToken) -> Result<String, RejectionKind> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        let token = bearer_token(&headers, &uri.parse().unwrap(), query)?;
        check_alphabet(token)?;
        Ok(str::from_utf8(token).unwrap().to_owned())
    }

    #[test]
    fn hdr_01_hdr_02_hdr_03_the_scheme_in_any_case_and_spaces() {
        for value in ["Bearer a.b", "bearer a.b", "BEARER a.b", "bEaReR a.b", "Bearer   a.b"] {
            assert_eq!(judge(&[value.as_bytes()]).as_deref(), Ok("a.b"), "{value}");
        }
        assert_eq!(judge(&[b"Bearer -._~+/09AZaz=="]).as_deref(), Ok("-._~+/09AZaz=="));
    }

    #[test]
    fn hdr_03_the_alphabet_of_token68_is_that_of_the_rfc() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(are_token68(&[byte]), expected, "{byte}");
            assert_eq!(are_token68(&[&[b'a'; 40], &[byte][..], &[b'b'; 40]].concat()), expected);
        }
    }

    #[test]
    fn hdr_03_hdr_04_hdr_05_hdr_11_malformed_is_not_anonymous() {
        let bad: [&[u8]; 14] = [
            b"Bearer",
            b"Bearer ",
            b"bearer\t",
            b"Bearer\ta",
            b"Bearer \ta",
            b"Bearer a,b",
            b"Bearer a b",
            b"Bearer \"a\"",
            b"Bearer =a",
            b"Bearer =",
            b"Bearer a=b",
            b"Bearer a\x80",
            b"Bearer a, Bearer a",
            b"Bearer a\xC2\xA0",
        ];
        for value in bad {
            assert_eq!(judge(&[value]), Err(RejectionKind::MalformedCredentials), "{value:?}");
        }
    }

    #[test]
    fn hdr_06_hdr_07_hdr_08_absent_blank_or_foreign_is_no_credential() {
        assert_eq!(judge(&[]), Err(RejectionKind::MissingCredentials));
        let none: [&[u8]; 11] = [
            b"",
            b"  ",
            b"\t",
            b"Basic dTpw",
            b"Negotiate",
            b"Bearerx a",
            b"Bearera",
            b"DPoP a",
            b"Bearer:a",
            b"Bearer\xC2\xA0a",
            b"Be",
        ];
        for value in none {
            assert_eq!(judge(&[value]), Err(RejectionKind::MissingCredentials), "{value:?}");
        }
    }

    #[test]
    fn hdr_09_hdr_10_two_fields_are_refused_even_when_equal() {
        let two: [[&[u8]; 2]; 5] = [
            [b"Bearer a", b"Bearer a"],
            [b"Bearer a", b"DPoP a"],
            [b"Basic a", b"Bearer a"],
            [b"", b"Bearer a"],
            [b"Bearer a", b""],
        ];
        for values in two {
            assert_eq!(judge(&values), Err(RejectionKind::MultipleCredentials), "{values:?}");
        }
        for third in [&b"Bearer a"[..], b"Basic a"] {
            assert_eq!(judge(&[b"", b" ", third]), Err(RejectionKind::MultipleCredentials));
        }
        assert_eq!(judge(&[b"", b" "]), Err(RejectionKind::MissingCredentials));
        assert_eq!(judge(&[b"", b" ", b""]), Err(RejectionKind::MissingCredentials));
    }

    #[test]
    fn hdr_12_the_size_is_judged_first() {
        let fits = format!("Bearer {}", "a".repeat(MAX_TOKEN));
        assert!(judge(&[fits.as_bytes()]).is_ok());
        let over = format!("Bearer {}", ",".repeat(MAX_TOKEN + 1));
        assert_eq!(judge(&[over.as_bytes()]), Err(RejectionKind::TokenTooLarge));
    }

    #[test]
    fn hdr_13_proxy_authorization_is_never_read() {
        let mut headers = HeaderMap::new();
        headers.insert("proxy-authorization", HeaderValue::from_static("Bearer a"));
        let judged = bearer_token(&headers, &Uri::from_static("/r"), QueryToken::Refuse);
        assert_eq!(judged, Err(RejectionKind::MissingCredentials));
    }

    #[test]
    fn bearer_01_bearer_02_bearer_03_a_query_token_is_never_used() {
        let header: &[&[u8]] = &[b"Bearer a"];
        for query in ["access_token=x", "x=1&access_token", "access%5Ftoken=x", "access_toke%6e="] {
            let uri = format!("/r?{query}");
            assert_eq!(
                judge_with(&[], &uri, QueryToken::Refuse),
                Err(RejectionKind::MissingCredentials)
            );
            assert_eq!(
                judge_with(header, &uri, QueryToken::Refuse),
                Err(RejectionKind::CredentialsInQuery),
                "{uri}"
            );
            assert!(judge_with(header, &uri, QueryToken::Ignore).is_ok());
        }
        // What is no token is not one too many.
        for malformed in [&b"Bearer"[..], b"Bearer a,b", b"Bearer =a"] {
            assert_eq!(
                judge_with(&[malformed], "/r?access_token=x", QueryToken::Refuse),
                Err(RejectionKind::MalformedCredentials)
            );
        }
        for query in ["Access_Token=x", "x=access_token", "access_token2=x", "access%255Ftoken=x"] {
            assert!(judge_with(header, &format!("/r?{query}"), QueryToken::Refuse).is_ok());
        }
    }
}
