//! A tonic server on a socket, with what each method needs in one place.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{Empty, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis::tonic::Methods;
use portcullis::{AccessToken, ClientCertificate};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::util::MapRequestLayer;

use crate::seen;
use crate::table::{Answer, Front, Refused, Stage, check, host_of};

type Shown = Arc<Mutex<Option<ClientCertificate>>>;

struct Tonic {
    client: SendRequest<Empty<Bytes>>,
    /// What the client shows from now on, as if the connection was over TLS.
    shown: Shown,
    serving: AbortHandle,
}

#[tokio::test]
async fn a_tonic_server_decides_as_the_table_says() {
    check(async |stage: &Stage| {
        let mut methods = Methods::new();
        for rule in &stage.rules {
            let path = rule.path.replace("{*method}", "*");
            methods = match rule.requirement() {
                Some(requirement) if rule.hide => methods.hidden(path, requirement),
                Some(requirement) => methods.require(path, requirement),
                None => methods.public(path),
            };
        }
        let layer = stage.server().methods(methods).unwrap();
        let socket = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = socket.local_addr().unwrap();
        let shown = Shown::default();
        let showing = Arc::clone(&shown);
        let acceptor = MapRequestLayer::new(move |mut call: Request<_>| {
            if let Some(certificate) = showing.lock().unwrap().clone() {
                call.extensions_mut().insert(certificate);
            }
            call
        });
        let every_method = axum::Router::new().fallback_service(tower::service_fn(told));
        let server = Server::builder()
            .http2_max_header_list_size(32 * 1024)
            .layer(acceptor)
            .layer(layer)
            .add_routes(every_method.into())
            .serve_with_incoming(socket);
        let serving = tokio::spawn(server).abort_handle();
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (client, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        Tonic { client, shown, serving }
    })
    .await;
}

impl Front for Tonic {
    const SEES_CERTIFICATES: bool = true;

    async fn ask(&self, mut request: Request<()>) -> Answer {
        let host = host_of(&mut request).unwrap_or_else(|| "rs.example".to_owned());
        let mut request = request.map(|()| Empty::new());
        *self.shown.lock().unwrap() = request.extensions_mut().remove();
        let target = request.uri().path_and_query().unwrap().clone();
        let uri = Uri::builder().scheme("http").authority(host).path_and_query(target);
        *request.uri_mut() = uri.build().unwrap();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
        let response = self.client.clone().send_request(request).await.unwrap();
        assert_eq!(response.status(), 200, "{response:?}");
        let headers = response.headers();
        match headers["grpc-status"].to_str().unwrap() {
            "0" => seen::allowed(headers),
            code => {
                let grpc = Some(code.parse().unwrap());
                Answer::Refused(Refused { grpc, ..Refused::with_fields(headers) })
            }
        }
    }
}

impl Drop for Tonic {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Any method: it says whom it has seen, and nothing else.
async fn told<B>(call: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::default());
    let headers = response.headers_mut();
    headers.extend(seen::fields(call.extensions().get::<AccessToken>()));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from_static("0"));
    Ok(response)
}
