//! What several integration tests share. Each of them is a crate of its own that holds this as a
//! private module and uses a part of it, which the two lints take for mistakes.
#![allow(dead_code, unreachable_pub)]

pub mod oidc_provider;
