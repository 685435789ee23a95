//! A plain hyper server with tower middleware, no framework.
//!
//!     cargo run --example hyper_tower --features testing

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use portcullis::testing::{Authority, ManualClock};
use portcullis::{AccessToken, Issuer, ResourceServer, scope};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    // The layer puts the verified token into the extensions.
    let token = request.extensions().get::<AccessToken>();
    let subject = token.map(|token| token.subject().to_string()).unwrap_or_default();
    Ok(Response::new(Full::from(format!("hello, {subject}\n"))))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authority = Authority::builder().clock(ManualClock::running()).serve().await?;
    let issuer = Issuer::discover(authority.issuer_url()).audience("https://api.example.com");
    let api = ResourceServer::builder().issuer(issuer).build()?;
    // Not needed; without it the first request waits for the keys.
    api.load_keys().await?;

    let service = ServiceBuilder::new().layer(api.require(scope("hello"))).service_fn(hello);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let token = authority.token().subject("alice").scope("hello").mint();
    println!("curl -i http://{}/", listener.local_addr()?);
    println!("curl -i -H 'Authorization: Bearer {token}' http://{}/", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            if let Err(error) =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
            {
                eprintln!("{error}");
            }
        });
    }
}
