//! A token that was found good: what of that still has to hold when it comes again.

use std::sync::{Arc, Weak};

use super::lifetime::Lifetime;
use super::trusted::TrustedIssuer;
use crate::access_token::AccessToken;
use crate::clock::NumericDate;
use crate::jose::JwkSet;
use crate::keys::Patience;
use crate::token_cache::Kept;

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
    /// `None` where that has to be found out anew.
    pub(super) fn token_if_good(
        &self,
        now: NumericDate,
        patience: Patience,
    ) -> Option<AccessToken> {
        let keys = self.issuer.keys.current(patience);
        let keys_are_those = std::ptr::eq(self.keys.as_ptr(), Arc::as_ptr(keys.as_ref()?.set()));
        let is_alive = self.lifetime.check(now, self.issuer.leeway).is_ok();
        (keys_are_those && is_alive).then(|| self.token.clone())
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
