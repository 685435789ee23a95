//! A gRPC service and its client: what each method needs, and what the client is told.
//!
//! ```sh
//! cargo run --example grpc --features testing,tonic
//! ```

/// As generated code is, it is public.
#[allow(unreachable_pub)]
mod orders;

use std::error::Error;

use futures_util::stream::{self, BoxStream};
use orders::{Order, Orders, OrdersClient, OrdersServer, WatchRequest};
use portcullis::testing::{Authority, ManualClock};
use portcullis::tonic::{Methods, RequestExt, UntilExpiry};
use portcullis::{ResourceServer, scope};
use tonic::metadata::errors::InvalidMetadataValue;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

struct Shop;

impl Orders for Shop {
    type News = UntilExpiry<BoxStream<'static, Result<Order, Status>>>;

    async fn create(&self, request: Request<Order>) -> Result<Response<Order>, Status> {
        let token = request.access_token()?;
        println!("service: {} creates an order", token.subject());
        Ok(Response::new(Order { id: 1, ..request.into_inner() }))
    }

    /// Ends with `UNAUTHENTICATED` when the token expires, so that the client comes again.
    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::News>, Status> {
        let news = stream::iter([Ok(Order { id: 1, item: "tea".to_owned() })]);
        Ok(Response::new(UntilExpiry::new(Box::pin(news), request.access_token()?)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In production: ResourceServer::builder().issuer(Issuer::discover(…).audience(…)).build()?
    let authority = Authority::builder().clock(ManualClock::running()).build()?;
    let api: ResourceServer = authority.resource_server().build()?;

    // What is not listed needs a good token: a health service, for example, until it is public.
    let methods = Methods::new()
        .require(orders::CREATE, scope("orders.write"))
        .require(orders::WATCH, scope("orders.read"))
        .public("/grpc.health.v1.Health/*");
    let socket = TcpIncoming::bind("127.0.0.1:0".parse()?)?;
    let address = socket.local_addr()?;
    let server = Server::builder()
        // Room for tokens of up to 16 KiB.
        .http2_max_header_list_size(32 * 1024)
        .layer(api.methods(methods)?)
        .add_service(OrdersServer::new(Shop))
        .serve_with_incoming(socket);
    tokio::spawn(server);

    let channel = Channel::from_shared(format!("http://{address}"))?.connect().await?;
    let mut client = OrdersClient::new(channel);
    let order = || Order { id: 0, item: "tea".to_owned() };
    for (who, token) in [
        ("nobody", None),
        ("a reader", Some(authority.token().scope("orders.read"))),
        ("a writer whose token expired", Some(authority.token().scope("orders.write").expired())),
        ("a writer", Some(authority.token().scope("orders.write"))),
    ] {
        let mut request = Request::new(order());
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", bearer(&token.mint())?);
        }
        match client.create(request).await {
            Ok(response) => println!("client: {who} has made order {}", response.get_ref().id),
            Err(status) => {
                let challenge = status.metadata().get("www-authenticate");
                println!("client: {who} is told {:?}, {challenge:?}", status.code());
            }
        }
    }

    let mut request = Request::new(WatchRequest {});
    let token = authority.token().scope("orders.read").mint();
    request.metadata_mut().insert("authorization", bearer(&token)?);
    let mut news = client.watch(request).await?.into_inner();
    while let Some(order) = news.message().await? {
        println!("client: a reader hears of order {}", order.id);
    }
    Ok(())
}

fn bearer(token: &str) -> Result<MetadataValue<Ascii>, InvalidMetadataValue> {
    format!("Bearer {token}").parse()
}
