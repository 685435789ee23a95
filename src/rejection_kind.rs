//! Why a request is refused: one name per reason, shared by all that decide.

/// The reason for a refusal.
///
/// What a client is told follows from this alone: status, gRPC code, challenge and description
/// stand in one table, see [`Rejection`](crate::Rejection).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RejectionKind {
    /// No credentials of a scheme that is offered (RFC 6750 §3.1: no error information).
    MissingCredentials,
    /// `Authorization: Bearer` without a token68 after it.
    MalformedCredentials,
    /// More than one `Authorization` field.
    MultipleCredentials,
    /// A token in the header and `access_token` in the query too.
    CredentialsInQuery,
    /// The token is longer than 16384 bytes.
    TokenTooLarge,
    /// Not a JWT: parts, base64url or JSON are wrong.
    MalformedToken,
    /// A JWE.
    EncryptedToken,
    /// `alg` is missing, `none`, or not on the issuer's list.
    AlgorithmNotAllowed,
    /// `crit`, `b64` or nesting: the token asks for processing that we do not do.
    UnsupportedExtension,
    /// Another kind of JWT: an ID token, a logout token, a DPoP proof, a client assertion …
    WrongTokenType,
    /// `iss` is no configured issuer.
    UntrustedIssuer,
    /// The issuer has no key that could have signed the token.
    UnknownKey,
    /// No key of the issuer verifies the signature.
    BadSignature,
    /// A claim that the profile requires is missing.
    MissingClaim,
    /// A registered claim has the wrong JSON type or an impossible value.
    MalformedClaim,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// The authorization server says that the token is not active (RFC 7662 §2.2).
    Inactive,
    /// `aud` names others, not us.
    WrongAudience,
    /// The token is bound (`cnf`) to a key, or to another client certificate than the one that was
    /// shown with it, if any.
    SenderConstrained,
    /// A claim that the configuration requires has another value.
    RequiredClaimNotMet,
    /// The token is of another tenant than what the request is about. Clients are told the same as for
    /// [`RequiredClaimNotMet`](Self::RequiredClaimNotMet), which does not tell whether there is one.
    WrongTenant,
    /// The person has to log in again, now or in another way (RFC 9470).
    InsufficientUserAuthentication,
    /// The token lacks scope that this request needs.
    InsufficientScope,
    /// Authorized by nobody: caller kind, policy or ceiling refuse, and more scope would not help.
    Forbidden,
    /// The token is good, and the route hidden from those who may not use it: whatever more was wanted, the
    /// client is told that there is nothing here. What it was, [`Rejection::reason`](crate::Rejection::reason)
    /// knows.
    Hidden,
    /// No key can be had from the authorization server right now.
    KeysUnavailable,
    /// The authorization server cannot be asked about the token right now, or gives no usable answer.
    IntrospectionUnavailable,
    /// The authorization server wants the client to do something first: IBM MobileFirst's 409 with
    /// `MFP-Conflict`, which is passed on.
    Conflict,
    /// Our own fault; the request is refused all the same.
    Internal,
}

impl RejectionKind {
    /// Every reason, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    pub(crate) const COUNT: usize = Self::Internal as usize + 1;

    const ALL: [Self; Self::COUNT] = [
        Self::MissingCredentials,
        Self::MalformedCredentials,
        Self::MultipleCredentials,
        Self::CredentialsInQuery,
        Self::TokenTooLarge,
        Self::MalformedToken,
        Self::EncryptedToken,
        Self::AlgorithmNotAllowed,
        Self::UnsupportedExtension,
        Self::WrongTokenType,
        Self::UntrustedIssuer,
        Self::UnknownKey,
        Self::BadSignature,
        Self::MissingClaim,
        Self::MalformedClaim,
        Self::Expired,
        Self::NotYetValid,
        Self::Inactive,
        Self::WrongAudience,
        Self::SenderConstrained,
        Self::RequiredClaimNotMet,
        Self::WrongTenant,
        Self::InsufficientUserAuthentication,
        Self::InsufficientScope,
        Self::Forbidden,
        Self::Hidden,
        Self::KeysUnavailable,
        Self::IntrospectionUnavailable,
        Self::Conflict,
        Self::Internal,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_every_kind_once_in_order() {
        for (index, kind) in RejectionKind::all().enumerate() {
            assert_eq!(kind as usize, index);
        }
    }
}
