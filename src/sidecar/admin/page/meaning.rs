//! What an outcome usually means, for the one who has to do something about it.

use crate::rejection_kind::RejectionKind;
use crate::sidecar::telemetry::{BadRequest, Class, Outcome, UpstreamFailure};

pub(super) const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Allowed => "Allowed",
        Class::Public => "Public",
        Class::Preflight => "Preflight",
        Class::Metadata => "Metadata",
        Class::Refused => "Refused",
        Class::BadRequest => "Bad request",
        Class::UpstreamFailed => "Upstream failed",
        Class::ClientGone => "Client gone",
        Class::CutOff => "Cut off",
    }
}

/// One sentence; `None` for what needs no explanation.
pub(super) const fn meaning(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Allowed
        | Outcome::Public
        | Outcome::Preflight
        | Outcome::Metadata
        | Outcome::ClientGone
        | Outcome::CutOff => None,
        Outcome::Refused(kind) => Some(refused(kind)),
        Outcome::BadRequest(kind) => Some(bad(kind)),
        Outcome::UpstreamFailed(kind) => Some(upstream(kind)),
    }
}

const fn refused(kind: RejectionKind) -> &'static str {
    use RejectionKind as K;
    match kind {
        K::MissingCredentials => {
            "Clients came without a token: usual for a first try, or a proxy before this one drops \
             the Authorization field."
        }
        K::MalformedCredentials => {
            "What follows “Bearer” is no token: look at how clients build it."
        }
        K::MultipleCredentials => {
            "More than one Authorization field: often a gateway that adds its own."
        }
        K::CredentialsInQuery => "A token in the field and another one in the query.",
        K::TokenTooLarge => "Tokens above 16 KiB: too many claims, groups most often.",
        K::MalformedToken => {
            "Not a JWT: often an opaque token, which the authorization server issues where no \
             audience was asked for."
        }
        K::EncryptedToken => "Encrypted tokens: switch encryption off for this API.",
        K::AlgorithmNotAllowed => {
            "Signed with an algorithm that PORTCULLIS_ALGORITHMS does not list."
        }
        K::UnsupportedExtension => {
            "The token asks for processing that is not done here (crit, b64)."
        }
        K::WrongTokenType => {
            "Another kind of token, most often an ID token instead of the access token."
        }
        K::UntrustedIssuer => {
            "Tokens of an issuer that PORTCULLIS_ISSUER does not list: look for a missing or added \
             slash, or another tenant."
        }
        K::UnknownKey => {
            "The issuer does not publish the key that the token names: another environment, or a \
             forged token."
        }
        K::BadSignature => "The signature is wrong: a changed or forged token.",
        K::MissingClaim => "A required claim is missing, aud most often: look at the profile.",
        K::MalformedClaim => "A claim has the wrong type or an impossible value.",
        K::Expired => {
            "Clients use tokens past their end: they should ask for a new one after a 401."
        }
        K::NotYetValid => "Tokens from the future: the clocks of the machines differ.",
        K::Inactive => {
            "The authorization server says that the token is not active: expired, revoked or made up."
        }
        K::WrongAudience => {
            "Tokens for another API: clients should ask for this audience, or PORTCULLIS_AUDIENCE is \
             wrong."
        }
        K::SenderConstrained => {
            "Tokens that are bound to a key (DPoP), or to a client certificate that was not shown: Envoy \
             passes it on with include_peer_certificate."
        }
        K::RequiredClaimNotMet => {
            "A claim has not the value that PORTCULLIS_REQUIRED_CLAIMS asks for."
        }
        K::WrongTenant => {
            "Tokens of one tenant were used for another's data, or the host or path names none."
        }
        K::InsufficientUserAuthentication => {
            "People have to log in again, now or in another way: clients are told so."
        }
        K::InsufficientScope => "Clients lack scope for what they ask: they are told which.",
        K::Forbidden => "A rule refuses this caller, whatever its scope.",
        K::Hidden => "The route is hidden from this caller, who was answered 404.",
        K::KeysUnavailable => {
            "The authorization server gives no keys, see above: requests were answered with 503."
        }
        K::IntrospectionUnavailable => {
            "The authorization server gives no usable answer about tokens, see the log: requests were \
             answered with 503."
        }
        K::Conflict => {
            "The authorization server wants clients to do something first, which they were told."
        }
        K::Internal => "A fault of portcullis itself: please report it.",
    }
}

const fn bad(kind: BadRequest) -> &'static str {
    match kind {
        BadRequest::AmbiguousPath => {
            "Paths that rules and the upstream could read differently (//, .., %2F): scanners, or a \
             client that joins paths carelessly."
        }
        BadRequest::Target => "The target or the Host of the request is none.",
        BadRequest::Method => "CONNECT, or a method that is not served.",
        BadRequest::Framing => "The end of a body was ambiguous: a broken client, or smuggling.",
        BadRequest::Expectation => "An Expect field with something other than 100-continue.",
        BadRequest::UntrustedGateway => {
            "A gateway asked whose address PORTCULLIS_TRUSTED_PROXIES does not hold."
        }
        BadRequest::OriginalMissing => {
            "A gateway does not say which method and path were asked for: look at its configuration."
        }
        BadRequest::OriginalContradictory => {
            "Two accounts of what was asked for differ: a client sends fields that its gateway should \
             take away, or has forged them."
        }
        BadRequest::OriginalMalformed => {
            "What a gateway says was asked for is no method, path, scheme or host."
        }
        BadRequest::OriginalTooLarge => {
            "More than 100 fields, or 64 KiB of them. Does Envoy send bodies too (with_request_body)?"
        }
        BadRequest::SmuggledField => {
            "A field in a spelling that passes for an identity field, or a method override: a \
             scanner, or a client that the gateway should take it away from."
        }
    }
}

const fn upstream(kind: UpstreamFailure) -> &'static str {
    match kind {
        UpstreamFailure::Unreachable => {
            "The upstream takes no connection: is it running, and is PORTCULLIS_UPSTREAM right?"
        }
        UpstreamFailure::ConnectTimeout => "The upstream did not take a connection in time.",
        UpstreamFailure::Timeout => "The upstream did not answer in time.",
        UpstreamFailure::Broken => {
            "The upstream broke off, or answered with something that is no HTTP."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_reason_has_a_meaning_of_its_own() {
        let mut meanings = std::collections::HashSet::new();
        for outcome in Outcome::all() {
            assert_eq!(meaning(outcome).is_some(), outcome.reason().is_some(), "{outcome:?}");
            if let Some(meaning) = meaning(outcome) {
                assert!(meaning.ends_with(['.', '?']) && !meaning.contains("  "), "{meaning}");
                assert!(meanings.insert(meaning), "{meaning}");
            }
        }
    }
}
