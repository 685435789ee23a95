//! Scopes in axum: all of, any of, patterns, callers, typed claims, optional tokens.
//!
//!     cargo run --example axum_scopes --features axum,testing
//!
//! Calls every route with two tokens, one of a person and one of a machine, and prints what they
//! get.

use axum::body::Body;
use axum::{Router, routing::get};
use http::Request;
use portcullis::axum::Claims;
use portcullis::testing::Authority;
use portcullis::{AccessToken, ResourceServer, clients, policy, scope, scope_pattern, users};
use serde::Deserialize;
use tower::ServiceExt;

#[derive(Deserialize)]
struct Tenant {
    tenant: String,
}

async fn hello(token: Option<AccessToken>) -> String {
    token.map_or("hello, stranger".to_owned(), |token| format!("hello, {}", token.subject()))
}

async fn done() -> &'static str {
    "done"
}

async fn tenant(claims: Claims<Tenant>) -> String {
    format!("tenant {}", claims.tenant)
}

fn app(api: &ResourceServer) -> Router {
    Router::new()
        // A token is welcome and not needed.
        .route("/hello", get(hello).route_layer(api.authenticate().optional()))
        // Any good token.
        .route("/tenant", get(tenant).route_layer(api.authenticate()))
        // All of these.
        .route(
            "/orders",
            get(done).route_layer(api.require(scope("orders.read").and(scope("orders.write")))),
        )
        // One of these; the challenge advertises the first that can be asked for.
        .route(
            "/reports",
            get(done).route_layer(api.require(scope("reports.read").or(scope("admin")))),
        )
        // Any scope that matches. Nobody can ask for a pattern, so the challenge names one scope.
        .route(
            "/push",
            get(done)
                .route_layer(api.require(scope_pattern("push.*").challenge_scope("push.send"))),
        )
        // People only, machines only, and a rule of your own.
        .route("/me", get(done).route_layer(api.require(users())))
        .route("/jobs", get(done).route_layer(api.require(clients().and(scope("jobs.run")))))
        .route(
            "/acme",
            get(done).route_layer(api.require(policy(|token| {
                token
                    .claim::<String>("tenant")
                    .is_ok_and(|tenant| tenant.as_deref() == Some("acme"))
            }))),
        )
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authority = Authority::new();
    let app = app(&authority.resource_server().build()?);
    let person = authority
        .token()
        .subject("alice")
        .client_id("spa")
        .scope("orders.read orders.write push.receive")
        .claim("tenant", "acme")
        .mint();
    let machine =
        authority.token().subject("worker").client_id("worker").scope("jobs.run admin").mint();

    for path in ["/hello", "/tenant", "/orders", "/reports", "/push", "/me", "/jobs", "/acme"] {
        println!("{path}");
        for (caller, token) in
            [("nobody", None), ("person", Some(&person)), ("machine", Some(&machine))]
        {
            let mut request = Request::get(path);
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let response = app.clone().oneshot(request.body(Body::empty())?).await?;
            let challenge = response.headers().get("www-authenticate");
            let challenge = challenge.map_or("", |challenge| challenge.to_str().unwrap_or(""));
            println!("  {caller:8} {} {challenge}", response.status().as_u16());
        }
    }
    Ok(())
}
