//! One connection of a client, from its first byte to its last.

use std::convert::Infallible;
use std::net::TcpStream as StdTcpStream;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::header::CONNECTION;
use http::{HeaderValue, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::pace::{LOOK_EVERY, Pace, Paced, Patience, Underway};
use super::tls::Tls;
use crate::sidecar::drain::Phase;
use crate::sidecar::proxy::{Peer, Proxy};

/// For TLS to be agreed on.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// For a connection to end that has been told to, with nothing under way.
const FAREWELL: Duration = Duration::from_secs(5);

/// Bytes of a request's header: a token of 16 KiB, and as much again for everything else, twice.
const MAX_HEADER: usize = 64 * 1024;
const MAX_FIELDS: usize = 128;

/// Requests at once over one connection of HTTP/2.
const MAX_STREAMS: u32 = 128;
/// Bytes that may be under way to us, of one request's body and of all.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;
/// How often a client is asked whether it is still there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection on its way to a worker.
pub(super) struct Accepted {
    pub(super) stream: StdTcpStream,
    pub(super) peer: Peer,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) place: OwnedSemaphorePermit,
}

/// HTTP/1.1 and HTTP/2 within our limits.
pub(super) struct Protocols(auto::Builder<TokioExecutor>);

impl Protocols {
    pub(super) fn new() -> Self {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        // Without a timer: connections are looked at from outside.
        builder.http1().max_buf_size(MAX_HEADER).max_headers(MAX_FIELDS);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(u32::try_from(MAX_HEADER).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT);
        Self(builder)
    }
}

impl Accepted {
    pub(super) async fn serve(self, proxy: Arc<Proxy>, protocols: Arc<Protocols>) {
        let Self { stream, peer, tls, place: _place } = self;
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection cannot be served");
                return;
            }
        };
        let Some(tls) = tls else { return serve(stream, peer, proxy, &protocols).await };
        match timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => serve(stream, peer, proxy, &protocols).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS could not be agreed on"),
            Err(_) => tracing::debug!("TLS was not agreed on in time"),
        }
    }
}

async fn serve<T>(stream: T, peer: Peer, proxy: Arc<Proxy>, protocols: &Protocols)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let pace = Arc::new(Pace::new(Instant::now()));
    let peer = Arc::new(peer);
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let (proxy, peer, pace) = (Arc::clone(&proxy), Arc::clone(&peer), Arc::clone(&pace));
        async move {
            let is_http2 = request.version() == Version::HTTP_2;
            let underway = pace.request(is_http2);
            let mut response = proxy.answer(request, &peer).await;
            if !is_http2 && peer.guest().phase() != Phase::Serving {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response.map(|body| Held { body, _underway: underway }))
        }
    });
    let io = TokioIo::new(Paced::new(stream, Arc::clone(&pace)));
    let mut connection = pin!(protocols.0.serve_connection_with_upgrades(io, service));
    let mut guest = peer.guest().clone();
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke");
                }
                return;
            }
            phase = guest.next_phase() => match phase {
                Phase::Closing => break,
                // HTTP/2 can say goodbye without losing a request; HTTP/1.1 is asked to close
                // with its next answer.
                Phase::Leaving if pace.is_http2() => connection.as_mut().graceful_shutdown(),
                Phase::Leaving | Phase::Serving => {}
            },
            _ = looks.tick() => match pace.patience(Instant::now()) {
                Patience::Left => {}
                Patience::HeaderOver => return,
                Patience::IdleOver => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        _ = connection.as_mut() => {}
                        () = sleep(FAREWELL) => {}
                    }
                    return;
                }
            },
        }
    }
    connection.as_mut().graceful_shutdown();
    // However long its requests take: the drain timeout ends it.
    let _ = connection.await;
}

/// An answer's body; the request is under way until it is dropped.
struct Held<B> {
    body: B,
    _underway: Underway,
}

impl<B: Body + Unpin> Body for Held<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
