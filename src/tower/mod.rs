//! The tower middleware: [`authenticate`](ResourceServer::authenticate) and
//! [`require`](ResourceServer::require).
//!
//! 1. A request whose token is good, and allows what the route requires, reaches the inner service
//!    with the [`AccessToken`](crate::AccessToken) in its extensions.
//! 2. Every other request is answered here, with the status and challenge of its
//!    [`Rejection`](crate::Rejection); the inner service never sees it.
//!    A gRPC call, known by its content type, is answered as gRPC wants it: `grpc-status`,
//!    `grpc-message` and the challenge as metadata, in one header block without a body.
//! 3. The body of a request is never read.
//! 4. Layers stack: an inner layer of the same [`ResourceServer`] takes over the verdict about the
//!    token and adds its requirement.
//! 5. CORS preflight requests pass, unless
//!    [`Preflight::Authenticate`](crate::Preflight::Authenticate) is configured. The handler of
//!    such a request must not do what the route protects.
//! 6. `poll_ready` is the inner service's alone. A response future waits for the authorization
//!    server only when a key is missing, two seconds at most.
//!
//! Put the layer on routes (axum: `get(…).route_layer(…)`, and `any(…).layer(…)`, as axum's
//! `route_layer` needs a method to stand on), so that a path that does not exist stays a 404.
//! In front of it belongs what must see refused requests too: tracing, CORS, compression.
//!
//! ```
//! use std::convert::Infallible;
//! use http::{Request, Response};
//! use portcullis::{AccessToken, Issuer, ResourceServer, scope};
//! use tower::{ServiceBuilder, service_fn};
//!
//! let api = ResourceServer::builder()
//!     .issuer(Issuer::discover("https://login.example.com").audience("https://api.example.com"))
//!     .build()?;
//!
//! let service = ServiceBuilder::new()
//!     .layer(api.require(scope("orders.read")))
//!     .service(service_fn(async |request: Request<String>| {
//!         let token = request.extensions().get::<AccessToken>();
//!         let caller = token.map(|token| token.subject().to_string());
//!         Ok::<_, Infallible>(Response::new(caller.unwrap_or_default()))
//!     }));
//! # let _ = service;
//! # Ok::<(), portcullis::ConfigError>(())
//! ```
//!
//! What makes no sense does not compile: text is no requirement (is `*` in it a pattern?), and what
//! is required cannot be optional.
//!
//! ```compile_fail,E0277
//! # fn f(api: portcullis::ResourceServer) {
//! api.require("orders.read");
//! # }
//! ```
//! ```compile_fail,E0599
//! # fn f(api: portcullis::ResourceServer) {
//! api.require(portcullis::scope("orders.read")).optional();
//! # }
//! ```

mod body;
mod future;
mod layer;
mod metadata;
mod origin;
mod service;
#[cfg(any(feature = "axum", feature = "tonic"))]
mod verified;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::{AuthenticateLayer, RequireLayer};
pub use metadata::{MetadataLayer, ServeMetadata};
pub use origin::{CheckOrigin, OriginLayer};
pub use service::Guard;
#[cfg(feature = "tonic")]
pub(crate) use service::guarded;
#[cfg(any(feature = "axum", feature = "tonic"))]
pub(crate) use verified::{Anonymous, NoToken, verified};
#[cfg(feature = "sidecar")]
pub(crate) use {future::RefusedRequest, service::is_preflight};

use crate::authorization::Requirement;
use crate::resource_server::ResourceServer;

impl ResourceServer {
    /// A layer that lets requests with a good token pass, whatever its scope.
    pub fn authenticate(&self) -> AuthenticateLayer {
        AuthenticateLayer::new(self)
    }

    /// A layer that lets requests pass whose token is good and meets `requirement`.
    ///
    /// It authenticates too; there is no need for [`authenticate`](Self::authenticate) around it. Whoever
    /// does not meet it is told what is missing, unless the route is [hidden](RequireLayer::hidden).
    pub fn require(&self, requirement: impl Into<Requirement>) -> RequireLayer {
        RequireLayer::new(self, requirement.into())
    }

    /// A layer that answers requests for the [metadata document](Self::metadata) and lets all others
    /// pass. It belongs in front of what asks for tokens. Without a
    /// [`resource`](crate::ResourceServerBuilder::resource) it does nothing.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use http::{Request, Response};
    /// use portcullis::{Issuer, ResourceServer, scope};
    /// use tower::{ServiceBuilder, service_fn};
    ///
    /// let api = ResourceServer::builder()
    ///     .issuer(Issuer::discover("https://login.example.com"))
    ///     .resource("https://api.example.com")
    ///     .build()?;
    /// let service = ServiceBuilder::new()
    ///     .layer(api.metadata_layer())
    ///     .layer(api.require(scope("orders.read")))
    ///     .service(service_fn(async |_: Request<String>| {
    ///         Ok::<_, Infallible>(Response::new(String::new()))
    ///     }));
    /// # let _ = service;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn metadata_layer(&self) -> MetadataLayer {
        MetadataLayer::new(self)
    }
}
