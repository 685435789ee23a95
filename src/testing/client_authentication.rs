//! Who asks for a token: `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::client::RegisteredClient;
use super::form::Form;
use super::state::State;
use super::token_error::TokenError;

/// The client that proved to know its secret, in exactly one way.
pub(super) fn authenticate(
    state: &State,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Arc<RegisteredClient>, TokenError> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (id, secret) = match (fields.next(), fields.next()) {
        (Some(_), Some(_)) => {
            return Err(TokenError::request("more than one Authorization header"));
        }
        (Some(field), None) => {
            if form.get("client_secret").is_some() {
                return Err(TokenError::request("two ways of client authentication at once"));
            }
            let (id, secret) = basic(field.as_bytes())
                .ok_or(TokenError::client("the Authorization header is not good Basic"))?;
            // RFC 6749 §3.2.1 lets a client name itself in the form as well.
            if form.get("client_id").is_some_and(|named| named != id) {
                return Err(TokenError::request("client_id is not the authenticated client"));
            }
            (id, secret)
        }
        (None, _) => match (form.get("client_id"), form.get("client_secret")) {
            (Some(id), Some(secret)) => (id.to_owned(), secret.to_owned()),
            _ => return Err(TokenError::client("the client did not authenticate")),
        },
    };
    // One message for both: who is registered is nobody's business.
    state
        .client(&id)
        .filter(|client| client.has_secret(&secret))
        .ok_or(TokenError::client("unknown client or wrong secret"))
}

/// Id and secret are form-encoded before RFC 7617 joins them (RFC 6749 §2.3.1).
fn basic(field: &[u8]) -> Option<(String, String)> {
    let field = std::str::from_utf8(field).ok()?;
    let (scheme, credentials) = field.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim_start()).ok()?).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret)))
}

/// One value in the encoding of forms. `&` and `=`, which many clients send as they are, mean
/// themselves here.
fn form_decoded(text: &str) -> String {
    let text = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(text.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scheme: &str, pair: &str) -> Option<(String, String)> {
        basic(format!("{scheme}{}", STANDARD.encode(pair)).as_bytes())
    }

    fn pair(id: &str, secret: &str) -> Option<(String, String)> {
        Some((id.to_owned(), secret.to_owned()))
    }

    #[test]
    fn basic_is_read_as_rfc_6749_writes_it() {
        assert_eq!(read("Basic ", "id:secret"), pair("id", "secret"));
        assert_eq!(read("bASIC   ", "id:se:cret"), pair("id", "se:cret"));
        assert_eq!(read("Basic ", "a%3Aid:p%20%2B+%25"), pair("a:id", "p + %"));
        assert_eq!(read("Basic ", "id:a&b=c"), pair("id", "a&b=c"));
        assert_eq!(read("Basic ", ":"), pair("", ""));
        assert_eq!(read("Basic ", "id:100%"), pair("id", "100%"));
    }

    #[test]
    fn what_is_not_basic_is_no_credential() {
        assert_eq!(read("Bearer ", "id:secret"), None);
        assert_eq!(read("Basic", "id:secret"), None);
        assert_eq!(read("Basic ", "no colon"), None);
        for field in ["", "Basic", "Basic ", "Basic !", "Basic aWQ6c2VjcmV0=", "Basic \u{e9}"] {
            assert_eq!(basic(field.as_bytes()), None, "{field:?}");
        }
        assert_eq!(basic(b"Basic \xff"), None);
    }
}
