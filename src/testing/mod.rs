//! An authorization server for your tests: in the same process, with any token you like.
//!
//! ```
//! use axum::body::Body;
//! use axum::{Router, routing::get};
//! use http::{Request, StatusCode, header::AUTHORIZATION};
//! use portcullis::testing::Authority;
//! use portcullis::{ResourceServer, scope};
//! use tower::ServiceExt;
//!
//! // What is to be tested.
//! fn app(api: &ResourceServer) -> Router {
//!     let orders = get(async || "[]").route_layer(api.require(scope("orders.read")));
//!     Router::new().route("/orders", orders)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The test, under #[tokio::test].
//! let authority = Authority::new();
//! let api = authority.resource_server().build()?;
//! for (token, status) in [
//!     (authority.token().scope("orders.read"), StatusCode::OK),
//!     (authority.token().scope("orders.write"), StatusCode::FORBIDDEN),
//!     (authority.token().scope("orders.read").expired(), StatusCode::UNAUTHORIZED),
//!     (authority.token().scope("orders.read").signed_by_stranger(), StatusCode::UNAUTHORIZED),
//! ] {
//!     let request = Request::get("/orders")
//!         .header(AUTHORIZATION, format!("Bearer {}", token.mint()))
//!         .body(Body::empty())?;
//!     assert_eq!(app(&api).oneshot(request).await?.status(), status);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! 1. Code that **takes an [`AccessToken`](crate::AccessToken)** gets one from
//!    [`authority.token().verified()`](TokenBuilder::verified).
//! 2. A **service with the layer** is tested with [`Authority::new`] and
//!    [`resource_server`](Authority::resource_server), without any socket. Where your own
//!    configuration is part of the test, give it [`issuer`](Authority::issuer),
//!    [`clock`](Authority::clock) and [`http_service`](Authority::http_service) one by one.
//! 3. A **program in another process**, or one whose HTTP client is part of the test, is pointed to
//!    the [`issuer_url`](Authority::issuer_url) of an authority on a socket, [`Authority::bind`].
//!    Give that one a clock that [runs](ManualClock::running) if it lives for minutes.
//! 4. **Time** passes when [`clock().advance(…)`](ManualClock::advance) says so, for tokens. Keys
//!    age by the runtime's clock, which tokio can pause.
//! 5. **Keys** change with [`rotate_keys`](Authority::rotate_keys) and disappear with
//!    [`retire_old_keys`](Authority::retire_old_keys).
//! 6. **Clients** that fetch tokens are [registered](Authority::register) and ask the
//!    [token endpoint](Authority::token_endpoint), by client credentials (RFC 6749 §4.4).
//! 7. **Opaque tokens** are made by [`opaque()`](TokenBuilder::opaque), or by the token endpoint of an
//!    authority [that makes such](AuthorityBuilder::opaque_tokens). Resource servers ask the
//!    [introspection endpoint](Authority::introspection_endpoint) about them, where they can be
//!    [revoked](Authority::revoke).
//! 8. **Presets** work with an authority of the right issuer, such as
//!    `Authority::builder().issuer("https://acme.us.wristband.dev")` for `Issuer::wristband(…)`: it
//!    answers where that system does. Tokens get the claims of the system by
//!    [`claim`](TokenBuilder::claim) and [`without`](TokenBuilder::without).
//! 9. **Failures** of the authority are made with [`set_outage`](Authority::set_outage).
//!
//! It is for tests and for development, never for production: whoever holds an [`Authority`] makes
//! any token, its keys live in memory alone, and it listens on loopback addresses only.

mod addresses;
mod authority;
mod builder;
mod client;
mod client_authentication;
mod clock;
mod endpoints;
mod form;
mod in_process;
mod introspection_endpoint;
mod keys;
mod mint;
mod misuse;
pub(crate) mod serve;
mod signing_key;
mod state;
mod token;
mod token_endpoint;
mod token_error;

pub use authority::Authority;
pub use builder::AuthorityBuilder;
pub use client::Client;
pub use clock::ManualClock;
pub use in_process::InProcessClient;
pub use state::Outage;
pub use token::TokenBuilder;
