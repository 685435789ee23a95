//! A token that was found good: what of that still has to hold when it comes again.

use std::ptr;
use std::sync::{Arc, Weak};

use super::lifetime::Lifetime;
use super::trusted::TrustedIssuer;
use crate::access_token::AccessToken;
use crate::clock::NumericDate;
use crate::jose::JwkSet;
use crate::keys::Patience;
use crate::rejection_kind::RejectionKind;
use crate::token_cache::{Judged, Kept};

/// A token that was found good by the rules of an issuer and with a key of one set. The rules never
/// change; time and keys do.
pub(super) struct Remembered {
    pub(super) token: AccessToken,
    pub(super) issuer: Arc<TrustedIssuer>,
    pub(super) lifetime: Lifetime,
    /// Not kept from being freed, but no other set gets its address while this is here.
    pub(super) keys: Weak<JwkSet>,
}

impl Remembered {
    /// What verifying the token once more would say.
    pub(super) fn judge(
        &self,
        now: NumericDate,
        patience: Patience,
    ) -> Judged<Result<AccessToken, RejectionKind>> {
        let keys = self.issuer.keys.current(patience);
        let Some(keys) = keys.as_ref() else { return Judged::Open };
        if !ptr::eq(self.keys.as_ptr(), Arc::as_ptr(keys.set())) {
            return Judged::Over;
        }
        self.issuer.used(now);
        let is_alive = self.lifetime.check(now, self.issuer.leeway);
        Judged::Holds(is_alive.map(|()| self.token.clone()))
    }
}

impl Kept for Remembered {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.token.bytes()
    }

    fn apart(&self) -> Self {
        Self {
            token: self.token.apart(),
            issuer: Arc::clone(&self.issuer),
            lifetime: self.lifetime,
            keys: Weak::clone(&self.keys),
        }
    }
}
