//! The proxy through which the browser asks for everything, whoever it asks. It notes all that the
//! browser sends and all that it gets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::support::oidc_provider::client;

pub(crate) struct Recorder {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Exchange>>>,
    serving: AbortHandle,
}

/// One request of the browser, and the answer.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) sent: HeaderMap,
    sent_body: Bytes,
    pub(crate) status: StatusCode,
    pub(crate) fields: HeaderMap,
    pub(crate) body: Bytes,
}

impl Exchange {
    /// Everything of it.
    pub(crate) fn text(&self) -> String {
        let bodies = [&self.sent_body, &self.body].map(|body| String::from_utf8_lossy(body));
        format!("{} {:?} {:?} {bodies:?}", self.uri, self.sent, self.fields)
    }

    /// The value of a field of the answer.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whether a cookie of this name came along with the request.
    pub(crate) fn brings(&self, cookie: &str) -> bool {
        let cookies = self.sent.get_all("cookie").iter().map(|value| value.to_str().unwrap());
        cookies
            .flat_map(|value| value.split("; "))
            .any(|pair| pair.split_once('=').unwrap().0 == cookie)
    }
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let serving = tokio::spawn(serve(listener, Arc::clone(&seen))).abort_handle();
        Self { address, seen, serving }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything from the start.
    pub(crate) fn seen(&self) -> Vec<Exchange> {
        self.seen.lock().unwrap().clone()
    }

    /// The last request by this method for an address that ends like this.
    pub(crate) fn last(&self, method: &Method, end: &str) -> Exchange {
        let found = |seen: &Exchange| seen.method == *method && seen.uri.to_string().ends_with(end);
        self.seen().into_iter().rfind(found).unwrap_or_else(|| panic!("no {method} {end}"))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<Exchange>>>) {
    let mut connections = tokio::task::JoinSet::new();
    let http = client();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (http, seen) = (http.clone(), Arc::clone(&seen));
        let service = service_fn(move |request| answer(http.clone(), Arc::clone(&seen), request));
        connections.spawn(async move {
            // The browser ends connections as it likes.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    http: Client,
    seen: Arc<Mutex<Vec<Exchange>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let exchange = pass_on(&http, request).await;
    let mut response = Response::new(Full::new(exchange.body.clone()));
    *response.status_mut() = exchange.status;
    *response.headers_mut() = exchange.fields.clone();
    seen.lock().unwrap().push(exchange);
    Ok(response)
}

/// To this machine only: a browser also has wishes of its own, and pages have fonts.
async fn pass_on(http: &Client, request: Request<Incoming>) -> Exchange {
    let (head, body) = request.into_parts();
    let sent_body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut exchange = Exchange {
        method: head.method,
        uri: head.uri,
        sent: head.headers,
        sent_body,
        status: StatusCode::BAD_GATEWAY,
        fields: HeaderMap::new(),
        body: Bytes::new(),
    };
    let at_home = matches!(exchange.uri.host(), Some("localhost" | "127.0.0.1"));
    if !at_home || exchange.method == Method::CONNECT {
        return exchange;
    }
    let mut fields = exchange.sent.clone();
    // So that bodies can be read.
    for name in [ACCEPT_ENCODING, CONNECTION, HOST, CONTENT_LENGTH] {
        fields.remove(name);
    }
    fields.remove("proxy-connection");
    let request = http
        .request(exchange.method.clone(), exchange.uri.to_string())
        .headers(fields)
        .body(exchange.sent_body.clone());
    let Ok(answer) = request.send().await else { return exchange };
    exchange.status = answer.status();
    exchange.fields = answer.headers().clone();
    exchange.body = answer.bytes().await.unwrap();
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        exchange.fields.remove(name);
    }
    exchange
}
