//! The decision table of `tests/decisions`, by the fronts of the sidecar.

mod ext_authz;
mod forward_auth;
mod proxy;
#[path = "../../decisions/table/mod.rs"]
mod table;
