//! A server of the Model Context Protocol, whose clients find out by themselves where to log in.
//!
//!     cargo run --example mcp --features axum -- https://login.example.com
//!
//! The argument is the issuer of your authorization server, which has to give tokens for the resource
//! that is printed.

mod server;

use portcullis::{Issuer, ResourceServer};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = std::env::args().nth(1).ok_or("which issuer? Give its URL")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let resource = format!("http://{}/mcp", listener.local_addr()?);
    let api = ResourceServer::builder()
        .issuer(Issuer::discover(issuer))
        .mcp_server(&resource)
        .scopes_supported("orders.read orders.write")
        .build()?;
    println!("the MCP server is {resource}");
    axum::serve(listener, server::routes(&api)).await?;
    Ok(())
}
