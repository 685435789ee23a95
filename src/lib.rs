//! portcullis: the OAuth 2.0 resource server.
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
mod clock;
mod config_error;
mod credentials;
mod fetch;
mod jose;
mod keys;
mod rejection;
mod rejection_kind;
mod resource_server;
mod scope;
pub mod tower;

pub use access_token::{AccessToken, Caller, ClaimsError, Subject};
pub use authentication::{DangerousIssuer, Issuer, Profile, WildcardMatch};
pub use authorization::{
    InvalidRequirement, Requirement, all_of, any_of, clients, policy, scope, scope_pattern, users,
};
pub use clock::{Clock, SystemClock};
pub use config_error::{ConfigError, Fault};
pub use credentials::QueryToken;
pub use fetch::HttpService;
pub use jose::{Algorithm, UnknownAlgorithm};
pub use rejection::Rejection;
pub use rejection_kind::RejectionKind;
pub use resource_server::{
    DangerousBuilder, KeysUnavailable, Preflight, ResourceServer, ResourceServerBuilder,
};
pub use scope::{InvalidScope, Scope, ScopePattern};
