//! Tokens that their issuer is asked about (RFC 7662).
//!
//! 1. Which ones: by their shape those that are no JWTs, or all that no other issuer would verify.
//! 2. What is asked about is a credential (SPEC HDR-04), so nothing else gets out of here.
//! 3. The answer is judged like the claims of a JWT ([`verdict`]), once. What still has to hold when
//!    the token comes again is its lifetime; a minute later the issuer is asked again.

mod asked;
mod shape;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

pub(super) use asked::Asked;
use verdict::Verdict;

use super::family::IssuerFamily;
use super::trusted::TrustedIssuer;
use super::{Authenticator, Refused, Stop, Wait};
use crate::access_token::AccessToken;
use crate::clock::NumericDate;
use crate::credentials;
use crate::introspection::{self, Answer, Finding, LookUp, Lookups};
use crate::jose::{CompactJws, json};
use crate::keys::Patience;
use crate::rejection_kind::RejectionKind;

pub(crate) type Seat = introspection::Seat<Arc<Verdict>>;

/// What is not active now may be so soon: some servers tell their nodes late.
const NEGATIVE: Duration = Duration::from_secs(5);
/// A server that fails is asked about one token once in a while.
const FAILURE: Duration = Duration::from_secs(1);

/// The issuer that is asked, and what it said.
pub(super) struct Introspected {
    issuer: Arc<TrustedIssuer>,
    every_token: bool,
    /// `None` where the system has no random numbers.
    lookups: Option<Lookups<Verdict>>,
}

impl Introspected {
    /// Configuration has seen to there being one at most.
    pub(super) fn of(issuers: &[Arc<TrustedIssuer>], cached: usize) -> Option<Self> {
        let issuer = issuers.iter().find(|issuer| issuer.asked.is_some())?;
        let every_token = issuer.asked.as_ref().is_some_and(|asked| asked.every_token);
        Some(Self { issuer: Arc::clone(issuer), every_token, lookups: Lookups::new(cached) })
    }

    #[cfg(feature = "sidecar")]
    pub(super) fn issuer(&self) -> &TrustedIssuer {
        &self.issuer
    }

    /// Whether this token is asked about.
    pub(super) fn is_for(
        &self,
        token: &[u8],
        issuers: &[Arc<TrustedIssuer>],
        families: &[IssuerFamily],
    ) -> bool {
        if !shape::is_jwt(token) {
            return true;
        }
        let has_others = issuers.len() > 1 || !families.is_empty();
        self.every_token && !(has_others && self.is_of_another(token, issuers, families))
    }

    /// A JWT is for the issuer that it names to judge, where that is one of ours.
    fn is_of_another(
        &self,
        token: &[u8],
        issuers: &[Arc<TrustedIssuer>],
        families: &[IssuerFamily],
    ) -> bool {
        let is_another = || {
            let jws = CompactJws::parse(token).ok()?;
            let claims = json::members(std::str::from_utf8(jws.payload()).ok()?).ok()?;
            let iss = claims.get("iss")?.as_str()?;
            let is_listed = issuers.iter().any(|issuer| *issuer.name == *iss);
            let is_of_family = || families.iter().any(|family| family.has(iss));
            Some(*self.issuer.name != *iss && (is_listed || is_of_family()))
        };
        is_another().unwrap_or(false)
    }
}

impl Authenticator {
    pub(super) fn introspect(
        &self,
        asked: &Introspected,
        token: &[u8],
        patience: Patience,
    ) -> Result<AccessToken, Stop> {
        credentials::check_alphabet(token)?;
        let lookups = asked.lookups.as_ref().ok_or(RejectionKind::Internal)?;
        if patience == Patience::Exhausted {
            return Ok(self.take_answer(lookups.known(token))?);
        }
        // A credential is ASCII.
        let text = std::str::from_utf8(token).map_err(|_| RejectionKind::MalformedCredentials)?;
        let question = || {
            let (issuer, token) = (Arc::clone(&asked.issuer), text.to_owned());
            let (server, clock) = (self.server.clone(), Arc::clone(&self.clock));
            async move {
                let answer = match &issuer.asked {
                    Some(asked) => asked.introspector.ask(&token, &issuer.keys).await,
                    None => return unavailable(),
                };
                let Some(now) = NumericDate::at(clock.now()) else {
                    return refused(RejectionKind::Internal.into(), Duration::ZERO);
                };
                match answer {
                    Ok(Answer::Active(text)) => match Verdict::of(&issuer, &text, now, &server) {
                        Ok(verdict) => Finding {
                            keep: verdict.time_left(now),
                            bytes: verdict.bytes(),
                            value: verdict,
                        },
                        Err(kind) => refused(kind.into(), NEGATIVE),
                    },
                    Ok(Answer::Inactive) => refused(RejectionKind::Inactive.into(), NEGATIVE),
                    Ok(Answer::Conflict(value)) => {
                        let conflict = Some(Box::new(value));
                        let refusal = Refused { conflict, ..RejectionKind::Conflict.into() };
                        refused(refusal, FAILURE)
                    }
                    Err(_) => unavailable(),
                }
            }
        };
        match lookups.look_up(token, question) {
            LookUp::Known(verdict) => Ok(self.take_answer(Some(verdict))?),
            LookUp::Wait(seat) => Err(Stop::Wait(Wait::Answer(seat))),
            LookUp::NotNow => Ok(self.take_answer(None)?),
        }
    }

    /// `None` where there is no answer, or not in time.
    pub(super) fn take_answer(
        &self,
        verdict: Option<Arc<Verdict>>,
    ) -> Result<AccessToken, Refused> {
        let verdict = verdict.ok_or(RejectionKind::IntrospectionUnavailable)?;
        let now = NumericDate::at(self.clock.now()).ok_or(RejectionKind::Internal)?;
        verdict.at(now)
    }
}

fn refused(refused: Refused, keep: Duration) -> Finding<Verdict> {
    Finding { value: Verdict::Refused(refused), keep, bytes: 0 }
}

fn unavailable() -> Finding<Verdict> {
    refused(RejectionKind::IntrospectionUnavailable.into(), FAILURE)
}
