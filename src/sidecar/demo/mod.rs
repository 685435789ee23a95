//! `portcullis demo`: an authorization server and a protected API, both on loopback, and the curl
//! lines that show how the API answers.

mod api;
mod guide;
mod interrupt;
mod listen;

use std::env;
use std::io;

use tokio::runtime;

use self::api::DemoApi;
use self::guide::Guide;
use self::interrupt::Interrupt;
use super::{Failure, say};
use crate::testing::{Authority, Client, ManualClock};

/// Runs until it is interrupted.
pub(super) fn run() -> Result<(), Failure> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve())
}

async fn serve() -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let socket = listen::bind(listen::configured(env::vars_os())?).await?;
    let api_url = format!("http://{}", socket.address());
    let authority =
        Authority::builder().audience(&api_url).clock(ManualClock::running()).serve().await?;
    // The development client of IBM MobileFirst: it may have any scope.
    let client = Client::new(guide::CLIENT, guide::SECRET).allowed_scope("*");
    authority.register(client).map_err(io::Error::other)?;
    let server = authority.resource_server().realm("demo").build().map_err(io::Error::other)?;
    let api = DemoApi::new(&server);
    let _serving = socket.serve(move |request| api.clone().answer(request));
    say(&Guide { api_url, token_endpoint: authority.token_endpoint() }.to_string())?;
    interrupt.wait().await;
    Ok(())
}
