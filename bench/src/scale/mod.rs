//! One file for each thing that grows.

pub mod hits;
pub mod issuers;
pub mod scopes;
pub mod threads;
pub mod tokens;
