//! Configuration from the environment.
//!
//!     PORTCULLIS_ISSUER=https://login.example.com \
//!     PORTCULLIS_AUDIENCE=https://api.example.com \
//!     PORTCULLIS_REQUIRED_SCOPES='orders.read' \
//!     cargo run --example from_env --features env -- TOKEN
//!
//! Says whether the token would be accepted. Without variables, or with wrong ones, it prints what
//! is wrong with each, and exits with 78.

use std::process::ExitCode;

use portcullis::ResourceServer;

#[tokio::main]
async fn main() -> ExitCode {
    let api = match ResourceServer::from_env() {
        Ok(api) => api,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(78);
        }
    };
    let Some(token) = std::env::args().nth(1) else {
        println!("the configuration is good: {api:?}");
        return ExitCode::SUCCESS;
    };
    match api.verify(&token).await {
        Ok(token) => {
            println!("accepted: {} with {:?}", token.subject(), token.scopes().collect::<Vec<_>>());
            ExitCode::SUCCESS
        }
        Err(rejection) => {
            println!("{} {rejection}", rejection.status());
            ExitCode::FAILURE
        }
    }
}
