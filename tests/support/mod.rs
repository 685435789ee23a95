//! What several integration tests share. Each of them is a crate of its own that holds this as a
//! private module and uses a part of it, which the lints take for mistakes.
#![allow(dead_code, unreachable_pub, unused_imports)]

pub mod challenge;
pub mod fixture;
pub mod folder;
pub mod json_facts;
pub mod keys;
pub mod log;
pub mod oidc_provider;
pub mod scripted_as;
pub mod server;
pub mod simulated_as;
pub mod simulation;
pub mod tls;
pub mod vectors;

pub use challenge::challenge;
