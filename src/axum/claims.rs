//! Claims as a type of the application's own.

use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{ExtractionRejection, from_extensions};
use crate::access_token::AccessToken;
use crate::rejection_kind::RejectionKind;

/// The claims of the verified token as a `T`.
///
/// A token whose claims do not have that shape is answered with 403 without `error`: the token is
/// good, but not for this handler, and no scope would help.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claims<T>(pub T);

impl<T> Deref for Claims<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Claims<T> {
    type Rejection = ExtractionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        of(&from_extensions(parts)?)
    }
}

impl<S: Sync, T: DeserializeOwned> OptionalFromRequestParts<S> for Claims<T> {
    type Rejection = ExtractionRejection;

    /// `None` means that the request had no token, not that its claims have another shape.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        match from_extensions(parts) {
            Ok(token) => of(&token).map(Some),
            Err(rejection) if rejection.is_anonymous() => Ok(None),
            Err(rejection) => Err(rejection),
        }
    }
}

fn of<T: DeserializeOwned>(token: &AccessToken) -> Result<Claims<T>, ExtractionRejection> {
    token.claims().map(Claims).map_err(|error| {
        tracing::debug!(expected = std::any::type_name::<T>(), "{error}");
        ExtractionRejection::refused(token.reject(RejectionKind::Forbidden))
    })
}
