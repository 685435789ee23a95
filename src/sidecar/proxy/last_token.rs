//! The token that a connection brought last.

use std::sync::{Mutex, PoisonError};

use http::{HeaderName, HeaderValue};

use crate::access_token::{AccessToken, Mark};
use crate::sidecar::identity::IdentityFields;

/// Most connections bring one token again and again. So what the upstream is told of it is kept from
/// the second time on, and who brings another one each time pays nothing for it.
#[derive(Default)]
pub(super) struct LastToken(Mutex<Option<Known>>);

struct Known {
    mark: Mark,
    /// In the order of the identity fields.
    values: Option<Box<[Option<HeaderValue>]>>,
}

impl LastToken {
    /// Hands out the identity fields that the token has something to say in.
    pub(super) fn say(
        &self,
        token: &AccessToken,
        identity: &IdentityFields,
        mut set: impl FnMut(&HeaderName, HeaderValue),
    ) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *last {
            Some(known) if token.is_marked(&known.mark) => {
                let said = || identity.of(token).map(|(_, value)| value).collect();
                let values = known.values.get_or_insert_with(said);
                for (name, value) in identity.names().zip(values) {
                    if let Some(value) = value {
                        set(name, value.clone());
                    }
                }
            }
            _ => {
                *last = Some(Known { mark: token.mark(), values: None });
                for (name, value) in identity.of(token) {
                    if let Some(value) = value {
                        set(name, value);
                    }
                }
            }
        }
    }
}
