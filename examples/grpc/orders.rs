//! What `tonic-prost-build` makes of `orders.proto`, in short and by hand, so that nobody needs
//! `protoc` for it. A service of your own has generated code here; nothing else differs.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use http::uri::PathAndQuery;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

pub const CREATE: &str = "/orders.Orders/Create";
pub const WATCH: &str = "/orders.Orders/Watch";

#[derive(Clone, PartialEq, prost::Message)]
pub struct Order {
    #[prost(uint64, tag = "1")]
    pub id: u64,
    #[prost(string, tag = "2")]
    pub item: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct WatchRequest {}

pub trait Orders: Send + Sync + 'static {
    type News: Stream<Item = Result<Order, Status>> + Send + 'static;

    fn create(
        &self,
        request: Request<Order>,
    ) -> impl Future<Output = Result<Response<Order>, Status>> + Send;

    fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> impl Future<Output = Result<Response<Self::News>, Status>> + Send;
}

pub struct OrdersServer<T>(Arc<T>);

impl<T> OrdersServer<T> {
    pub fn new(orders: T) -> Self {
        Self(Arc::new(orders))
    }
}

impl<T> Clone for OrdersServer<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> NamedService for OrdersServer<T> {
    const NAME: &'static str = "orders.Orders";
}

impl<T: Orders> Service<http::Request<Body>> for OrdersServer<T> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: http::Request<Body>) -> Self::Future {
        let orders = Arc::clone(&self.0);
        Box::pin(async move {
            Ok(match call.uri().path() {
                CREATE => {
                    let create = service_fn(move |request| {
                        let orders = Arc::clone(&orders);
                        async move { orders.create(request).await }
                    });
                    tonic::server::Grpc::new(ProstCodec::default()).unary(create, call).await
                }
                WATCH => {
                    let watch = service_fn(move |request| {
                        let orders = Arc::clone(&orders);
                        async move { orders.watch(request).await }
                    });
                    let mut grpc = tonic::server::Grpc::new(ProstCodec::default());
                    grpc.server_streaming(watch, call).await
                }
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

pub struct OrdersClient(tonic::client::Grpc<Channel>);

impl OrdersClient {
    pub fn new(channel: Channel) -> Self {
        Self(tonic::client::Grpc::new(channel))
    }

    pub async fn create(&mut self, request: Request<Order>) -> Result<Response<Order>, Status> {
        self.ready().await?;
        self.0.unary(request, PathAndQuery::from_static(CREATE), ProstCodec::default()).await
    }

    pub async fn watch(
        &mut self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Streaming<Order>>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static(WATCH);
        self.0.server_streaming(request, path, ProstCodec::default()).await
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.0.ready().await.map_err(|error| Status::unavailable(error.to_string()))
    }
}
