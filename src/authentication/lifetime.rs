//! From when until when a token is good (RFC 7519 §4.1.4 to §4.1.6).

use std::time::Duration;

use super::claims;
use crate::clock::NumericDate;
use crate::jose::json::Members;
use crate::rejection_kind::RejectionKind;

/// What a token says about its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lifetime {
    pub(super) expires_at: NumericDate,
    /// The later one of `nbf` and `iat`.
    starts_at: Option<NumericDate>,
}

impl Lifetime {
    pub(super) fn read(token: &Members<'_>) -> Result<Self, RejectionKind> {
        let expires_at = claims::date(token, "exp")?.ok_or(RejectionKind::MissingClaim)?;
        Self::until(expires_at, token)
    }

    /// Where `exp` may be missing (RFC 7662 §2.2).
    #[cfg(feature = "introspection")]
    pub(super) fn read_open(token: &Members<'_>) -> Result<Self, RejectionKind> {
        Self::until(claims::date(token, "exp")?.unwrap_or(NumericDate::NEVER), token)
    }

    fn until(expires_at: NumericDate, token: &Members<'_>) -> Result<Self, RejectionKind> {
        let not_before = claims::date(token, "nbf")?;
        let issued_at = claims::date(token, "iat")?;
        let starts_at = match (not_before, issued_at) {
            (Some(one), Some(other)) => Some(if one > other { one } else { other }),
            (one, other) => one.or(other),
        };
        Ok(Self { expires_at, starts_at })
    }

    pub(super) fn check(self, now: NumericDate, leeway: Duration) -> Result<(), RejectionKind> {
        // RFC 7519 §4.1.4: at `exp` the token is dead.
        if now >= self.expires_at.plus(leeway) {
            return Err(RejectionKind::Expired);
        }
        if self.starts_at.is_some_and(|start| now < start.minus(leeway)) {
            return Err(RejectionKind::NotYetValid);
        }
        Ok(())
    }
}
