//! How we prove who we are (RFC 7662 §2.1, RFC 6749 §2.3.1).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::{Serializer, byte_serialize};
use http::HeaderValue;

use super::assertion::{self, Assertions};
use super::service_token::ServiceToken;

/// One of the ways, ready to use.
pub(super) enum ClientAuth {
    Basic(HeaderValue),
    Post { client_id: String, secret: String },
    PrivateKeyJwt(Box<Assertions>),
    Bearer(Arc<ServiceToken>),
}

impl ClientAuth {
    /// Adds to a form what proves us there; `None` where that cannot be made.
    pub(super) fn sign(&self, form: &mut Serializer<'_, String>) -> Option<()> {
        match self {
            Self::Basic(_) | Self::Bearer(_) => {}
            Self::Post { client_id, secret } => {
                form.append_pair("client_id", client_id).append_pair("client_secret", secret);
            }
            Self::PrivateKeyJwt(assertions) => {
                form.append_pair("client_id", &assertions.client_id)
                    .append_pair("client_assertion_type", assertion::TYPE)
                    .append_pair("client_assertion", &assertions.make()?);
            }
        }
        Some(())
    }

    /// The `Authorization` field, where it is always the same.
    pub(super) fn field(&self) -> Option<HeaderValue> {
        match self {
            Self::Basic(field) => Some(field.clone()),
            Self::Post { .. } | Self::PrivateKeyJwt(_) | Self::Bearer(_) => None,
        }
    }
}

/// Id and secret are form-encoded before RFC 7617 joins them (RFC 6749 §2.3.1).
pub(super) fn basic(client_id: &str, secret: &str) -> Option<HeaderValue> {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(client_id), encode(secret));
    field("Basic", &STANDARD.encode(pair))
}

/// `None` for what no header field may hold. It is shown to nobody.
pub(super) fn field(scheme: &str, credentials: &str) -> Option<HeaderValue> {
    let mut field = HeaderValue::from_str(&format!("{scheme} {credentials}")).ok()?;
    field.set_sensitive(true);
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intro_03_basic_is_form_encoded_first_and_never_shown() {
        let field = basic("a client:1", "p+%é").unwrap();
        let pair = STANDARD.encode("a+client%3A1:p%2B%25%C3%A9");
        assert_eq!(field.to_str().unwrap(), format!("Basic {pair}"));
        assert_eq!(format!("{field:?}"), "Sensitive");
    }
}
