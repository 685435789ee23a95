//! The layers: what a route demands, on its way to becoming a service.

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::Guard;
use crate::authorization::Requirement;
use crate::resource_server::{Gate, ResourceServer};

/// Lets requests with a good token pass. Made by
/// [`ResourceServer::authenticate`](crate::ResourceServer::authenticate).
#[derive(Clone)]
#[must_use]
pub struct AuthenticateLayer {
    gate: Arc<Gate>,
}

impl AuthenticateLayer {
    pub(super) fn new(server: &ResourceServer) -> Self {
        Self { gate: Arc::new(Gate::new(server, Requirement::none(), false)) }
    }

    /// Lets requests without a token pass as well, as anonymous ones. A token that is there must be
    /// good all the same.
    pub fn optional(self) -> Self {
        Self { gate: Arc::new(Gate::new(self.gate.server(), Requirement::none(), true)) }
    }
}

impl<S> Layer<S> for AuthenticateLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard::new(inner, Arc::clone(&self.gate))
    }
}

impl fmt::Debug for AuthenticateLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticateLayer")
            .field("server", self.gate.server())
            .finish_non_exhaustive()
    }
}

/// Lets requests pass whose token meets a requirement. Made by
/// [`ResourceServer::require`](crate::ResourceServer::require).
#[derive(Clone)]
#[must_use]
pub struct RequireLayer {
    gate: Arc<Gate>,
}

impl RequireLayer {
    pub(super) fn new(server: &ResourceServer, requirement: Requirement) -> Self {
        Self { gate: Arc::new(Gate::new(server, requirement, false)) }
    }

    /// Hides that there is such a route from whoever may not use it: 404 and no challenge in place of
    /// 403, of the 401 that asks for another [login](crate::acr), and of that for another
    /// [tenant](crate::tenant)'s token. A gRPC call gets 5 `NOT_FOUND`.
    ///
    /// Without a good token, and where what [every request](crate::ResourceServerBuilder::required) needs
    /// is missing, the answer is what it is everywhere, and says nothing of what this route requires. So
    /// put [`authenticate`](crate::ResourceServer::authenticate) around paths that do not exist too, or
    /// 401 tells the route from them. The body is that of every refusal: make the service's own 404 the
    /// same, or this one by a [`refusal_body`](crate::ResourceServerBuilder::refusal_body).
    ///
    /// ```
    /// use portcullis::{Issuer, ResourceServer, scope};
    ///
    /// let api = ResourceServer::builder()
    ///     .issuer(Issuer::discover("https://login.example.com").audience("https://api.example.com"))
    ///     .build()?;
    /// let layer = api.require(scope("audit")).hidden();
    /// # let _ = layer;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn hidden(self) -> Self {
        Self { gate: Arc::new(Gate::clone(&self.gate).hidden()) }
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard::new(inner, Arc::clone(&self.gate))
    }
}

impl fmt::Debug for RequireLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireLayer").field("server", self.gate.server()).finish_non_exhaustive()
    }
}
