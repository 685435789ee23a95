//! The token is active; do the members of the answer make it a token for us, now? (RFC 7662 §2.2)

use std::time::Duration;

use super::super::lifetime::Lifetime;
use super::super::trusted::{Audience, TrustedIssuer};
use super::super::verdict::{Identity, assertion, audience, granted, required};
use super::super::{Refused, claims, confirmation};
use crate::access_token::{AccessToken, Binding, ServerMark};
use crate::clock::NumericDate;
use crate::jose::json::{self, Json, Members};
use crate::rejection_kind::RejectionKind;

/// What was found out about a token.
pub(crate) enum Verdict {
    Good(Good),
    Refused(Refused),
}

/// A token that was found good.
pub(crate) struct Good {
    token: AccessToken,
    lifetime: Lifetime,
    leeway: Duration,
}

impl Verdict {
    /// Judges what `issuer` says about a token that is active.
    pub(super) fn of(
        issuer: &TrustedIssuer,
        text: &str,
        now: NumericDate,
        server: &ServerMark,
    ) -> Result<Self, RejectionKind> {
        let token = json::members(text).map_err(|_| RejectionKind::MalformedToken)?;
        let is_ours = |iss: &Json<'_>| iss.as_str() == Some(&*issuer.name);
        if !token.get("iss").is_none_or(is_ours) {
            return Err(RejectionKind::UntrustedIssuer);
        }
        let lifetime = Lifetime::read_open(&token)?;
        lifetime.check(now, issuer.leeway)?;
        let implied = issuer.asked.as_ref().is_some_and(|asked| asked.implies_audience);
        if !implied || says_for_whom(issuer, &token) {
            audience(issuer, &token)?;
        }
        let identity = Identity::read(issuer, &token)?;
        let granted = granted(issuer, &token)?;
        claims::details(&token)?;
        check_kind(&token)?;
        let binding = Binding::of(confirmation::read(&token)?, required(issuer, &token))?;
        let token = assertion(issuer, identity, lifetime, granted, binding, text, server);
        Ok(Self::Good(Good { token, lifetime, leeway: issuer.leeway }))
    }

    /// What it means at this moment.
    pub(super) fn at(&self, now: NumericDate) -> Result<AccessToken, Refused> {
        match self {
            Self::Good(good) => {
                good.lifetime.check(now, good.leeway)?;
                Ok(good.token.clone())
            }
            Self::Refused(refused) => Err(refused.clone()),
        }
    }

    /// Until `exp`, leeway not counted: from then on it is for the issuer to say.
    pub(super) fn time_left(&self, now: NumericDate) -> Duration {
        match self {
            Self::Good(good) => good.lifetime.expires_at.ahead_of(now).unwrap_or_default(),
            Self::Refused(_) => Duration::ZERO,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Good(good) => good.token.bytes(),
            Self::Refused(_) => 0,
        }
    }
}

/// In `aud`, or in the claim that stands for it.
fn says_for_whom(issuer: &TrustedIssuer, token: &Members<'_>) -> bool {
    let by_claim = match &issuer.audience {
        Audience::OneOf { claim, .. } => token.contains(claim),
        Audience::Skipped => false,
    };
    by_claim || token.contains("aud")
}

/// Active is what a server calls refresh tokens too, whatever the hint, and some say which kind it
/// is: `token_type` and `token_use` in answers, `typ` among the claims that they copy. One that is
/// bound to a key by DPoP was not proven (RFC 9449 §6.2).
fn check_kind(token: &Members<'_>) -> Result<(), RejectionKind> {
    let says = |name: &str, kinds: &[&str]| {
        let kind = token.get(name).and_then(Json::as_str);
        kind.is_some_and(|kind| kinds.iter().any(|known| kind.eq_ignore_ascii_case(known)))
    };
    if says("token_type", &["DPoP"]) {
        return Err(RejectionKind::SenderConstrained);
    }
    let is_other = says("token_type", &["refresh_token", "id_token"])
        || says("token_use", &["refresh_token", "refresh", "id_token", "id"])
        || says("typ", &["ID", "Refresh", "Offline", "Logout"]);
    if is_other { Err(RejectionKind::WrongTokenType) } else { Ok(()) }
}
