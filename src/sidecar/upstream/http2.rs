//! HTTP/2 without TLS: one connection for all requests of a worker.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use hyper::body::Body;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Mutex as AsyncMutex;

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
    /// Held for a look, never while anything is awaited.
    current: Mutex<Option<SendRequest<B>>>,
    /// Held by the one that makes a connection; why the last attempt has failed.
    attempt: AsyncMutex<Option<Failure>>,
    /// Attempts that have failed.
    failed: AtomicU64,
}

impl<B> Shared<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            current: Mutex::new(None),
            attempt: AsyncMutex::new(None),
            failed: AtomicU64::new(0),
        }
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
                    None => return Err(error.into_error().into()),
                },
            }
        }
        let mut sender = self.opened().await?;
        let response = sender.send_request(request).await?;
        Ok((response, Lease::shared()))
    }

    /// The connection that all who ask at the same time share, and so do they the failure to make it.
    async fn opened(&self) -> Result<SendRequest<B>, Failure> {
        let failed = self.failed.load(Ordering::Relaxed);
        let mut attempt = self.attempt.lock().await;
        if let Some(sender) = self.current() {
            return Ok(sender);
        }
        if self.failed.load(Ordering::Relaxed) != failed
            && let Some(failure) = &*attempt
        {
            return Err(failure.clone());
        }
        let opened = self.open().await;
        if let Err(failure) = &opened {
            *attempt = Some(failure.clone());
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        opened
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
            .await?;
        tokio::spawn(connection);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(sender.clone());
        Ok(sender)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http::{Response, StatusCode};
    use http_body_util::Empty;
    use hyper::server::conn::http2 as server;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;
    use crate::sidecar::settings::{Protocol, UpstreamAddress};
    use crate::sidecar::upstream::Places;

    /// What becomes of 50 requests that come at once, when there is no connection.
    async fn fifty_at_once(port: u16) -> Vec<Result<StatusCode, Failure>> {
        let address =
            UpstreamAddress { protocol: Protocol::H2c, host: "127.0.0.1".to_owned(), port };
        let target = Target::new(&address, Arc::new(Places::new(100)));
        let shared = Arc::new(Shared::<Empty<Bytes>>::new(target));
        let mut sent = JoinSet::new();
        for _ in 0..50 {
            let request = Request::get("http://a/").body(Empty::new()).unwrap();
            let sending = Arc::clone(&shared).send(request);
            sent.spawn(async { sending.await.map(|(response, _)| response.status()) });
        }
        sent.join_all().await
    }

    #[tokio::test]
    async fn requests_that_come_at_once_share_the_first_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = tokio::spawn(fifty_at_once(port));
        let mut count = 0;
        while !sent.is_finished() {
            // As long as there are some that come.
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = tokio::task::yield_now() => continue,
            };
            count += 1;
            let (stream, _) = accepted.unwrap();
            let service =
                service_fn(|_| async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) });
            let builder = server::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
        }
        assert!(sent.await.unwrap().into_iter().all(|status| status.unwrap() == 200));
        assert_eq!(count, 1);
    }

    #[tokio::test]
    async fn who_waits_for_a_connection_that_cannot_be_made_waits_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let sent = fifty_at_once(port).await;
        let mut first = None;
        for failure in sent {
            let Err(Failure::Unreachable(error)) = failure else { panic!("{failure:?}") };
            assert!(Arc::ptr_eq(&error, first.get_or_insert_with(|| Arc::clone(&error))));
        }
    }
}
