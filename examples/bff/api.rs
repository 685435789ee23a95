//! The API: it knows nothing of browsers, sessions or the BFF. It sees bearer tokens.

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use portcullis::{AccessToken, Issuer, Preset, ResourceServer, clients, scope, users};

/// An Auth0 tenant. Its issuer ends in a slash, `https://tenant.eu.auth0.com/`, and is compared as
/// it is written here. `audience` is the API's identifier.
///
/// With "Enable RBAC" and "Add Permissions in the Access Token", `permissions` is what a person's
/// roles, or the grants of a machine, allow; `scope` is no more than what was asked for. The preset
/// takes the one before the other, and tells machines from people in both of Auth0's profiles.
pub(crate) fn issuer(issuer: &str, audience: &str) -> Issuer {
    Issuer::discover(issuer).preset(Preset::Auth0).audience(audience)
}

pub(crate) fn router(api: &ResourceServer) -> Router {
    let orders = get(list).route_layer(api.require(scope("read:orders")));
    let create = post(create).route_layer(api.require(scope("create:orders")));
    let import = post(import).route_layer(api.require(clients().and(scope("import:orders"))));
    Router::new()
        .route("/orders", orders.merge(create))
        .route("/orders/import", import)
        .route("/me", get(me).route_layer(api.require(users())))
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
