//! Is the token genuine, and is it for us? Says nothing about what it may do.
//!
//! The order is fixed; the first fault decides:
//!
//! 1. shape and encoding, then the header's policy ([`crate::jose`]),
//! 2. `iss` names a configured issuer ([`issuer`]),
//! 3. that issuer has a key, and the key verifies the signature,
//! 4. claims: required ones, `exp`, `nbf`, `iat`, `aud` ([`claims`]),
//! 5. it is an access token and no other kind of JWT ([`token_type`]),
//! 6. it is bound to nothing, or to a certificate ([`confirmation`]),
//! 7. which is the one that was shown with it ([`genuine`]).
//!
//! In place of the first three, the issuer can be asked about the token (`introspected`).
//!
//! Steps 1 and 2 need no network, so they answer alike while the authorization server is down.
//!
//! A token that came through all of them is [`remembered`]: when it comes again, all that is looked
//! at is whether the keys in use are still the same ones, and whether it is within its lifetime; and who
//! shows it.

mod caller_sign;
mod callers;
mod claims;
mod compile;
mod confirmation;
mod delegation;
#[cfg(feature = "sidecar")]
mod examination;
mod family;
mod genuine;
#[cfg(feature = "introspection")]
mod introspected;
mod issuer;
mod issuer_pattern;
mod lifetime;
mod preset;
mod remembered;
mod scope_claim;
mod token_type;
mod trusted;
mod verdict;
mod wait;

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::access_token::{AccessToken, ServerMark};
use crate::clock::{Clock, NumericDate};
use crate::credentials;
use crate::jose::{Algorithm, CompactJws, JoseHeader, JwkSet, JwsError, NotVerified, json};
use crate::keys::{Missing, Patience};
use crate::rejection_kind::RejectionKind;
use crate::token_cache::{Fingerprint, TokenCache, TokenCacheStatus};

pub use caller_sign::{CallerSign, InvalidCallerRow};
pub use callers::CallerTable;
pub(crate) use compile::{Compiled, Shared as SharedSettings};
#[cfg(feature = "sidecar")]
pub(crate) use examination::{ClaimCheck, IssuerPolicy, check_typ};
pub(crate) use family::IssuerFamily;
use family::{Crowded, RETRY_AFTER};
pub(crate) use genuine::Genuine;
#[cfg(feature = "introspection")]
use introspected::Introspected;
pub use issuer::{DangerousIssuer, Issuer, WildcardMatch};
pub use preset::Preset;
use remembered::Remembered;
#[cfg(feature = "sidecar")]
pub(crate) use token_type::ForeignSign;
pub use token_type::Profile;
pub(crate) use trusted::TrustedIssuer;
pub(crate) use wait::Wait;

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) kind: RejectionKind,
    /// Only for [`RejectionKind::KeysUnavailable`].
    pub(crate) retry_after: Option<Duration>,
    /// Only for [`RejectionKind::Conflict`]: what the client is to be told.
    #[cfg(feature = "introspection")]
    pub(crate) conflict: Option<Box<http::HeaderValue>>,
}

impl From<RejectionKind> for Refused {
    fn from(kind: RejectionKind) -> Self {
        Self {
            kind,
            retry_after: None,
            #[cfg(feature = "introspection")]
            conflict: None,
        }
    }
}

impl From<JwsError> for Refused {
    fn from(error: JwsError) -> Self {
        Self::from(match error {
            JwsError::Malformed => RejectionKind::MalformedToken,
            JwsError::Encrypted => RejectionKind::EncryptedToken,
            JwsError::Algorithm => RejectionKind::AlgorithmNotAllowed,
            JwsError::Extension => RejectionKind::UnsupportedExtension,
        })
    }
}

/// A verdict, or the wait without which there is none.
pub(crate) enum Authentication {
    Done(Result<Genuine, Refused>),
    Wait(Wait),
}

/// All trusted issuers and the clock to judge by.
pub(crate) struct Authenticator {
    /// Sorted by name.
    issuers: Box<[Arc<TrustedIssuer>]>,
    /// The first one that matches counts, for issuers that are not listed.
    families: Box<[IssuerFamily]>,
    /// What any of them allows, to be known before the issuer is.
    algorithms: Vec<Algorithm>,
    clock: Arc<dyn Clock>,
    server: ServerMark,
    cache: Option<TokenCache<Remembered>>,
    #[cfg(feature = "introspection")]
    introspected: Option<Introspected>,
}

impl Authenticator {
    /// `cached` is the number of tokens to remember.
    pub(crate) fn new(
        issuers: Vec<TrustedIssuer>,
        families: Vec<IssuerFamily>,
        clock: Arc<dyn Clock>,
        server: ServerMark,
        cached: usize,
    ) -> Self {
        let allowed = |algorithm: &Algorithm| {
            issuers.iter().any(|issuer| issuer.allows(*algorithm))
                || families.iter().any(|family| family.allows(*algorithm))
        };
        let algorithms = Algorithm::all().filter(allowed).collect();
        let mut issuers: Box<[_]> = issuers.into_iter().map(Arc::new).collect();
        issuers.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Self {
            #[cfg(feature = "introspection")]
            introspected: Introspected::of(&issuers, cached),
            issuers,
            families: families.into(),
            algorithms,
            clock,
            server,
            cache: TokenCache::new(cached),
        }
    }

    pub(crate) fn server(&self) -> &ServerMark {
        &self.server
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn issuers(&self) -> impl Iterator<Item = &TrustedIssuer> {
        self.issuers.iter().map(AsRef::as_ref)
    }

    /// Patterns, each with the issuers that it stands for.
    pub(crate) fn families(&self) -> &[IssuerFamily] {
        &self.families
    }

    /// `None` where no tokens are remembered.
    pub(crate) fn token_cache(&self) -> Option<TokenCacheStatus> {
        self.cache.as_ref().map(TokenCache::status)
    }

    fn issuer(&self, name: &str, now: NumericDate) -> Result<Arc<TrustedIssuer>, Refused> {
        let found = self.issuers.binary_search_by(|issuer| (*issuer.name).cmp(name)).ok();
        if let Some(issuer) = found.and_then(|found| self.issuers.get(found)) {
            return Ok(Arc::clone(issuer));
        }
        match self.families.iter().find_map(|family| family.find(name, now)) {
            Some(Ok(issuer)) => Ok(issuer),
            Some(Err(Crowded)) => Err(Refused {
                retry_after: Some(RETRY_AFTER),
                ..RejectionKind::KeysUnavailable.into()
            }),
            None => Err(RejectionKind::UntrustedIssuer.into()),
        }
    }

    /// A verdict, unless a key has to be fetched first.
    pub(crate) fn authenticate(&self, token: &[u8]) -> Authentication {
        match self.verify(token, Patience::MayWait) {
            Ok(verified) => Authentication::Done(Ok(Genuine::new(verified))),
            Err(Stop::Refused(refused)) => Authentication::Done(Err(refused)),
            Err(Stop::Wait(wait)) => Authentication::Wait(wait),
        }
    }

    /// A verdict with the keys that are there.
    pub(crate) fn authenticate_without_waiting(&self, token: &[u8]) -> Result<Genuine, Refused> {
        self.verify(token, Patience::Exhausted).map(Genuine::new).map_err(|stop| match stop {
            Stop::Refused(refused) => refused,
            Stop::Wait(_) => RejectionKind::KeysUnavailable.into(),
        })
    }

    fn verify(&self, token: &[u8], patience: Patience) -> Result<AccessToken, Stop> {
        #[cfg(feature = "introspection")]
        if let Some(asked) = &self.introspected
            && asked.is_for(token, &self.issuers, &self.families)
        {
            return self.introspect(asked, token, patience);
        }
        let now = NumericDate::at(self.clock.now());
        let place = self.place_in_cache(token);
        if let (Some((cache, fingerprint)), Some(now)) = (place, now)
            && let Some(verdict) = cache.get(fingerprint, |known| known.judge(now, patience))
        {
            return verdict.map_err(Stop::from);
        }
        let good = self.verify_anew(token, now, patience).inspect_err(|stop| {
            // After the wait it is looked for again, and counted then.
            if let (Stop::Wait(_), Some((cache, _)), Some(_)) = (stop, place, now) {
                cache.take_back_miss();
            }
        })?;
        let token = good.token.clone();
        if let Some((cache, fingerprint)) = place {
            cache.put(fingerprint, good);
        }
        Ok(token)
    }

    fn place_in_cache(&self, token: &[u8]) -> Option<(&TokenCache<Remembered>, Fingerprint)> {
        let cache = self.cache.as_ref()?;
        // What has no parts is no JWT and not worth a fingerprint.
        memchr::memchr(b'.', token)?;
        Some((cache, cache.fingerprint(token)?))
    }

    fn verify_anew(
        &self,
        token: &[u8],
        now: Option<NumericDate>,
        patience: Patience,
    ) -> Result<Remembered, Stop> {
        let jws = parts(token)?;
        let header = JoseHeader::parse(jws.header())?;
        if !self.algorithms.contains(&header.algorithm) {
            return Err(RejectionKind::AlgorithmNotAllowed.into());
        }
        token_type::check_header(header.typ.as_deref())?;
        let payload =
            std::str::from_utf8(jws.payload()).map_err(|_| RejectionKind::MalformedToken)?;
        let claims = json::members(payload).map_err(|_| RejectionKind::MalformedToken)?;
        let name = claims.get("iss").and_then(json::Json::as_str);
        let name = name.ok_or(RejectionKind::UntrustedIssuer)?;
        // An unusable clock is told of after the signature, as all that has to do with time is.
        let issuer = self.issuer(name, now.unwrap_or(NumericDate::ZERO))?;
        issuer.check_header(&header)?;
        let keys = check_signature(&issuer, &header, &jws, patience)?;
        issuer.prove();
        let now = now.ok_or(RejectionKind::Internal)?;
        let (token, lifetime) =
            verdict::accept(&issuer, &header, &claims, payload, now, &self.server)?;
        Ok(Remembered { token, issuer, lifetime, keys })
    }
}

/// Characters that no credential may hold are a fault of their own. A JWS has none of them, so they
/// are looked for only in what is none.
fn parts(token: &[u8]) -> Result<CompactJws<'_>, Refused> {
    CompactJws::parse(token).map_err(|error| match credentials::check_alphabet(token) {
        Ok(()) => error.into(),
        Err(kind) => kind.into(),
    })
}

/// The key set that has the key that made the signature.
fn check_signature(
    issuer: &TrustedIssuer,
    header: &JoseHeader<'_>,
    jws: &CompactJws<'_>,
    patience: Patience,
) -> Result<Weak<JwkSet>, Stop> {
    let keys = issuer.keys.current(patience);
    let fault = match keys.as_ref().map(|keys| keys.set().verify(header, jws).map(|()| keys.set()))
    {
        Some(Ok(keys)) => return Ok(Arc::downgrade(keys)),
        // The key is there and is not for this algorithm: fetching it again changes nothing.
        Some(Err(NotVerified::NoKey { kid_is_known: true })) => {
            return Err(RejectionKind::UnknownKey.into());
        }
        Some(Err(NotVerified::BadSignature)) if header.kid.is_some() => {
            return Err(RejectionKind::BadSignature.into());
        }
        // Where the token names no key, one that we do not have may have made the signature.
        Some(Err(NotVerified::BadSignature)) => RejectionKind::BadSignature,
        Some(Err(NotVerified::NoKey { kid_is_known: false })) | None => RejectionKind::UnknownKey,
    };
    Err(match issuer.keys.missing(keys.as_ref(), header.kid.as_deref(), patience) {
        // Keys that came at the last moment.
        Missing::Wait(_) if patience == Patience::Exhausted => {
            return check_signature(issuer, header, jws, patience);
        }
        Missing::Wait(refresh) => Stop::Wait(Wait::Keys(refresh)),
        // Nothing to wait for, and keys that are past their lifetime may still be there.
        Missing::Unavailable { .. } if keys.is_none() && patience == Patience::MayWait => {
            return check_signature(issuer, header, jws, Patience::Exhausted);
        }
        Missing::Unavailable { retry_after } if fault == RejectionKind::UnknownKey => {
            let unavailable = Refused::from(RejectionKind::KeysUnavailable);
            Stop::Refused(Refused { retry_after: Some(retry_after), ..unavailable })
        }
        Missing::Unavailable { .. } | Missing::Unknown => fault.into(),
    })
}

/// Why verification does not go on right now.
enum Stop {
    Refused(Refused),
    Wait(Wait),
}

impl<E: Into<Refused>> From<E> for Stop {
    fn from(refused: E) -> Self {
        Self::Refused(refused.into())
    }
}
