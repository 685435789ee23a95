//! The API: it knows nothing of browsers, sessions or the BFF. It sees bearer tokens.

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use portcullis::{AccessToken, Algorithm, Issuer, Requirement, ResourceServer, policy, scope};

/// An Auth0 tenant. Its issuer ends in a slash, `https://tenant.eu.auth0.com/`, and is compared as
/// it is written here. `audience` is the API's identifier.
///
/// With "Enable RBAC" and "Add Permissions in the Access Token", `permissions` is what a person's
/// roles, or the grants of a machine, allow; `scope` is no more than what was asked for.
pub(crate) fn issuer(issuer: &str, audience: &str) -> Issuer {
    Issuer::discover(issuer)
        .audience(audience)
        .algorithms([Algorithm::RS256])
        .scope_claims(["permissions"])
}

pub(crate) fn router(api: &ResourceServer) -> Router {
    let orders = get(list).route_layer(api.require(scope("read:orders")));
    let create = post(create).route_layer(api.require(scope("create:orders")));
    let import = post(import).route_layer(api.require(machines().and(scope("import:orders"))));
    Router::new()
        .route("/orders", orders.merge(create))
        .route("/orders/import", import)
        .route("/me", get(me).route_layer(api.require(people())))
}

async fn list(token: AccessToken) -> String {
    format!("orders of {}", token.subject())
}

async fn create(token: AccessToken, item: String) -> (StatusCode, String) {
    (StatusCode::CREATED, format!("{} ordered {item}", token.subject()))
}

async fn import(token: AccessToken) -> String {
    format!("imported by {}", token.subject())
}

async fn me(token: AccessToken) -> String {
    format!("you are {}", token.subject())
}

fn machines() -> Requirement {
    policy(is_machine)
}

fn people() -> Requirement {
    policy(|token| !is_machine(token))
}

/// Tokens by client credentials have `gty`. In Auth0's profile by RFC 9068 they do not, and are told
/// by their subject, which is that of no person: those are written `connection|id`.
fn is_machine(token: &AccessToken) -> bool {
    let gty = token.claim::<String>("gty");
    let client = token.subject().id().and_then(|subject| subject.strip_suffix("@clients"));
    gty.is_ok_and(|gty| gty.as_deref() == Some("client-credentials"))
        || (client.is_some() && client == token.client_id())
}
