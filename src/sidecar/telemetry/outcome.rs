//! How a request ended: the words of metrics, access log and status page.

use std::array;

use crate::rejection_kind::RejectionKind;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum Outcome {
    /// Its token was good, and the upstream has answered.
    Allowed,
    /// A rule lets everybody in here, and the upstream has answered.
    Public,
    /// It was a CORS preflight, which carries no token, and the upstream has answered.
    Preflight,
    /// It asked for the metadata document, which is answered here.
    Metadata,
    /// Its token was not good, or not good enough.
    Refused(RejectionKind),
    /// It was no request that can be judged or passed on.
    BadRequest(BadRequest),
    /// It was allowed, and the upstream has not answered as it should.
    UpstreamFailed(UpstreamFailure),
    /// The client was gone before it had its answer.
    ClientGone,
    /// It was still open when the time for that was over, and this process ended.
    CutOff,
}

/// Why a request is not passed on, whatever its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum BadRequest {
    /// Its path can be read in more than one way.
    AmbiguousPath,
    /// Its target or its host is none.
    Target,
    /// `CONNECT`, or a method that is not served.
    Method,
    /// Where its body ends can be read in more than one way.
    Framing,
    /// `Expect` with something other than `100-continue`.
    Expectation,
    /// Who asks about another's request is not believed.
    UntrustedGateway,
    /// It is not said which request is meant.
    OriginalMissing,
    /// It is said in two ways which request is meant.
    OriginalContradictory,
    /// What is said to be meant is no request.
    OriginalMalformed,
    /// What is said to be meant has more fields than are read.
    OriginalTooLarge,
    /// A field that the service could take for one of ours, or that makes another method of the
    /// request, and that a gateway would pass on.
    SmuggledField,
}

/// Why the upstream has not answered as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum UpstreamFailure {
    /// No connection: refused, no route, no such name.
    Unreachable,
    /// No connection in time.
    ConnectTimeout,
    /// No answer in time.
    Timeout,
    /// It broke off, or its answer is no HTTP.
    Broken,
}

/// An outcome without its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum Class {
    Allowed,
    Public,
    Preflight,
    Metadata,
    Refused,
    BadRequest,
    UpstreamFailed,
    ClientGone,
    CutOff,
}

impl Outcome {
    /// How many there are. An [`index`](Self::index) is below it.
    pub(super) const COUNT: usize = UPSTREAM + UpstreamFailure::ALL.len();

    /// All of them, each at its index.
    pub(in crate::sidecar) fn all() -> impl Iterator<Item = Self> {
        [
            Self::Allowed,
            Self::Public,
            Self::Preflight,
            Self::ClientGone,
            Self::CutOff,
            Self::Metadata,
        ]
        .into_iter()
        .chain(RejectionKind::all().map(Self::Refused))
        .chain(BadRequest::ALL.map(Self::BadRequest))
        .chain(UpstreamFailure::ALL.map(Self::UpstreamFailed))
    }

    /// Its place in a table of counts.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Allowed => 0,
            Self::Public => 1,
            Self::Preflight => 2,
            Self::ClientGone => 3,
            Self::CutOff => 4,
            Self::Metadata => 5,
            Self::Refused(kind) => REFUSED + kind as usize,
            Self::BadRequest(kind) => BAD + kind as usize,
            Self::UpstreamFailed(kind) => UPSTREAM + kind as usize,
        }
    }

    pub(in crate::sidecar) const fn class(self) -> Class {
        match self {
            Self::Allowed => Class::Allowed,
            Self::Public => Class::Public,
            Self::Preflight => Class::Preflight,
            Self::Metadata => Class::Metadata,
            Self::Refused(_) => Class::Refused,
            Self::BadRequest(_) => Class::BadRequest,
            Self::UpstreamFailed(_) => Class::UpstreamFailed,
            Self::ClientGone => Class::ClientGone,
            Self::CutOff => Class::CutOff,
        }
    }

    /// `allowed`, `refused` …, for labels and logs.
    pub(in crate::sidecar) const fn name(self) -> &'static str {
        self.class().name()
    }

    /// `expired`, `ambiguous_path`, `timeout` …, where there is one to give.
    pub(in crate::sidecar) const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Allowed
            | Self::Public
            | Self::Preflight
            | Self::Metadata
            | Self::ClientGone
            | Self::CutOff => None,
            Self::Refused(kind) => Some(rejection(kind)),
            Self::BadRequest(kind) => Some(kind.name()),
            Self::UpstreamFailed(kind) => Some(kind.name()),
        }
    }
}

/// Where the groups begin.
const REFUSED: usize = 6;
const BAD: usize = REFUSED + RejectionKind::COUNT;
const UPSTREAM: usize = BAD + BadRequest::ALL.len();

impl Class {
    pub(in crate::sidecar) const ALL: [Self; 9] = [
        Self::Allowed,
        Self::Public,
        Self::Preflight,
        Self::Metadata,
        Self::Refused,
        Self::BadRequest,
        Self::UpstreamFailed,
        Self::ClientGone,
        Self::CutOff,
    ];

    pub(in crate::sidecar) const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Public => "public",
            Self::Preflight => "preflight",
            Self::Metadata => "metadata",
            Self::Refused => "refused",
            Self::BadRequest => "bad_request",
            Self::UpstreamFailed => "upstream_failed",
            Self::ClientGone => "client_gone",
            Self::CutOff => "cut_off",
        }
    }
}

impl BadRequest {
    pub(in crate::sidecar) const ALL: [Self; 11] = [
        Self::AmbiguousPath,
        Self::Target,
        Self::Method,
        Self::Framing,
        Self::Expectation,
        Self::UntrustedGateway,
        Self::OriginalMissing,
        Self::OriginalContradictory,
        Self::OriginalMalformed,
        Self::OriginalTooLarge,
        Self::SmuggledField,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::AmbiguousPath => "ambiguous_path",
            Self::Target => "target",
            Self::Method => "method",
            Self::Framing => "framing",
            Self::Expectation => "expectation",
            Self::UntrustedGateway => "untrusted_gateway",
            Self::OriginalMissing => "original_missing",
            Self::OriginalContradictory => "original_contradictory",
            Self::OriginalMalformed => "original_malformed",
            Self::OriginalTooLarge => "original_too_large",
            Self::SmuggledField => "smuggled_field",
        }
    }
}

impl UpstreamFailure {
    pub(in crate::sidecar) const ALL: [Self; 4] =
        [Self::Unreachable, Self::ConnectTimeout, Self::Timeout, Self::Broken];

    pub(in crate::sidecar) const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "connect_timeout",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
        }
    }
}

const fn rejection(kind: RejectionKind) -> &'static str {
    use RejectionKind as K;
    match kind {
        K::MissingCredentials => "missing_credentials",
        K::MalformedCredentials => "malformed_credentials",
        K::MultipleCredentials => "multiple_credentials",
        K::CredentialsInQuery => "credentials_in_query",
        K::TokenTooLarge => "token_too_large",
        K::MalformedToken => "malformed_token",
        K::EncryptedToken => "encrypted_token",
        K::AlgorithmNotAllowed => "algorithm_not_allowed",
        K::UnsupportedExtension => "unsupported_extension",
        K::WrongTokenType => "wrong_token_type",
        K::UntrustedIssuer => "untrusted_issuer",
        K::UnknownKey => "unknown_key",
        K::BadSignature => "bad_signature",
        K::MissingClaim => "missing_claim",
        K::MalformedClaim => "malformed_claim",
        K::Expired => "expired",
        K::NotYetValid => "not_yet_valid",
        K::Inactive => "inactive",
        K::WrongAudience => "wrong_audience",
        K::SenderConstrained => "sender_constrained",
        K::RequiredClaimNotMet => "required_claim_not_met",
        K::WrongTenant => "wrong_tenant",
        K::InsufficientUserAuthentication => "insufficient_user_authentication",
        K::InsufficientScope => "insufficient_scope",
        K::Forbidden => "forbidden",
        K::Hidden => "hidden",
        K::KeysUnavailable => "keys_unavailable",
        K::IntrospectionUnavailable => "introspection_unavailable",
        K::Conflict => "conflict",
        K::Internal => "internal",
    }
}

/// A table with a place for each outcome.
pub(super) fn table<T: Default>() -> [T; Outcome::COUNT] {
    array::from_fn(|_| T::default())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_outcome_has_a_place_of_its_own() {
        let indices: Vec<_> = Outcome::all().map(Outcome::index).collect();
        assert_eq!(indices, (0..Outcome::COUNT).collect::<Vec<_>>());
    }

    #[test]
    fn names_are_snake_case_and_tell_outcomes_apart() {
        let names: HashSet<_> =
            Outcome::all().map(|outcome| (outcome.name(), outcome.reason())).collect();
        assert_eq!(names.len(), Outcome::COUNT);
        for (name, reason) in names {
            let text = format!("{name}{}", reason.unwrap_or_default());
            assert!(text.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{text}");
        }
        assert_eq!(
            Class::ALL.len(),
            Outcome::all().map(Outcome::name).collect::<HashSet<_>>().len()
        );
    }

    /// The names in logs and metrics are those of the library's documentation.
    #[test]
    fn a_rejection_is_named_after_its_kind() {
        for kind in RejectionKind::all() {
            let camel: String = rejection(kind)
                .split('_')
                .map(|word| word[..1].to_uppercase() + &word[1..])
                .collect();
            assert_eq!(camel, format!("{kind:?}"));
        }
    }
}
