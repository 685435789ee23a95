//! The signature is good; do the claims make it a token for us, now?

use std::sync::Arc;

use super::lifetime::Lifetime;
use super::token_type::{self, Profile};
use super::trusted::{Audience, TrustedIssuer};
use super::{claims, confirmation, delegation, scope_claim};
use crate::access_token::{AccessToken, Binding, CallerFacts, ServerMark, Verified};
use crate::clock::NumericDate;
use crate::jose::JoseHeader;
use crate::jose::json::Members;
use crate::rejection_kind::RejectionKind;
use crate::scope::GrantedScopes;

/// Judges the claims of a token that `issuer` signed; `text` is where they were read.
pub(super) fn accept(
    issuer: &TrustedIssuer,
    header: &JoseHeader<'_>,
    token: &Members<'_>,
    text: &str,
    now: NumericDate,
    server: &ServerMark,
) -> Result<(AccessToken, Lifetime), RejectionKind> {
    presence(issuer, token)?;
    let lifetime = Lifetime::read(token)?;
    lifetime.check(now, issuer.leeway)?;
    audience(issuer, token)?;
    let identity = Identity::read(issuer, token)?;
    let granted = granted(issuer, token)?;
    claims::details(token)?;
    token_type::check_claims(token, header.typ.as_deref(), grants_something(&granted))?;
    let binding = Binding::of(confirmation::read(token)?, required(issuer, token))?;
    Ok((assertion(issuer, identity, lifetime, granted, binding, text, server), lifetime))
}

/// Everything has been checked.
#[inline]
pub(super) fn assertion(
    issuer: &TrustedIssuer,
    Identity { subject, client_id, caller }: Identity<'_>,
    lifetime: Lifetime,
    granted: GrantedScopes,
    binding: Option<Box<Binding>>,
    text: &str,
    server: &ServerMark,
) -> AccessToken {
    AccessToken::assertion(Verified {
        server: server.clone(),
        issuer: Arc::clone(&issuer.name),
        subject: subject.map(Into::into),
        client_id: client_id.map(Into::into),
        caller,
        expires_at: lifetime.expires_at,
        good_until: lifetime.expires_at.plus(issuer.leeway),
        granted,
        binding,
        claims: text.into(),
    })
}

/// The claims that the profile requires are there.
pub(super) fn presence(issuer: &TrustedIssuer, token: &Members<'_>) -> Result<(), RejectionKind> {
    let there = issuer.profile.required_claims().iter().all(|name| token.contains(name));
    if there { Ok(()) } else { Err(RejectionKind::MissingClaim) }
}

/// Who a token is about, who got it and who presents it.
pub(super) struct Identity<'a> {
    subject: Option<&'a str>,
    client_id: Option<&'a str>,
    caller: CallerFacts,
}

impl<'a> Identity<'a> {
    pub(super) fn read(
        issuer: &TrustedIssuer,
        token: &'a Members<'_>,
    ) -> Result<Self, RejectionKind> {
        let subject = claims::text(token, "sub")?;
        let mut client_id = None;
        for name in &issuer.client_claims {
            client_id = claims::text(token, name)?;
            if client_id.is_some() {
                break;
            }
        }
        claims::text(token, "jti")?;
        let (caller, told_by) = issuer.callers.tell(token);
        let is_first_party = issuer.first_party.tell(token, client_id);
        let actor = delegation::actor(token, &issuer.name)?;
        let caller = CallerFacts { caller, told_by, is_first_party, actor };
        Ok(Self { subject, client_id, caller })
    }
}

pub(super) fn audience(issuer: &TrustedIssuer, token: &Members<'_>) -> Result<(), RejectionKind> {
    match &issuer.audience {
        Audience::Skipped => Ok(()),
        Audience::OneOf { claim, accepted }
            if claims::audience_is_one_of(token, claim, accepted)? =>
        {
            Ok(())
        }
        Audience::OneOf { .. } => Err(RejectionKind::WrongAudience),
    }
}

/// The scope that the token carries, by the issuer's rules.
pub(super) fn granted(
    issuer: &TrustedIssuer,
    token: &Members<'_>,
) -> Result<GrantedScopes, RejectionKind> {
    let scope = scope_claim::find(token, &issuer.scope_claims);
    let arrays = issuer.profile == Profile::Compatible;
    scope_claim::read(scope, arrays, &issuer.grant_rules)
}

pub(super) fn grants_something(granted: &GrantedScopes) -> bool {
    granted.iter().next().is_some()
}

/// The claims that the configuration requires have their values.
pub(super) fn required(issuer: &TrustedIssuer, token: &Members<'_>) -> Result<(), RejectionKind> {
    let holds =
        |name: &str, value: &str| token.get(name).and_then(|claim| claim.as_str()) == Some(value);
    if issuer.required_claims.iter().all(|(name, value)| holds(name, value)) {
        Ok(())
    } else {
        Err(RejectionKind::RequiredClaimNotMet)
    }
}
