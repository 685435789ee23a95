//! The signature is good; do the claims make it a token for us, now?

use std::sync::Arc;

use super::lifetime::Lifetime;
use super::token_type::{self, Profile};
use super::trusted::{Audience, TrustedIssuer};
use super::{claims, confirmation, scope_claim};
use crate::access_token::{AccessToken, Caller, ServerMark, Verified};
use crate::clock::NumericDate;
use crate::jose::JoseHeader;
use crate::jose::json::Members;
use crate::rejection_kind::RejectionKind;

/// Judges the claims of a token that `issuer` signed; `text` is where they were read.
pub(super) fn accept(
    issuer: &TrustedIssuer,
    header: &JoseHeader<'_>,
    token: &Members<'_>,
    text: &str,
    now: NumericDate,
    server: &ServerMark,
) -> Result<(AccessToken, Lifetime), RejectionKind> {
    for name in issuer.profile.required_claims() {
        if !token.contains(name) {
            return Err(RejectionKind::MissingClaim);
        }
    }
    let lifetime = Lifetime::read(token)?;
    lifetime.check(now, issuer.leeway)?;
    audience(issuer, token)?;
    let subject = claims::text(token, "sub")?;
    let client_id = claims::text(token, "client_id")?;
    let caller = caller(subject, client_id);
    let subject = subject.map(Into::into);
    let client_id = match client_id {
        Some(client_id) => Some(client_id),
        None => claims::text(token, "azp")?,
    };
    let client_id = client_id.map(Into::into);
    claims::text(token, "jti")?;
    let scope = scope_claim::find(token, &issuer.scope_claims);
    let arrays = issuer.profile == Profile::Compatible;
    let granted = scope_claim::read(scope, arrays, &issuer.grant_rules)?;
    let grants_something = granted.iter().next().is_some();
    token_type::check_claims(token, header.typ.as_deref(), grants_something)?;
    confirmation::check_unbound(token)?;
    for (name, value) in &issuer.required_claims {
        if token.get(name).and_then(|claim| claim.as_str()) != Some(&**value) {
            return Err(RejectionKind::RequiredClaimNotMet);
        }
    }
    let token = AccessToken::assertion(Verified {
        server: server.clone(),
        issuer: Arc::clone(&issuer.name),
        subject,
        client_id,
        caller,
        expires_at: lifetime.expires_at,
        granted,
        claims: text.into(),
    });
    Ok((token, lifetime))
}

/// `azp` does not count: who uses it does not say in `sub` that a client acts for itself.
fn caller(subject: Option<&str>, client_id: Option<&str>) -> Caller {
    match (subject, client_id) {
        (Some(subject), Some(client)) if subject == client => Caller::Client,
        (Some(_), Some(_)) => Caller::User,
        _ => Caller::Unknown,
    }
}

fn audience(issuer: &TrustedIssuer, token: &Members<'_>) -> Result<(), RejectionKind> {
    match &issuer.audience {
        Audience::Skipped => Ok(()),
        Audience::OneOf(accepted) if claims::audience_is_one_of(token, accepted)? => Ok(()),
        Audience::OneOf(_) => Err(RejectionKind::WrongAudience),
    }
}
