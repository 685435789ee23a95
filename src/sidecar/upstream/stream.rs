//! A connection's bytes, and the place that it takes up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::places::Place;

/// Bytes that may come before an answer has begun. Whatever hyper reads ahead of the one that waits
/// is in it: the longest head, of which the last part may be as long as its buffer, and as much of
/// the body. The rest is for answers with 1xx, of which hyper would read as many as come, and let
/// nobody else do anything in between.
const MAX_UNANSWERED: usize = 4 * super::http1::MAX_BUFFER;

/// What both ends of a connection know of its answers, and write to one after the other.
#[derive(Clone)]
pub(super) struct Unanswered(Arc<Counts>);

struct Counts {
    /// Bytes that have come while somebody waited for an answer to begin.
    bytes: AtomicUsize,
    /// Answers that have begun.
    answers: AtomicUsize,
}

/// Nobody waits.
const NOT_AWAITED: usize = usize::MAX;

impl Unanswered {
    pub(super) fn new() -> Self {
        let (bytes, answers) = (AtomicUsize::new(NOT_AWAITED), AtomicUsize::new(0));
        Self(Arc::new(Counts { bytes, answers }))
    }

    /// From now on somebody waits.
    pub(super) fn begin(&self) {
        self.0.bytes.store(0, Ordering::Relaxed);
    }

    /// The answer has begun.
    pub(super) fn end(&self) {
        self.0.bytes.store(NOT_AWAITED, Ordering::Relaxed);
        let before = self.answers();
        self.0.answers.store(before.saturating_add(1), Ordering::Relaxed);
    }

    pub(super) fn answers(&self) -> usize {
        self.0.answers.load(Ordering::Relaxed)
    }

    /// Whether nothing has come so far.
    pub(super) fn is_silence(&self) -> bool {
        self.0.bytes.load(Ordering::Relaxed) == 0
    }

    fn came(&self, bytes: usize) -> io::Result<()> {
        let before = self.0.bytes.load(Ordering::Relaxed);
        if before == NOT_AWAITED {
            return Ok(());
        }
        let count = before.saturating_add(bytes);
        if count > MAX_UNANSWERED {
            return Err(io::Error::other("too much has come before the answer"));
        }
        self.0.bytes.store(count, Ordering::Relaxed);
        Ok(())
    }
}

/// Its place is free again when its file is closed, whoever has it then: a tunnel takes it over
/// from HTTP.
pub(super) struct Stream {
    tcp: TcpStream,
    unanswered: Unanswered,
    _place: Place,
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, place: Place) -> Self {
        Self { tcp, unanswered: Unanswered::new(), _place: place }
    }

    /// To be told when an answer is awaited.
    pub(super) fn unanswered(&self) -> Unanswered {
        self.unanswered.clone()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(context, buffer))?;
        Poll::Ready(self.unanswered.came(buffer.filled().len() - before))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
