//! Extractors for axum handlers, and [routes](metadata_router) for the metadata document.
//!
//! | Argument | Gets | Without a token (behind `.optional()`) | Without a layer |
//! | --- | --- | --- | --- |
//! | [`AccessToken`] | the verified token | 401 with the challenge | 500 |
//! | `Option<AccessToken>` | the token, if there is one | `None` | 500 |
//! | [`Claims<T>`] | its claims as a `T` | 401 with the challenge | 500 |
//!
//! A [`Rejection`](crate::Rejection) is a response, so that handlers can return one:
//! `Err(token.reject(RejectionKind::Forbidden))`.
//!
//! ```
//! use axum::{Router, routing::get};
//! use portcullis::axum::Claims;
//! use portcullis::{AccessToken, Issuer, Rejection, RejectionKind, ResourceServer, scope};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Tenant {
//!     tenant: String,
//! }
//!
//! async fn orders(token: AccessToken) -> String {
//!     format!("orders of {}", token.subject())
//! }
//!
//! async fn report(token: AccessToken, claims: Claims<Tenant>) -> Result<String, Rejection> {
//!     if claims.tenant != "acme" {
//!         return Err(token.reject(RejectionKind::Forbidden));
//!     }
//!     Ok("report".to_owned())
//! }
//!
//! async fn greeting(token: Option<AccessToken>) -> String {
//!     token.map_or("hello".to_owned(), |token| format!("hello, {}", token.subject()))
//! }
//!
//! let api = ResourceServer::builder()
//!     .issuer(Issuer::discover("https://login.example.com").audience("https://api.example.com"))
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/orders", get(orders).route_layer(api.require(scope("orders.read"))))
//!     .route("/report", get(report).route_layer(api.authenticate()))
//!     .route("/", get(greeting).route_layer(api.authenticate().optional()));
//! # Ok::<(), portcullis::ConfigError>(())
//! ```

mod claims;
mod metadata;
mod rejection;

pub use claims::Claims;
pub use metadata::metadata_router;
pub use rejection::ExtractionRejection;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::access_token::AccessToken;
use crate::tower::{NoToken, verified};

impl<S: Sync> FromRequestParts<S> for AccessToken {
    type Rejection = ExtractionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        from_extensions(parts)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for AccessToken {
    type Rejection = ExtractionRejection;

    /// `None` means that the request had no token. A bad one never gets here.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        match from_extensions(parts) {
            Ok(token) => Ok(Some(token)),
            Err(rejection) if rejection.is_anonymous() => Ok(None),
            Err(rejection) => Err(rejection),
        }
    }
}

fn from_extensions(parts: &Parts) -> Result<AccessToken, ExtractionRejection> {
    verified(&parts.extensions).cloned().map_err(|missing| match missing {
        NoToken::Anonymous(rejection) => ExtractionRejection::refused(rejection.clone()),
        NoToken::MissingLayer => ExtractionRejection::missing_layer(),
    })
}
