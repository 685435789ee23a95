//! `PORTCULLIS_MODE=forward-auth`: gateways that ask, and what reaches their clients and services.
//!
//! The gateways run with the files in `examples/gateways`, of which only addresses are changed.

mod gateway;
mod raw;
mod samples;
mod table;

use portcullis::testing::Authority;

use crate::support::{Settings, Sidecar};

const RULES: &str = r#"
    [[rule]]
    path = "/public"
    public = true

    [[rule]]
    methods = ["GET"]
    path = "/orders/{id}"
    scopes = ["orders.read"]

    [[rule]]
    path = "/orders/{id}"
    scopes = ["orders.write"]

    [[rule]]
    path = "/admin/{*rest}"
    scopes = ["admin"]

    [[rule]]
    path = "/audit/{*rest}"
    scopes = ["audit"]
    hide = true

    [[rule]]
    path = "/stock/{*rest}"
    host = "{tenant}.example"
    tenant = { tnt_id = "{tenant}" }
"#;

/// A sidecar that believes this machine, with [`RULES`].
fn asked_about(authority: &Authority) -> Settings {
    Sidecar::asked_by_gateways(authority).rules(RULES)
}
