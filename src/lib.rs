//! The OAuth 2.0 resource server for Rust: check the access token of every request, and tell the
//! client precisely what is wrong.
//!
//! An API receives access tokens from an authorization server. Before a handler runs, somebody has
//! to decide: is this token genuine, is it for us, does it allow *this* request? And if not, what
//! should the client do next? portcullis is that somebody, as a [tower] layer for axum, hyper and
//! everything else that speaks tower.
//!
//! # In ten lines
//!
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use axum::{Router, routing::get};
//! use portcullis::{AccessToken, Issuer, ResourceServer, scope};
//!
//! async fn orders(token: AccessToken) -> String {
//!     format!("orders of {}", token.subject())
//! }
//!
//! let issuer = Issuer::discover("https://login.example.com").audience("https://api.example.com");
//! let api = ResourceServer::builder().issuer(issuer).build()?;
//! let app: Router = Router::new()
//!     .route("/orders", get(orders).route_layer(api.require(scope("orders.read"))));
//! # Ok::<(), portcullis::ConfigError>(())
//! ```
//!
//! # What happens to a request
//!
//! 1. **Credentials.** One `Authorization: Bearer` field with one token of at most 16384 bytes.
//!    Anything malformed is 400, nothing at all is 401 without `error`.
//! 2. **Authentication.** The token is a JWT signed by a configured [`Issuer`] with an allowed
//!    [`Algorithm`], unexpired, meant for this audience, of the kind that its [`Profile`] asks for
//!    and bound to nothing, or to the [`ClientCertificate`] that was shown with it (RFC 8705).
//!    Otherwise: 401 `invalid_token`.
//! 3. **Authorization.** It meets the route's [`Requirement`]: scopes, patterns, callers, policies.
//!    Otherwise: 403, with `insufficient_scope` and the scope to ask for where that would help. Where
//!    the person has to log in again, 401 with `insufficient_user_authentication`.
//! 4. The inner service finds the [`AccessToken`] in the request extensions.
//!
//! When no key can be had from the authorization server, the answer is 503 with `Retry-After`:
//! never the client's fault, and never an open door. [`RejectionKind`] lists every reason,
//! [`Rejection`] says what the client is told.
//!
//! # Scopes
//!
//! [`scope`] is literal. [`scope_pattern`] is satisfied by any granted scope that it matches, `*`
//! standing for any run of characters. Both combine with [`and`](Requirement::and) and
//! [`or`](Requirement::or), and with [`users`], [`clients`], [`client_ids`], [`first_party`],
//! [`actor`] and [`policy`]. In a *token*, `*` is a
//! character like any other unless the issuer was declared to
//! [grant patterns](Issuer::granted_wildcards). A [ceiling](Issuer::allowed_scopes) narrows what
//! an issuer's tokens may count for.
//!
//! A route may be [hidden](tower::RequireLayer::hidden): whoever has a good token that is not enough gets
//! 404 there in place of all this.
//!
//! # Logins
//!
//! [`acr`] and [`max_age`] ask how, and how long ago at most, the person has logged in (RFC 9470),
//! and combine with scopes. [`AccessToken::check`] asks for such things in a handler, where it
//! depends on the request.
//!
//! # Keys
//!
//! [`Issuer::discover`] asks the issuer's metadata (RFC 8414, OpenID Connect Discovery) for its key
//! set; [`Issuer::with_jwks_uri`], [`Issuer::with_jwks`] and [`Issuer::with_jwks_file`] name it.
//!
//! - Keys are fetched when the first token arrives, or ahead of it by
//!   [`ResourceServer::load_keys`], and then refreshed in the background at 80 % of their lifetime:
//!   `Cache-Control: max-age` within 60 s and 24 h, 10 minutes by default. The task that does it
//!   ends with the last [`ResourceServer`]; where nothing runs between requests, requests start
//!   the refresh.
//! - No request waits while a usable key is at hand. One that has to, because its key is not
//!   there, waits for one shared fetch, two seconds at most.
//! - While the authorization server fails, the keys that are there stay in use, up to
//!   [`jwks_max_stale`](ResourceServerBuilder::jwks_max_stale) past their lifetime; attempts follow
//!   at growing intervals of up to five minutes. Without any key, requests get 503, and an attempt
//!   is made every second.
//! - A key identifier that is not there causes a fetch, at most one in ten seconds and issuer,
//!   failures counted; the same identifier again not before half a minute has passed.
//! - A good answer replaces all keys, so that a key that is gone is dead at once. A bad one
//!   replaces nothing, and is logged once.
//! - [`ResourceServer::keys`] tells what there is, for readiness checks and status pages;
//!   [`jwks_snapshot`](ResourceServerBuilder::jwks_snapshot) keeps keys across restarts.
//!
//! That needs a tokio runtime with I/O and timers enabled; verifying with a fixed set needs none.
//!
//! # Opaque tokens
//!
//! With the feature `introspection`, an authorization server can be asked about tokens that say nothing
//! by themselves (RFC 7662): `Issuer::introspected` about all of them, `Issuer::introspect` about those
//! that are no JWTs. Answers are judged like claims and kept for a minute at most; a server that gives
//! none is an outage (503).
//!
//! # Issuers
//!
//! Any number of issuers, each with its own audiences, algorithms, profile and claims. Well-known
//! systems have [presets](Preset): [`Issuer::auth0`], [`Issuer::keycloak`] and so on.
//! [`Issuer::matching`] trusts all issuers of one form, a bounded number of them at a time.
//!
//! # Tenants
//!
//! [`tenant`] requires that a claim names the tenant that the request is for: a literal, a segment of
//! the path or a label of the host. A token of another tenant is answered with 401, in the words of any
//! token for somebody else, so that nobody learns which tenants there are.
//!
//! # Remembered tokens
//!
//! A token is presented many times in its life. Its signature and what its claims say are checked
//! the first time; after that, as long as it is [remembered](ResourceServerBuilder::token_cache):
//!
//! - that the keys in use are the same ones, its lifetime, and what the route requires are judged
//!   at every request. A key set that has changed in any way ends all that was verified with the
//!   one before;
//! - only good tokens are remembered, so forged ones push nothing out; of good ones, those that
//!   come again stay;
//! - a token is known by a hash under a key of the process. Its claims are in memory as long as it
//!   is remembered, its text is not;
//! - [`ResourceServer::token_cache`] tells how often that has helped.
//!
//! # Metrics
//!
//! With the feature `metrics`, these are told to the recorder of the `metrics` crate, each with a
//! label `issuer`:
//!
//! | Name | Kind | |
//! | --- | --- | --- |
//! | `portcullis_jwks_fetches_total` | counter | attempts by `outcome`: `changed`, `unchanged`, `failed` |
//! | `portcullis_jwks_fetch_duration_seconds` | histogram | of attempts |
//! | `portcullis_jwks_keys` | gauge | keys in use |
//! | `portcullis_jwks_last_success_timestamp_seconds` | gauge | Unix time of the last good attempt |
//! | `portcullis_unknown_keys_total` | counter | tokens whose key was not there |
//!
//! # Features
//!
//! None is on by default: the tower layer and keys over HTTPS are always there.
//!
//! | Feature | Brings |
//! | --- | --- |
//! | `axum` | extractors: [`AccessToken`], `Option<AccessToken>`, `Claims<T>`; routes for the metadata document |
//! | `env` | `ResourceServer::from_env()`, configuration from `PORTCULLIS_*` variables |
//! | `introspection` | opaque tokens: `Issuer::introspected`, RFC 7662 |
//! | `metrics` | counts about keys, see above |
//! | `testing` | `testing::Authority`, an authorization server for tests |
//! | `tonic` | for gRPC: tokens in handlers, `Rejection` as `Status`, requirements by method |
//! | `sidecar` | the `portcullis` binary |
#![cfg_attr(docsrs, feature(doc_cfg))]
// No input may end in a panic, and a library has no business on the standard streams. Tests may
// do both, so this stands here and not in the manifest.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::todo,
    clippy::unimplemented,
    clippy::dbg_macro,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod access_token;
mod authentication;
mod authorization;
#[cfg(feature = "axum")]
pub mod axum;
mod challenge;
mod client_certificate;
mod clock;
mod config_error;
mod credentials;
#[cfg(feature = "env")]
pub mod env;
mod fetch;
#[cfg(feature = "__internals")]
#[doc(hidden)]
pub mod internals;
#[cfg(feature = "introspection")]
mod introspection;
mod jose;
mod keys;
mod origin;
mod rejection;
mod rejection_kind;
mod resource_server;
mod scope;
#[cfg(feature = "sidecar")]
#[doc(hidden)]
pub mod sidecar;
mod spelling;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod token_cache;
#[cfg(feature = "tonic")]
#[cfg_attr(docsrs, doc(cfg(feature = "tonic")))]
pub mod tonic;
pub mod tower;

pub use access_token::{AccessToken, Actor, Caller, ClaimsError, Subject};
pub use authentication::{
    CallerSign, CallerTable, DangerousIssuer, InvalidCallerRow, Issuer, Preset, Profile,
    WildcardMatch,
};
pub use authorization::{
    InvalidAcr, InvalidRequirement, Requirement, TenantClaim, acr, actor, actor_of, all_of, any_of,
    client_ids, clients, first_party, max_age, no_actor, policy, scope, scope_pattern, tenant,
    third_party, users,
};
pub use client_certificate::ClientCertificate;
pub use clock::{Clock, SystemClock};
pub use config_error::{ConfigError, Fault};
pub use credentials::QueryToken;
pub use fetch::HttpService;
#[cfg(feature = "introspection")]
#[cfg_attr(docsrs, doc(cfg(feature = "introspection")))]
pub use introspection::Introspection;
pub use jose::{Algorithm, UnknownAlgorithm};
pub use keys::{KeyFetches, KeyState, KeyStatus};
pub use rejection::Rejection;
pub use rejection_kind::RejectionKind;
pub use resource_server::{
    DangerousBuilder, KeysUnavailable, Preflight, ResourceMetadata, ResourceServer,
    ResourceServerBuilder,
};
pub use scope::{InvalidScope, Scope, ScopePattern};
pub use token_cache::TokenCacheStatus;

/// The examples in the README compile.
#[cfg(all(doctest, feature = "axum", feature = "tonic"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// So do those of the page about metadata.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../docs/metadata.md")]
struct AboutMetadata;

/// So do those of the page about opaque tokens.
#[cfg(all(doctest, feature = "introspection"))]
#[doc = include_str!("../docs/introspection.md")]
struct AboutIntrospection;

/// Those of the page about systems.
#[cfg(all(doctest, feature = "introspection"))]
#[doc = include_str!("../docs/systems.md")]
struct AboutSystems;

/// And those of the page about gRPC.
#[cfg(all(doctest, feature = "tonic"))]
#[doc = include_str!("../docs/grpc.md")]
struct AboutGrpc;

/// And those of the page about presets.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../docs/presets.md")]
struct AboutPresets;
