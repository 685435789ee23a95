//! The signature is good; do the claims make it a token for us, now?

use std::sync::Arc;

use super::token_type::{self, Profile};
use super::trusted::{Audience, TrustedIssuer};
use super::{claims, confirmation, scope_claim};
use crate::access_token::{AccessToken, ServerMark, Verified};
use crate::clock::NumericDate;
use crate::jose::JoseHeader;
use crate::jose::json::Object;
use crate::rejection_kind::RejectionKind;

/// Judges the claims of a token that `issuer` signed.
pub(super) fn accept(
    issuer: &TrustedIssuer,
    header: &JoseHeader,
    token: Object,
    now: NumericDate,
    server: &ServerMark,
) -> Result<AccessToken, RejectionKind> {
    for name in issuer.profile.required_claims() {
        if !token.contains_key(*name) {
            return Err(RejectionKind::MissingClaim);
        }
    }
    let expires_at = lifetime(issuer, &token, now)?;
    audience(issuer, &token)?;
    let subject = claims::text(&token, "sub")?.map(Into::into);
    let client_id = claims::text(&token, "client_id")?;
    let client_id = client_id.or_else(|| token.get("azp")?.as_str()).map(Into::into);
    claims::text(&token, "jti")?;
    let scope = scope_claim::find(&token, &issuer.scope_claims);
    token_type::check_claims(&token, header.typ.as_deref(), scope.is_some())?;
    let arrays = issuer.profile == Profile::Compatible;
    let granted = scope_claim::read(scope, arrays, &issuer.grant_rules)?;
    confirmation::check_unbound(&token)?;
    for (name, value) in &issuer.required_claims {
        if token.get(&**name).and_then(|claim| claim.as_str()) != Some(&**value) {
            return Err(RejectionKind::RequiredClaimNotMet);
        }
    }
    Ok(AccessToken::assertion(Verified {
        server: server.clone(),
        issuer: Arc::clone(&issuer.name),
        subject,
        client_id,
        expires_at,
        granted,
        claims: token,
    }))
}

fn lifetime(
    issuer: &TrustedIssuer,
    token: &Object,
    now: NumericDate,
) -> Result<NumericDate, RejectionKind> {
    let leeway = issuer.leeway;
    let expires_at = claims::date(token, "exp")?.ok_or(RejectionKind::MissingClaim)?;
    let not_before = claims::date(token, "nbf")?;
    let issued_at = claims::date(token, "iat")?;
    // RFC 7519 §4.1.4: at `exp` the token is dead.
    if now >= expires_at.plus(leeway) {
        return Err(RejectionKind::Expired);
    }
    for start in [not_before, issued_at].into_iter().flatten() {
        if now < start.minus(leeway) {
            return Err(RejectionKind::NotYetValid);
        }
    }
    Ok(expires_at)
}

fn audience(issuer: &TrustedIssuer, token: &Object) -> Result<(), RejectionKind> {
    match &issuer.audience {
        Audience::Skipped => Ok(()),
        Audience::OneOf(accepted) if claims::audience_is_one_of(token, accepted)? => Ok(()),
        Audience::OneOf(_) => Err(RejectionKind::WrongAudience),
    }
}
