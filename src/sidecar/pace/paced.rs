//! A connection that notes what comes and goes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Pace;

/// With what a client that knows begins HTTP/2 (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a client has begun with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum Protocol {
    Http1,
    Http2,
}

/// The connection itself, below HTTP and above TLS.
pub(in crate::sidecar) struct Paced<T> {
    io: T,
    pace: Arc<Pace>,
    /// What was read before anybody asked for it: to tell the protocols apart, or to see whether the
    /// client is still there.
    ahead: Ahead,
    /// Whether whoever reads waits for more.
    is_awaited: bool,
}

#[derive(Default)]
struct Ahead {
    bytes: [u8; PREFACE.len()],
    len: usize,
}

impl Ahead {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Moves as much of it as there is room for.
    fn take(&mut self, buffer: &mut ReadBuf<'_>) {
        let count = self.len.min(buffer.remaining());
        buffer.put_slice(self.bytes().get(..count).unwrap_or_default());
        self.bytes.copy_within(count..self.len, 0);
        self.len -= count;
    }
}

impl<T> Paced<T> {
    pub(in crate::sidecar) fn new(io: T, pace: Arc<Pace>) -> Self {
        Self { io, pace, ahead: Ahead::default(), is_awaited: false }
    }

    pub(in crate::sidecar) fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// Whether nothing has come.
    pub(in crate::sidecar) fn has_nothing(&self) -> bool {
        self.ahead.len == 0
    }

    fn went<R>(&self, result: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        match result {
            Poll::Ready(_) => self.pace.bytes_went(),
            Poll::Pending => self.pace.bytes_must_wait(Instant::now),
        }
        result
    }
}

impl<T: AsyncRead + Unpin> Paced<T> {
    /// Reads as much as it takes to know; to be asked before anything else is read.
    pub(in crate::sidecar) fn poll_protocol(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Protocol>> {
        let Self { io, pace, ahead, .. } = self;
        while PREFACE.starts_with(ahead.bytes()) {
            if ahead.len == PREFACE.len() {
                pace.preface_came(Instant::now());
                return Poll::Ready(Ok(Protocol::Http2));
            }
            let mut room = ReadBuf::new(ahead.bytes.get_mut(ahead.len..).unwrap_or_default());
            ready!(Pin::new(&mut *io).poll_read(context, &mut room))?;
            match room.filled().len() {
                // It has ended, which is for HTTP/1.1 to judge.
                0 => break,
                count => ahead.len += count,
            }
            pace.bytes_came(Instant::now);
        }
        Poll::Ready(Ok(Protocol::Http1))
    }

    /// Looks whether a client still waits for its answer, where nobody else reads. hyper would take
    /// another buffer for that with each request, as long as the last one is full of its header.
    fn watch(&mut self, context: &mut Context<'_>) {
        let Self { io, pace, ahead, is_awaited } = self;
        if *is_awaited || ahead.len > 0 || !pace.is_answering() {
            return;
        }
        let mut room = ReadBuf::new(&mut ahead.bytes);
        let read = Pin::new(io).poll_read(context, &mut room);
        ahead.len = room.filled().len();
        if read.is_ready() && ahead.len == 0 {
            pace.client_has_gone();
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let is_ahead = self.ahead.len > 0;
        if is_ahead {
            // With what follows, so that hyper needs no second buffer.
            self.ahead.take(buffer);
            if buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.pace.bytes_came(Instant::now);
        }
        self.is_awaited = read.is_pending() && !is_ahead;
        if is_ahead && read.is_pending() { Poll::Ready(Ok(())) } else { read }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.went(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.went(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// TLS has a buffer of its own, which waits here.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        self.watch(context);
        self.went(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(context);
        self.went(shut)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;
    use crate::sidecar::pace::Patience;

    fn patience(pace: &Pace, seconds: u64) -> Patience {
        pace.patience(Instant::now() + Duration::from_secs(seconds))
    }

    /// What is thought of a client that has sent this, in two parts, and 16 s nothing.
    fn after(text: &[u8], split: usize) -> (Protocol, Patience) {
        let pace = Arc::new(Pace::new(Instant::now()));
        let (one, other) = text.split_at(split);
        let mut paced = Paced::new(one.chain(other), Arc::clone(&pace));
        let protocol = poll_fn(|context| paced.poll_protocol(context));
        let protocol = protocol.now_or_never().unwrap().unwrap();
        // Nothing is lost, whatever was read to know.
        let mut read = Vec::new();
        paced.read_to_end(&mut read).now_or_never().unwrap().unwrap();
        assert_eq!(read, text);
        (protocol, patience(&pace, 16))
    }

    proptest! {
        #[test]
        fn the_preface_is_no_header(split in 0..=PREFACE.len(), frames in any::<[u8; 9]>()) {
            prop_assert_eq!(after(PREFACE, split).0, Protocol::Http2);
            let more = [PREFACE, &frames].concat();
            prop_assert_eq!(after(&more, split).0, Protocol::Http2);
        }

        #[test]
        fn what_is_not_quite_the_preface_is_a_header(
            split in 0..PREFACE.len(),
            wrong in 0..PREFACE.len(),
            cut in 1..PREFACE.len(),
        ) {
            let header = (Protocol::Http1, Patience::HeaderOver);
            let mut text = PREFACE.to_vec();
            text[wrong] ^= 1;
            prop_assert_eq!(after(&text, split), header);
            prop_assert_eq!(after(&PREFACE[..cut], split.min(cut)), header);
            let late = [b"GET / HTTP/1.1\r\n", PREFACE].concat();
            prop_assert_eq!(after(&late, split), header);
        }

        #[test]
        fn the_beginning_is_read_again_in_any_parts(
            text in prop::collection::vec(any::<u8>(), 1..100),
            split in any::<prop::sample::Index>(),
            room in 1..40_usize,
        ) {
            let (one, other) = text.split_at(split.index(text.len()));
            let mut paced = Paced::new(one.chain(other), Arc::new(Pace::new(Instant::now())));
            let protocol = poll_fn(|context| paced.poll_protocol(context));
            protocol.now_or_never().unwrap().unwrap();
            let (mut read, mut part) = (Vec::new(), vec![0; room]);
            loop {
                let count = paced.read(&mut part).now_or_never().unwrap().unwrap();
                if count == 0 {
                    break;
                }
                read.extend_from_slice(&part[..count]);
            }
            prop_assert_eq!(read, text);
        }
    }

    #[tokio::test]
    async fn who_has_begun_with_http2_may_be_silent_as_between_requests() {
        let pace = Arc::new(Pace::new(Instant::now()));
        let (near, mut far) = duplex(64);
        let mut paced = Paced::new(near, Arc::clone(&pace));
        let mut protocol = Box::pin(poll_fn(|context| paced.poll_protocol(context)));
        assert!((&mut protocol).now_or_never().is_none());
        far.write_all(&PREFACE[..10]).await.unwrap();
        assert!((&mut protocol).now_or_never().is_none());
        assert_eq!(patience(&pace, 16), Patience::HeaderOver);
        far.write_all(&PREFACE[10..]).await.unwrap();
        assert_eq!(protocol.await.unwrap(), Protocol::Http2);
        assert_eq!(patience(&pace, 16), Patience::Left);
        // What was read already does not wait for more.
        let mut read = [0; 100];
        assert_eq!(paced.read(&mut read).now_or_never().unwrap().unwrap(), PREFACE.len());
        far.write_all(b"12345").await.unwrap();
        assert_eq!(paced.read(&mut read).await.unwrap(), 5);
        assert_eq!(patience(&pace, 16), Patience::Left);
    }

    #[tokio::test]
    async fn the_beginning_comes_with_what_follows() {
        let (near, mut far) = duplex(64);
        let mut paced = Paced::new(near, Arc::new(Pace::new(Instant::now())));
        far.write_all(b"GET / HTTP/1.1\r\nHost: api.example\r\n\r\n").await.unwrap();
        let protocol = poll_fn(|context| paced.poll_protocol(context)).await.unwrap();
        assert_eq!(protocol, Protocol::Http1);
        assert!(!paced.has_nothing());
        let mut read = [0; 100];
        assert_eq!(paced.read(&mut read).await.unwrap(), 37);
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_noticed_until_it_does() {
        let pace = Arc::new(Pace::new(Instant::now()));
        let _request = pace.request();
        let (near, mut far) = duplex(8);
        let mut paced = Paced::new(near, Arc::clone(&pace));
        paced.write_all(b"12345678").await.unwrap();
        assert_eq!(patience(&pace, 61), Patience::Left);
        assert!(paced.write(b"9").now_or_never().is_none());
        assert_eq!(patience(&pace, 59), Patience::Left);
        assert_eq!(patience(&pace, 61), Patience::UnsentOver);
        far.read_exact(&mut [0; 4]).await.unwrap();
        paced.write_all(b"9").await.unwrap();
        assert_eq!(patience(&pace, 61), Patience::Left);
    }

    /// A connection over which a request is being answered, and its other end.
    async fn answering() -> (Paced<DuplexStream>, DuplexStream, impl Sized) {
        let pace = Arc::new(Pace::new(Instant::now()));
        let (near, mut far) = duplex(64);
        let mut paced = Paced::new(near, Arc::clone(&pace));
        far.write_all(b"GET").await.unwrap();
        paced.read_exact(&mut [0; 3]).await.unwrap();
        (paced, far, pace.request())
    }

    #[tokio::test]
    async fn a_client_that_goes_while_it_is_answered_is_noticed() {
        let (mut paced, far, _request) = answering().await;
        paced.flush().await.unwrap();
        assert!(!paced.pace().has_gone());
        let left = async {
            poll_fn(|context| {
                let _ = Pin::new(&mut paced).poll_flush(context);
                if paced.pace().has_gone() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        };
        // Its going wakes whoever is to flush.
        tokio::join!(left, async move { drop(far) });
    }

    #[tokio::test]
    async fn what_comes_while_a_request_is_answered_is_read_after_it() {
        let (mut paced, mut far, _request) = answering().await;
        let text = b"POST /orders HTTP/1.1\r\nHost: api.example\r\n\r\n";
        far.write_all(text).await.unwrap();
        for _ in 0..2 {
            paced.flush().await.unwrap();
            assert_eq!(paced.ahead.len, PREFACE.len());
        }
        drop(far);
        paced.flush().await.unwrap();
        assert!(!paced.pace().has_gone());
        let mut read = Vec::new();
        paced.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, text);
    }

    #[tokio::test]
    async fn nothing_is_taken_from_who_waits_for_it() {
        let (mut paced, mut far, request) = answering().await;
        // A body, say.
        assert!(paced.read_u8().now_or_never().is_none());
        far.write_all(b"1").await.unwrap();
        paced.flush().await.unwrap();
        assert_eq!(paced.ahead.len, 0);
        assert_eq!(paced.read_u8().await.unwrap(), b'1');
        // Between requests, whoever reads the next one sees the end.
        drop((request, far));
        paced.flush().await.unwrap();
        assert!(!paced.pace().has_gone());
    }
}
