//! Systems that people have, end to end: an authorization server as theirs is, clients as theirs
//! are, real sockets, and the same requests to the layer and to the sidecar.
// A harness that cannot do its work has to fail the test, and panics are how tests fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod bff_auth0;
mod entrypage;
mod mobilefirst;
/// A part of it is used here, and a part of it is in `support` too.
#[path = "../sidecar/support/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, clippy::duplicate_mod)]
mod sidecar_support;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod wristband;
