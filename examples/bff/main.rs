//! A backend for a front end (BFF) with Auth0, and an API behind it: the browser has a session
//! cookie, the server has the tokens. `README.md` beside this file says how to run it.

mod api;
mod server;

use std::env::{self, VarError};
use std::error::Error;

use portcullis::ResourceServer;
use server::Settings;
use tokio::net::TcpListener;

const PUBLIC_URL: &str = "http://localhost:3000";
const BFF: &str = "127.0.0.1:3000";
const API: &str = "127.0.0.1:3001";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings {
        issuer: variable("BFF_ISSUER")?,
        audience: variable("BFF_AUDIENCE")?,
        client_id: variable("BFF_CLIENT_ID")?,
        client_secret: variable("BFF_CLIENT_SECRET")?,
        public_url: PUBLIC_URL.to_owned(),
        api_url: format!("http://{API}"),
    };
    let issuer = api::issuer(&settings.issuer, &settings.audience);
    let api = api::router(&ResourceServer::builder().issuer(issuer).build()?);
    let bff = server::router(settings).await?;

    let api = axum::serve(TcpListener::bind(API).await?, api);
    let bff = axum::serve(TcpListener::bind(BFF).await?, bff);
    println!("open {PUBLIC_URL}");
    tokio::try_join!(api.into_future(), bff.into_future())?;
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| match error {
        VarError::NotPresent => format!("{name} is not set, see examples/bff/README.md"),
        VarError::NotUnicode(_) => format!("{name} is not text"),
    })
}
