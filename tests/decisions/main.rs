//! One table of requests and rules, and the same decision by every front that is built in code.
//! The sidecar's fronts are asked in `tests/sidecar`.
// A harness that cannot do its work has to fail the test, and panics are how tests fail.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod axum;
mod kinds;
mod seen;
mod table;
mod tonic;
mod tower;
