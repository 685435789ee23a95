//! Opaque tokens: asking the authorization server about them (RFC 7662, RFC 9701; SPEC §11), over
//! HTTP to a real socket.
#![cfg(feature = "introspection")]
// A harness that cannot do its work has to fail the test, and panics are how tests fail.
#![allow(clippy::unwrap_used)]

mod answers;
mod asking;
mod bearer;
mod bound;
mod configuration;
mod kept;
mod real_server;
mod shapes;
mod signed;
#[path = "../support/mod.rs"]
mod support;

use portcullis::{Introspection, Issuer, ResourceServerBuilder};
use serde_json::{Value, json};
use support::fixture::{ISSUER, NOW, RESOURCE, Stopped};
use support::keys::changed;
use support::scripted_as::{Asked, Reply, ScriptedAs};

const PATH: &str = "/introspect";
/// An opaque token that holds every kind of character that one may hold.
const OPAQUE: &str = "2Yotn~FZFE/jr1zC+sicM-W_pAA.x==";

/// What is said about a good token for the fixture, with changes as in [`changed`].
fn active(changes: Value) -> Value {
    let claims = support::keys::claims(ISSUER);
    let claims = changed(claims, json!({ "iat": NOW, "exp": NOW + 300, "active": true }));
    changed(claims, changes)
}

fn asking(server: &ScriptedAs) -> Introspection {
    Introspection::at(format!("{}{PATH}", server.origin)).basic("rs", "rs-secret")
}

fn builder(issuer: Issuer) -> ResourceServerBuilder {
    support::server::builder().issuer(issuer).resource(RESOURCE).realm("rs").clock(Stopped)
}

/// A server that asks about every token.
fn introspecting(server: &ScriptedAs) -> ResourceServerBuilder {
    builder(Issuer::introspected(ISSUER, asking(server)))
}

async fn answering(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> ScriptedAs {
    ScriptedAs::start(script).await
}
