//! HTTP/1.1 or HTTP/2: what a client begins with decides.
//!
//! Not hyper-util's `auto`: it reads the beginning by itself and hands it on alone, after which hyper
//! takes a buffer of twice the size for the rest, for as long as the connection lives.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::HttpService;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::sidecar::pace::{Pace, Paced, Protocol, Streams};

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

/// HTTP/1.1 and HTTP/2 within our limits.
pub(super) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<Streams>,
}

impl Protocols {
    pub(super) fn new() -> Self {
        // Without a timer: connections are looked at from outside.
        // Answers are small or come in large parts: gathering slices costs more than copying them.
        let mut http1 = http1::Builder::new();
        http1.max_header_size(MAX_HEADER).max_buf_size(MAX_HEADER).writev(false);
        // Whether a client has gone in the meantime is seen in `pace/paced.rs`, at less cost.
        http1.half_close(true);
        let mut http2 = http2::Builder::new(Streams);
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(u32::try_from(MAX_HEADER).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT);
        Self { http1, http2 }
    }
}

/// Whatever a connection or an answer fails with.
type BoxError = Box<dyn Error + Send + Sync>;

type Http1<T, S> = http1::UpgradeableConnection<TokioIo<Paced<T>>, S>;
type Http2<T, S> = http2::Connection<TokioIo<Paced<T>>, S, Streams>;

/// One connection from its first byte to its end.
pub(super) struct Connection<'p, T, S: HttpService<Incoming>> {
    state: State<T, S>,
    protocols: &'p Protocols,
    pace: Arc<Pace>,
    is_told_to_end: bool,
}

#[expect(clippy::large_enum_variant, reason = "nearly every connection is one of HTTP/1.1")]
enum State<T, S: HttpService<Incoming>> {
    /// `None` on its way to the next state.
    Begins(Option<(Paced<T>, S)>),
    Http1(Http1<T, S>),
    /// Boxed, as it is large, and there are few.
    Http2(Pin<Box<Http2<T, S>>>),
}

impl<'p, T, S, B> Connection<'p, T, S>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: HttpService<Incoming, ResBody = B> + Unpin,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(io: Paced<T>, service: S, protocols: &'p Protocols) -> Self {
        let pace = Arc::clone(io.pace());
        Self { state: State::Begins(Some((io, service))), protocols, pace, is_told_to_end: false }
    }

    /// Lets it end after what is under way. One on which nothing has come ends at once.
    pub(super) fn graceful_shutdown(&mut self) {
        self.is_told_to_end = true;
        match &mut self.state {
            State::Begins(_) => {}
            State::Http1(connection) => Pin::new(connection).graceful_shutdown(),
            State::Http2(connection) => connection.as_mut().graceful_shutdown(),
        }
    }
}

impl<T, S, B> Future for Connection<'_, T, S>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: HttpService<Incoming, ResBody = B> + Unpin,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Output = Result<(), BoxError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Http1(connection) => {
                    let ended = Pin::new(connection).poll(context).map_err(Into::into);
                    if ended.is_pending() && this.pace.has_gone() {
                        return Poll::Ready(Err("the client has gone".into()));
                    }
                    return ended;
                }
                State::Http2(connection) => {
                    return connection.as_mut().poll(context).map_err(Into::into);
                }
                State::Begins(begins) => {
                    let Some((io, _)) = begins else { return Poll::Pending };
                    if this.is_told_to_end && io.has_nothing() {
                        return Poll::Ready(Ok(()));
                    }
                    let protocol = ready!(io.poll_protocol(context))?;
                    let Some((io, service)) = begins.take() else { return Poll::Pending };
                    let io = TokioIo::new(io);
                    this.state = match protocol {
                        Protocol::Http1 => {
                            let connection = this.protocols.http1.serve_connection(io, service);
                            State::Http1(connection.with_upgrades())
                        }
                        Protocol::Http2 => State::Http2(Box::pin(
                            this.protocols.http2.serve_connection(io, service),
                        )),
                    };
                    if this.is_told_to_end {
                        // What has come already is read first; hyper would end it as unused.
                        let read = Pin::new(&mut *this).poll(context)?;
                        this.graceful_shutdown();
                        if read.is_ready() {
                            return Poll::Ready(Ok(()));
                        }
                    }
                }
            }
        }
    }
}
