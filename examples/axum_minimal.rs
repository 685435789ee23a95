//! The least that a protected axum service needs.
//!
//!     cargo run --example axum_minimal --features axum,testing
//!
//! To run without anything else, it starts an authorization server for tests in the same process
//! and prints a command with a token of it. In a service of your own, only the middle part stays.

use axum::{Router, routing::get};
use portcullis::testing::{Authority, ManualClock};
use portcullis::{AccessToken, Issuer, ResourceServer, scope};
use tokio::net::TcpListener;

async fn orders(token: AccessToken) -> String {
    format!("orders of {}\n", token.subject())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authority = Authority::builder().clock(ManualClock::running()).serve().await?;

    // Your own authorization server's URL goes here.
    let issuer = Issuer::discover(authority.issuer_url()).audience("https://api.example.com");
    let api = ResourceServer::builder().issuer(issuer).build()?;
    let app =
        Router::new().route("/orders", get(orders).route_layer(api.require(scope("orders.read"))));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let token = authority.token().subject("alice").scope("orders.read").mint();
    println!("curl -i http://{}/orders", listener.local_addr()?);
    println!("curl -i -H 'Authorization: Bearer {token}' http://{}/orders", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
