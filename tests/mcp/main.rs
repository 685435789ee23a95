//! Servers of the Model Context Protocol (SPEC §21): the official client finds its authorization
//! server from our 401.
// A harness that cannot do its work has to fail the test, and panics are how tests fail.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod official_client;
mod profile;
#[path = "../../examples/mcp/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;
