//! HTTP/2 without TLS: one connection for all requests of a worker.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use hyper::body::Body;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::connect::Target;
use super::{Answered, BoxError, CONNECT_TIMEOUT, Failure, Lease};

/// Bytes that may be under way to us, of one answer and of all.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// How often an upstream is asked whether it is still there, while it has a request. Servers of
/// gRPC end connections that ask more often than every five minutes.
const PING_EVERY: Duration = Duration::from_secs(330);

pub(super) struct Shared<B> {
    target: Target,
    /// Held for a look, never while anything is awaited. Two requests that find none make two
    /// connections, of which one stays.
    current: Mutex<Option<SendRequest<B>>>,
}

impl<B> Shared<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(target: Target) -> Self {
        Self { target, current: Mutex::new(None) }
    }

    pub(super) async fn send(
        self: Arc<Self>,
        mut request: Request<B>,
    ) -> Result<Answered<B>, Failure> {
        if let Some(mut sender) = self.current() {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, Lease::shared())),
                // The connection ended before anything was sent, so another one may try.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(Failure::Broken(error.into_error())),
                },
            }
        }
        let mut sender = self.open().await?;
        let response = sender.send_request(request).await.map_err(Failure::Broken)?;
        Ok((response, Lease::shared()))
    }

    fn current(&self) -> Option<SendRequest<B>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|sender| !sender.is_closed()).cloned()
    }

    async fn open(&self) -> Result<SendRequest<B>, Failure> {
        let io = self.target.connect().await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(Some(PING_EVERY))
            .keep_alive_timeout(CONNECT_TIMEOUT)
            .handshake(io)
            .await
            .map_err(Failure::Broken)?;
        tokio::spawn(connection);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(sender.clone());
        Ok(sender)
    }
}
