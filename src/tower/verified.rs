//! The token of a request that has passed a layer, for the handler behind it.

use http::Extensions;

use crate::access_token::AccessToken;
use crate::rejection::Rejection;

/// In the extensions of a request that was let through without a token: how it would have been
/// refused. Handlers tell by it that there was a layer.
#[derive(Debug, Clone)]
pub(crate) struct Anonymous(pub(crate) Rejection);

/// Why a request has no verified token.
pub(crate) enum NoToken<'a> {
    /// It was let through without one.
    Anonymous(&'a Rejection),
    /// No layer has looked at it.
    MissingLayer,
}

pub(crate) fn verified(extensions: &Extensions) -> Result<&AccessToken, NoToken<'_>> {
    extensions.get().ok_or_else(|| match extensions.get() {
        Some(Anonymous(rejection)) => NoToken::Anonymous(rejection),
        None => NoToken::MissingLayer,
    })
}
