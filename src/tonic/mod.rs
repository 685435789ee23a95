//! gRPC services with tonic.
//!
//! The [layers](crate::tower) are the same as everywhere: on a whole server, or on one service. A
//! refused call gets its code, a message, and the challenge as `www-authenticate` metadata, in one
//! header block ("trailers-only"); grpc-web callers are answered in their dialect.
//!
//! | The call | Code |
//! | --- | --- |
//! | has no token, a malformed one, or one that is not good | 16 `UNAUTHENTICATED` |
//! | has a good token that does not allow it | 7 `PERMISSION_DENIED` |
//! | has a good token that does not allow it, where the method is [hidden](Methods::hidden) | 5 `NOT_FOUND` |
//! | cannot be judged, because the authorization server gives no keys | 14 `UNAVAILABLE`, and `retry-after` |
//!
//! # What each method needs
//!
//! stands in one place, [`Methods`]. Whatever is not listed needs a good token: so do health checks
//! and reflection, until they are said to be public.
//!
//! ```
//! use portcullis::tonic::Methods;
//! use portcullis::{Issuer, ResourceServer, scope};
//!
//! let api = ResourceServer::builder()
//!     .issuer(Issuer::discover("https://login.example.com").audience("https://api.example.com"))
//!     .build()?;
//!
//! let methods = Methods::new()
//!     .require("/orders.Orders/*", scope("orders.read"))
//!     .require("/orders.Orders/Create", scope("orders.write"))
//!     .public("/grpc.health.v1.Health/*");
//! let server = tonic::transport::Server::builder()
//!     .http2_max_header_list_size(32 * 1024)
//!     .layer(api.methods(methods)?);
//! // server.add_service(OrdersServer::new(orders)).serve(address).await
//! # let _ = server;
//! # Ok::<(), portcullis::ConfigError>(())
//! ```
//!
//! One service alone is protected with `api.require(…).layer(OrdersServer::new(orders))`, which
//! `add_service` takes like the service itself.
//!
//! # In methods
//!
//! [`RequestExt`] gives the token and its claims; `?` makes a [`Rejection`](crate::Rejection) the
//! [`Status`](tonic::Status) that the layer would have sent:
//!
//! ```
//! use portcullis::RejectionKind;
//! use portcullis::tonic::RequestExt;
//! use serde::Deserialize;
//! use tonic::{Request, Response, Status};
//!
//! #[derive(Deserialize)]
//! struct Tenant {
//!     tenant: String,
//! }
//!
//! async fn create(request: Request<String>) -> Result<Response<String>, Status> {
//!     let token = request.access_token()?;
//!     let claims: Tenant = request.claims()?;
//!     if claims.tenant != *request.get_ref() {
//!         return Err(token.reject(RejectionKind::Forbidden).into());
//!     }
//!     Ok(Response::new(format!("made for {}", token.subject())))
//! }
//! ```
//!
//! # Streams
//!
//! A call is judged once, when it begins. What becomes of the token later ends no stream by itself:
//! one that expires in the middle is good until the stream ends. Where that is too long,
//! [`UntilExpiry`] ends a stream with `UNAUTHENTICATED` when the token would be refused, so that the
//! client comes again with a new one; [`AccessToken::expired`](crate::AccessToken::expired) does it
//! for everything else.
//!
//! ```
//! use futures_util::Stream;
//! use portcullis::tonic::{RequestExt, UntilExpiry};
//! use tonic::{Request, Response, Status};
//!
//! async fn watch<S>(request: Request<()>, news: S) -> Result<Response<UntilExpiry<S>>, Status>
//! where
//!     S: Stream<Item = Result<String, Status>>,
//! {
//!     Ok(Response::new(UntilExpiry::new(news, request.access_token()?)))
//! }
//! ```
//!
//! # Limits
//!
//! - tonic takes 16 KiB of metadata by default. Where tokens are long, raise
//!   `http2_max_header_list_size`; calls that are over it are answered with 431 by the HTTP/2 stack.
//! - The token is read from the metadata key `authorization` alone.
//! - A CORS preflight needs a token like every call: gRPC servers do not look at the method, and would take
//!   `OPTIONS` for a call. A CORS layer outside of this one answers it. Where tonic's services are routes of
//!   an axum router below an HTTP layer, that layer takes preflights without a body for what they seem;
//!   say [`Preflight::Authenticate`](crate::Preflight::Authenticate) there, or use [`Methods`].
//! - With `tonic_web`, its layer may stand before this one or behind it.

mod layer;
mod methods;
mod request;
mod status;
mod until_expiry;

pub use layer::{MethodGuard, MethodsLayer};
pub use methods::Methods;
pub use request::RequestExt;
pub use until_expiry::UntilExpiry;

use tonic::server::NamedService;

use crate::tower::Guard;

impl<S: NamedService> NamedService for Guard<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: NamedService> NamedService for MethodGuard<S> {
    const NAME: &'static str = S::NAME;
}
