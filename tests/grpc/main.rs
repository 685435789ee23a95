//! gRPC: what callers see, on real sockets, and what methods know about them.
// A harness that cannot do its work has to fail the test, and panics are how tests fail.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod calls;
mod frames;

mod methods;
#[path = "../../examples/grpc/orders.rs"]
#[allow(unreachable_pub)]
mod orders;
mod other_language;
mod shop;
mod streams;
mod web;
