//! BFF with Auth0: the browser has a session, `examples/bff` has the tokens, the API has the layer.

#[path = "../../examples/bff/api.rs"]
mod api;
mod auth0;
mod browser;
mod leaks;
mod machines;
mod other_sites;
mod recorder;
#[path = "../../examples/bff/server/mod.rs"]
mod server;
mod sessions;
mod sidecar;
mod stage;
