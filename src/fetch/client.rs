//! The HTTP client behind [`get`](super::get) and [`post`](super::post()): ours, or one that the caller brings.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tower_service::Service;

use super::TIMEOUT;
use super::url_policy::is_loopback;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Answer = Result<Response<UnsyncBoxBody<Bytes, BoxError>>, BoxError>;

/// An HTTP client that can be handed to
/// [`ResourceServerBuilder::http_client`](crate::ResourceServerBuilder::http_client): a tower
/// service from `http::Request<Full<Bytes>>` to `http::Response`, for example hyper-util's legacy
/// client.
///
/// Implemented for every service of the right shape; there is nothing to implement by hand.
pub trait HttpService: Send + Sync + 'static {
    #[doc(hidden)]
    fn send(&self, request: Request<Full<Bytes>>) -> Pin<Box<dyn Future<Output = Answer> + Send>>;
}

impl<S, B> HttpService for S
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn send(&self, request: Request<Full<Bytes>>) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        let mut service = self.clone();
        Box::pin(async move {
            poll_fn(|context| service.poll_ready(context)).await.map_err(Into::into)?;
            let response = service.call(request).await.map_err(Into::into)?;
            Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
        })
    }
}

/// A client, whichever it is.
#[derive(Clone)]
pub(crate) struct HttpClient(Arc<dyn HttpService>);

impl HttpClient {
    pub(crate) fn new(service: impl HttpService) -> Self {
        Self(Arc::new(service))
    }

    /// Our own client: TLS by rustls with the platform's roots and `extra_roots` (PEM).
    ///
    /// # Errors
    /// When a certificate cannot be read or the platform has no roots at all.
    pub(crate) fn with_roots(extra_roots: &[Vec<u8>]) -> Result<Self, BoxError> {
        let mut certificates = Vec::new();
        for pem in extra_roots {
            let bundle = reqwest::Certificate::from_pem_bundle(pem)?;
            if bundle.is_empty() {
                return Err("no PEM certificate found".into());
            }
            certificates.extend(bundle);
        }
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .connect_timeout(TIMEOUT)
                .tls_certs_merge(certificates.clone())
        };
        let client = Reqwest { usual: builder().build()?, direct: builder().no_proxy().build()? };
        Ok(Self(Arc::new(client)))
    }

    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        self.0.send(request).await
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

/// Not a tower service of the right shape by itself, hence the wrapper.
struct Reqwest {
    /// Follows the proxy settings of the environment.
    usual: reqwest::Client,
    /// For this machine: what is allowed over plain `http` because it stays here must not go out
    /// to a proxy.
    direct: reqwest::Client,
}

impl HttpService for Reqwest {
    fn send(&self, request: Request<Full<Bytes>>) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        let (usual, direct) = (self.usual.clone(), self.direct.clone());
        Box::pin(async move {
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))?;
            let client = if is_loopback(request.url()) { direct } else { usual };
            // Whoever asked knows the address, and says it.
            let response = client.execute(request).await.map_err(reqwest::Error::without_url)?;
            Ok(Response::<reqwest::Body>::from(response)
                .map(|body| body.map_err(|error| error.without_url().into()).boxed_unsync()))
        })
    }
}

/// Whether there was a connection that the answer could have come by, as far as can be told of
/// clients that are not ours.
pub(super) fn has_connected(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error
        .downcast_ref::<reqwest::Error>()
        .is_some_and(|error| !error.is_connect() && !error.is_timeout())
}
