//! The token of a call, for the method that serves it.

use serde::de::DeserializeOwned;
use tonic::{Request, Status};

use crate::access_token::AccessToken;
use crate::rejection_kind::RejectionKind;
use crate::tower::{NoToken, verified};

/// What a method asks its [`Request`] about the caller.
pub trait RequestExt: sealed::Sealed {
    /// The verified token.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` with the challenge where the call was let through without a token.
    /// `INTERNAL` where no layer has looked at it, which is a mistake of the program.
    fn access_token(&self) -> Result<&AccessToken, Status>;

    /// The verified token, `None` where the call was let through without one.
    ///
    /// # Errors
    /// `INTERNAL` as with [`access_token`](Self::access_token).
    fn optional_access_token(&self) -> Result<Option<&AccessToken>, Status>;

    /// The claims of the verified token as a `T`.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token), and `PERMISSION_DENIED` where the claims do not have
    /// that shape: the token is good, but not for this method, and no scope would help.
    fn claims<T: DeserializeOwned>(&self) -> Result<T, Status>;
}

impl<M> RequestExt for Request<M> {
    fn access_token(&self) -> Result<&AccessToken, Status> {
        verified(self.extensions()).map_err(|missing| match missing {
            NoToken::Anonymous(rejection) => rejection.into(),
            NoToken::MissingLayer => missing_layer(),
        })
    }

    fn optional_access_token(&self) -> Result<Option<&AccessToken>, Status> {
        match verified(self.extensions()) {
            Ok(token) => Ok(Some(token)),
            Err(NoToken::Anonymous(_)) => Ok(None),
            Err(NoToken::MissingLayer) => Err(missing_layer()),
        }
    }

    fn claims<T: DeserializeOwned>(&self) -> Result<T, Status> {
        let token = self.access_token()?;
        token.claims().map_err(|error| {
            tracing::debug!(expected = std::any::type_name::<T>(), "{error}");
            token.reject(RejectionKind::Forbidden).into()
        })
    }
}

/// A mistake of the programmer, who should see it at the first call.
fn missing_layer() -> Status {
    let text = "the service has no portcullis layer: add `.layer(api.authenticate())` or \
                `.layer(api.methods(…)?)` to the server";
    tracing::error!("{text}");
    Status::internal(text)
}

mod sealed {
    pub trait Sealed {}
    impl<M> Sealed for tonic::Request<M> {}
}
