//! The single flight of the key store under a model checker.
//!
//! These are the library's own files, on top of loom's locks in place of the system's: loom runs
//! each model under every order in which its threads can take turns, and reports a thread that
//! sleeps for ever as a deadlock.

#![cfg(test)]

#[path = "../../src/keys/flights.rs"]
#[allow(dead_code, reason = "the library uses all of it")]
mod flights;
#[path = "../../src/keys/schedule.rs"]
#[allow(dead_code, reason = "the library uses all of it")]
mod schedule;
mod sync;

mod models;

/// Models pass instants around and never wait for one.
use std::time::Instant;
