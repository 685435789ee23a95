//! A gRPC service on a socket.

use std::net::SocketAddr;

use futures_util::stream::{self, BoxStream, StreamExt};
use http::Response as HttpResponse;
use portcullis::RejectionKind;
use portcullis::testing::{Authority, ManualClock, TokenBuilder};
use portcullis::tonic::{MethodsLayer, RequestExt, UntilExpiry};
use serde::Deserialize;
use tokio::task::AbortHandle;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

use crate::orders::{Order, Orders, OrdersClient, OrdersServer, WatchRequest};

/// Creates orders for tenants, and has news without end.
pub(crate) struct Shop;

#[derive(Deserialize)]
struct Tenant {
    tenant: String,
}

impl Orders for Shop {
    type News = UntilExpiry<BoxStream<'static, Result<Order, Status>>>;

    /// `item` chooses what is asked of the request.
    async fn create(&self, request: Request<Order>) -> Result<Response<Order>, Status> {
        let item = match request.get_ref().item.as_str() {
            "claims" => request.claims::<Tenant>()?.tenant,
            "forbidden" => {
                return Err(request.access_token()?.reject(RejectionKind::Forbidden).into());
            }
            "optional" => match request.optional_access_token()? {
                Some(token) => token.subject().to_string(),
                None => "nobody".to_owned(),
            },
            _ => request.access_token()?.subject().to_string(),
        };
        Ok(Response::new(Order { id: 1, item }))
    }

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::News>, Status> {
        let first = stream::iter([Ok(Order { id: 1, item: "first".to_owned() })]);
        let news = first.chain(stream::pending()).boxed();
        Ok(Response::new(UntilExpiry::new(news, request.access_token()?)))
    }
}

/// A server; it ends with this.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    serving: AbortHandle,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(crate) fn routes() -> Routes {
    Routes::new(OrdersServer::new(Shop))
}

/// Serves these behind a layer.
pub(crate) async fn serve<L, S, B>(layer: L, routes: Routes) -> Served
where
    L: tower::Layer<Routes, Service = S> + Clone + Send + 'static,
    S: tower::Service<http::Request<tonic::body::Body>, Response = HttpResponse<B>>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send + Sync,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let socket = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    let server = Server::builder()
        .accept_http1(true)
        .http2_max_header_list_size(64 * 1024)
        .layer(layer)
        .add_routes(routes)
        .serve_with_incoming(socket);
    Served { address, serving: tokio::spawn(server).abort_handle() }
}

/// The shop behind what each of its methods needs.
pub(crate) async fn shop(layer: MethodsLayer) -> Served {
    serve(layer, routes()).await
}

impl Served {
    pub(crate) async fn channel(&self) -> Channel {
        let address = format!("http://{}", self.address);
        Channel::from_shared(address).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self) -> OrdersClient {
        OrdersClient::new(self.channel().await)
    }
}

/// An authority whose clock runs.
pub(crate) fn authority() -> Authority {
    Authority::builder().clock(ManualClock::running()).build().unwrap()
}

pub(crate) fn with<T>(message: T, token: &TokenBuilder) -> Request<T> {
    let mut request = Request::new(message);
    let bearer: MetadataValue<Ascii> = format!("Bearer {}", token.mint()).parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

pub(crate) fn order(item: &str) -> Order {
    Order { id: 0, item: item.to_owned() }
}
