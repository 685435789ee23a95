//! One connection of a client, from its first byte to its last.

use std::future::{Future, poll_fn};
use std::net::TcpStream as StdTcpStream;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::tls::Tls;
use crate::sidecar::drain::Phase;
use crate::sidecar::front::Front;
use crate::sidecar::pace::{Pace, Paced, Patience};
use crate::sidecar::proxy::Peer;

/// For TLS to be agreed on.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// For a connection to end that has been told to, with nothing under way.
const FAREWELL: Duration = Duration::from_secs(5);

/// For the first byte of a connection that was still in the queue when the port was closed.
const FIRST_BYTE: Duration = Duration::from_millis(500);

/// Bytes of a request's header: a token of 16 KiB, and three times as much for everything else. The
/// number of fields is hyper's own limit, 100: another one would cost every request an allocation.
const MAX_HEADER: usize = 64 * 1024;

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
}

/// HTTP/1.1 and HTTP/2 within our limits.
pub(super) struct Protocols(auto::Builder<TokioExecutor>);

impl Protocols {
    pub(super) fn new() -> Self {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        // Without a timer: connections are looked at from outside.
        // Answers are small or come in large parts: gathering slices costs more than copying them.
        builder.http1().max_buf_size(MAX_HEADER).writev(false);
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
    pub(super) async fn serve(self, front: Arc<Front>, protocols: Arc<Protocols>) {
        let Self { stream, peer, tls } = self;
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection cannot be served");
                return;
            }
        };
        // Boxed, as each connection would have room for both.
        let Some(tls) = tls else { return Box::pin(serve(stream, peer, front, &protocols)).await };
        match timeout(HANDSHAKE, Box::pin(tls.accept(stream))).await {
            Ok(Ok(stream)) => Box::pin(serve(stream, peer, front, &protocols)).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS could not be agreed on"),
            Err(_) => tracing::debug!("TLS was not agreed on in time"),
        }
    }
}

async fn serve<T>(stream: T, peer: Peer, front: Arc<Front>, protocols: &Protocols)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let peer = Arc::new(peer);
    let pace = Arc::clone(peer.pace());
    let io = TokioIo::new(Paced::new(stream, Arc::clone(&pace)));
    let service = service_fn(|request| front.answer(request, &peer));
    let mut connection = pin!(protocols.0.serve_connection_with_upgrades(io, service));
    let mut guest = peer.guest().clone();
    let mut is_closing = false;
    loop {
        let phase = tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke");
                }
                return;
            }
            phase = guest.next_phase() => phase,
        };
        match phase {
            Phase::Serving => {}
            Phase::Leaving => {
                pace.leave();
                // HTTP/2 can say goodbye without losing a request.
                if pace.is_http2() {
                    connection.as_mut().graceful_shutdown();
                }
            }
            // However long its requests take, the drain timeout ends it.
            Phase::Closing if is_closing => {}
            Phase::Closing => {
                is_closing = true;
                // A connection on which nothing has come would be ended at once, and with it the
                // request that its client has sent already.
                if pace.is_untouched()
                    && let Ok(End::Ended) =
                        timeout(FIRST_BYTE, touched(connection.as_mut(), &pace)).await
                {
                    return;
                }
                connection.as_mut().graceful_shutdown();
            }
        }
        match pace.patience(Instant::now()) {
            Patience::Left => {}
            Patience::HeaderOver | Patience::UnsentOver => return,
            Patience::IdleOver => {
                connection.as_mut().graceful_shutdown();
                let _ = timeout(FAREWELL, connection).await;
                return;
            }
        }
    }
}

/// Whether there is anything left of a connection.
enum End {
    Ended,
    Open,
}

/// Drives a connection until something has come, or it has ended.
async fn touched(mut connection: Pin<&mut impl Future>, pace: &Pace) -> End {
    poll_fn(|context| match connection.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(End::Ended),
        Poll::Pending if pace.is_untouched() => Poll::Pending,
        Poll::Pending => Poll::Ready(End::Open),
    })
    .await
}
