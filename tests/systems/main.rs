//! The systems whose users are served, end to end: an authorization server that is set up as theirs
//! is, real sockets, a real HTTP client, and the same requests to the layer and to the sidecar.
// A harness that cannot do its work has to fail the test, and panics are how tests fail.
#![allow(clippy::unwrap_used)]
// Both kinds of support have a use for the real authorization server.
#![allow(clippy::duplicate_mod)]

mod mobilefirst;

#[path = "../sidecar/support/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod sidecar;
#[path = "../support/mod.rs"]
mod support;
