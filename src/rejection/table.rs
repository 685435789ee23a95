//! The one table from a reason to what the client is told.

use http::StatusCode;

use crate::rejection_kind::RejectionKind;

/// What a client is told about one reason.
pub(super) struct Row {
    pub(super) status: StatusCode,
    /// The code of a gRPC answer (UNAUTHENTICATED 16, PERMISSION_DENIED 7, NOT_FOUND 5,
    /// UNAVAILABLE 14, ABORTED 10, INTERNAL 13).
    pub(super) grpc: u8,
    pub(super) challenge: Challenge,
    /// Fixed text in the characters of RFC 6750 §3; nothing of the token is ever in it.
    pub(super) description: &'static str,
}

/// What the challenge says besides realm and metadata address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// 503, 409 and 500: whether the token is any good is not known, so nothing is said about it. 404:
    /// nothing is said at all.
    None,
    /// No `error`, but the scope that the request needs (RFC 6750 §3.1, first paragraph).
    Invitation,
    /// `invalid_request` (RFC 6750 §3.1). Another token would not help, so no scope.
    InvalidRequest,
    /// `invalid_token` and scope (RFC 6750 §3.1, RFC 9068 §4).
    InvalidToken,
    /// `insufficient_user_authentication`, what the login has to be like, and scope (RFC 9470 §3).
    InsufficientLogin,
    /// `insufficient_scope` and scope (RFC 6750 §3.1).
    InsufficientScope,
    /// Neither `error` nor scope: nothing that the client could ask for would help.
    Denial,
}

pub(super) const fn row(kind: RejectionKind) -> Row {
    use Challenge as C;
    use RejectionKind as K;
    match kind {
        // RFC 6750 §3.1: no authentication information, no error information.
        K::MissingCredentials => {
            Row::new(StatusCode::UNAUTHORIZED, C::Invitation, "An access token is required")
        }
        // RFC 6750 §3.1, invalid_request.
        K::MalformedCredentials => Row::bad_request("The Authorization header is malformed"),
        K::MultipleCredentials => {
            Row::bad_request("The request has more than one Authorization header")
        }
        K::CredentialsInQuery => {
            Row::bad_request("The request has an access token in both header and query")
        }
        K::TokenTooLarge => Row::bad_request("The access token is too large"),
        // RFC 6750 §3.1, invalid_token; RFC 9068 §4 for all that its validation finds.
        K::MalformedToken => Row::bad_token("The access token is malformed"),
        K::EncryptedToken => Row::bad_token("Encrypted access tokens are not accepted"),
        K::AlgorithmNotAllowed => {
            Row::bad_token("The access token is signed with an algorithm that is not accepted")
        }
        K::UnsupportedExtension => {
            Row::bad_token("The access token uses an extension that is not supported")
        }
        K::WrongTokenType => Row::bad_token("The token is not an access token"),
        K::UntrustedIssuer => {
            Row::bad_token("The access token is from an issuer not accepted here")
        }
        // RFC 8725 §2.1: the client must not learn which of the two it was.
        K::UnknownKey | K::BadSignature => {
            Row::bad_token("The signature of the access token cannot be verified")
        }
        K::MissingClaim => Row::bad_token("The access token lacks a required claim"),
        K::MalformedClaim => Row::bad_token("The access token has a malformed claim"),
        K::Expired => Row::bad_token("The access token expired"),
        K::NotYetValid => Row::bad_token("The access token is not valid yet"),
        // RFC 7662 §2.2 does not say why, so neither can we.
        K::Inactive => Row::bad_token("The access token is not active"),
        K::WrongAudience => Row::bad_token("The access token is meant for another audience"),
        // RFC 9449 §7.2, RFC 8705 §3.
        K::SenderConstrained => {
            Row::bad_token("The access token is bound to a key that was not proven")
        }
        // A client must not learn from the text which tenants there are.
        K::RequiredClaimNotMet | K::WrongTenant => {
            Row::bad_token("The access token is not meant for this use")
        }
        // RFC 9470 §3.
        K::InsufficientUserAuthentication => Row::new(
            StatusCode::UNAUTHORIZED,
            C::InsufficientLogin,
            "A more recent or a stronger authentication is required",
        ),
        // RFC 6750 §3.1, insufficient_scope.
        K::InsufficientScope => Row::new(
            StatusCode::FORBIDDEN,
            C::InsufficientScope,
            "The access token lacks scope that this request needs",
        ),
        // RFC 9110 §15.5.4; RFC 6750 has no code for it.
        K::Forbidden => Row::new(
            StatusCode::FORBIDDEN,
            C::Denial,
            "This request is not allowed with this access token",
        ),
        // RFC 9110 §15.5.4: 404 in place of 403, where not even the existence is to be told.
        K::Hidden => Row::new(StatusCode::NOT_FOUND, C::None, "There is nothing here"),
        // RFC 9110 §15.6.4.
        K::KeysUnavailable | K::IntrospectionUnavailable => Row::new(
            StatusCode::SERVICE_UNAVAILABLE,
            C::None,
            "Access tokens cannot be verified right now",
        ),
        // What to do stands in a field of the authorization server's own.
        K::Conflict => Row::new(
            StatusCode::CONFLICT,
            C::None,
            "The authorization server reports a conflict about the access token",
        ),
        K::Internal => {
            Row::new(StatusCode::INTERNAL_SERVER_ERROR, C::None, "The request could not be judged")
        }
    }
}

impl Row {
    const fn new(status: StatusCode, challenge: Challenge, description: &'static str) -> Self {
        let grpc = match status {
            StatusCode::FORBIDDEN => 7,
            StatusCode::NOT_FOUND => 5,
            StatusCode::CONFLICT => 10,
            StatusCode::SERVICE_UNAVAILABLE => 14,
            StatusCode::INTERNAL_SERVER_ERROR => 13,
            _ => 16,
        };
        Self { status, grpc, challenge, description }
    }

    const fn bad_request(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Challenge::InvalidRequest, description)
    }

    const fn bad_token(description: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Challenge::InvalidToken, description)
    }
}

impl Challenge {
    /// The `error` code (RFC 6750 §3.1).
    pub(crate) const fn error(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Invitation | Self::Denial => None,
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientLogin => Some("insufficient_user_authentication"),
            Self::InsufficientScope => Some("insufficient_scope"),
        }
    }
}
