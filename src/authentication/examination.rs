//! The engine's checks one by one, and what they are made by: for those who explain a verdict.
//!
//! Nothing is decided here. The verdict is that of [`Authenticator::authenticate`], which makes the
//! same checks, one after the other up to the first that fails.

use std::sync::Arc;
use std::time::Duration;

use super::lifetime::Lifetime;
use super::token_type::{self, ForeignSign};
use super::trusted::{Audience, TrustedIssuer};
use super::{Authenticator, Profile, claims, confirmation, parts, verdict};
use crate::client_certificate::ClientCertificate;
use crate::clock::NumericDate;
use crate::credentials;
use crate::jose::json::{self, Members};
use crate::jose::{Algorithm, CompactJws};
use crate::rejection_kind::RejectionKind;
use crate::scope::GrantedScopes;

/// What an issuer's tokens are judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IssuerPolicy<'a> {
    pub(crate) name: &'a str,
    /// `None` where the audience does not count.
    pub(crate) audiences: Option<&'a [Box<str>]>,
    /// Where they are looked for.
    pub(crate) audience_claim: &'a str,
    pub(crate) algorithms: &'a [Algorithm],
    pub(crate) profile: Profile,
    /// Claims that the profile requires besides `iss`, `exp` and `aud`.
    pub(crate) profile_claims: &'static [&'static str],
    pub(crate) leeway: Duration,
    pub(crate) scope_claims: &'a [Box<str>],
    /// Names and values.
    pub(crate) required_claims: &'a [(Box<str>, Box<str>)],
    pub(crate) client_claims: &'a [Box<str>],
}

/// A check of the claims, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimCheck {
    /// Those that the profile requires are there.
    Presence,
    Lifetime,
    Audience,
    /// `sub`, the claims that name the client, `jti` and `act` are what they should be.
    Identity,
    /// The scope claim can be read.
    Scope,
    /// `authorization_details` can be read.
    Details,
    /// It is an access token.
    Kind,
    /// It is bound to nothing, or to a certificate.
    Binding,
    /// Those that the configuration requires have their values.
    Required,
}

impl ClaimCheck {
    pub(crate) const ALL: [Self; 9] = [
        Self::Presence,
        Self::Lifetime,
        Self::Audience,
        Self::Identity,
        Self::Scope,
        Self::Details,
        Self::Kind,
        Self::Binding,
        Self::Required,
    ];
}

impl Authenticator {
    /// The issuer that is asked about this token, whatever is in it.
    pub(crate) fn asked_about(&self, token: &[u8]) -> Option<&TrustedIssuer> {
        let asked = self.introspected.as_ref()?;
        asked.is_for(token, &self.issuers, &self.families).then(|| asked.issuer())
    }

    /// The size of a token, and its parts.
    pub(crate) fn take_apart(token: &[u8]) -> Result<CompactJws<'_>, RejectionKind> {
        credentials::check_size(token)?;
        parts(token).map_err(|refused| refused.kind)
    }

    /// The certificate that a JWT says it is bound to, whoever signed it.
    pub(crate) fn certificate_of(token: &[u8]) -> Option<ClientCertificate> {
        let jws = Self::take_apart(token).ok()?;
        let claims = json::members(std::str::from_utf8(jws.payload()).ok()?).ok()?;
        confirmation::read(&claims).ok()?
    }

    /// What some issuer allows.
    pub(crate) fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The issuer that these claims name, if it is trusted.
    pub(crate) fn issuer_of(&self, claims: &Members<'_>) -> Option<Arc<TrustedIssuer>> {
        let now = NumericDate::at(self.clock.now())?;
        self.issuer(claims.get("iss")?.as_str()?, now).ok()
    }
}

/// Whether a token of this `typ` may pass, by the rules of its issuer where that is known.
pub(crate) fn check_typ(
    issuer: Option<&TrustedIssuer>,
    typ: Option<&str>,
) -> Result<(), RejectionKind> {
    token_type::check_header(typ)?;
    issuer.map_or(Ok(()), |issuer| issuer.profile.check(typ))
}

impl TrustedIssuer {
    /// Where it is asked about tokens, and whether it answers us.
    pub(crate) async fn probe(&self) -> Option<(String, Result<(), String>)> {
        let introspector = self.asked.as_ref()?.introspector();
        Some((introspector.to_string(), introspector.probe(&self.keys).await))
    }

    pub(crate) fn policy(&self) -> IssuerPolicy<'_> {
        IssuerPolicy {
            name: &self.name,
            audiences: match &self.audience {
                Audience::OneOf { accepted, .. } => Some(accepted),
                Audience::Skipped => None,
            },
            audience_claim: match &self.audience {
                Audience::OneOf { claim, .. } => claim,
                Audience::Skipped => "aud",
            },
            algorithms: &self.algorithms,
            profile: self.profile,
            profile_claims: self.profile.required_claims(),
            leeway: self.leeway,
            scope_claims: &self.scope_claims,
            required_claims: &self.required_claims,
            client_claims: &self.client_claims,
        }
    }

    /// One check of the claims, whatever became of the others.
    pub(crate) fn check(
        &self,
        check: ClaimCheck,
        claims: &Members<'_>,
        typ: Option<&str>,
        now: NumericDate,
    ) -> Result<(), RejectionKind> {
        match check {
            ClaimCheck::Presence => verdict::presence(self, claims),
            ClaimCheck::Lifetime => Lifetime::read(claims)?.check(now, self.leeway),
            ClaimCheck::Audience => verdict::audience(self, claims),
            ClaimCheck::Identity => verdict::Identity::read(self, claims).map(drop),
            ClaimCheck::Scope => self.granted(claims).map(drop),
            ClaimCheck::Details => claims::details(claims),
            ClaimCheck::Kind => {
                token_type::check_claims(claims, typ, self.grants_something(claims))
            }
            ClaimCheck::Binding => confirmation::read(claims).map(drop),
            ClaimCheck::Required => verdict::required(self, claims),
        }
    }

    /// What shows that this is no access token.
    pub(crate) fn foreign_sign<'a>(
        &self,
        claims: &'a Members<'_>,
        typ: Option<&str>,
    ) -> Option<ForeignSign<'a>> {
        token_type::foreign_sign(claims, typ, self.grants_something(claims))
    }

    /// The scope that these claims carry.
    pub(crate) fn granted(&self, claims: &Members<'_>) -> Result<GrantedScopes, RejectionKind> {
        verdict::granted(self, claims)
    }

    fn grants_something(&self, claims: &Members<'_>) -> bool {
        self.granted(claims).is_ok_and(|granted| verdict::grants_something(&granted))
    }
}
