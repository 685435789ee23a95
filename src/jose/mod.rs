//! JOSE: compact JWS, its header, JWK sets and signatures (RFC 7515, 7517, 7518).
//!
//! Everything here is mechanism: it says what a token contains and whether a key signed it, never
//! whether the token is welcome.
//!
//! 1. A token is split and its three parts decoded strictly ([`compact`]); one token has one
//!    spelling.
//! 2. Header and claims are JSON objects without duplicate members, sixteen levels deep at most
//!    ([`json`]).
//! 3. The header may name an algorithm, a key and a type ([`header`]). Members that would supply
//!    a key (`jku`, `jwk`, `x5u`, `x5c`) are never looked at.
//! 4. A key set is read entry by entry ([`jwk_set`]); an entry becomes a [`VerificationKey`] for
//!    exactly one algorithm, with the public key parsed once ([`jwk`], [`key`]).

pub(crate) mod algorithm;
pub(crate) mod base64url;
pub(crate) mod compact;
pub(crate) mod header;
pub(crate) mod json;
pub(crate) mod jwk;
pub(crate) mod jwk_set;
pub(crate) mod key;
mod roca;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub(crate) use compact::CompactJws;
pub(crate) use header::JoseHeader;
pub(crate) use jwk_set::{JwkSet, JwkSetError, KeyOrigin, NotVerified};
pub(crate) use key::VerificationKey;

/// Why a string is not a JWS that we could verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JwsError {
    /// Not three base64url parts, or the header is not one strict JSON object.
    Malformed,
    /// Five parts: a JWE (RFC 7516).
    Encrypted,
    /// `alg` is missing, no string, or not one that we implement (`none` among them).
    Algorithm,
    /// `crit`, `b64` or a nested `cty`: the header asks for processing that we do not do.
    Extension,
}

#[cfg(test)]
mod tests;
