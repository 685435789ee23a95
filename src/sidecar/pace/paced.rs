//! A connection that notes what comes and goes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Pace;

/// With what a client that knows begins HTTP/2 (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The connection itself, below HTTP and above TLS.
pub(in crate::sidecar) struct Paced<T> {
    io: T,
    pace: Arc<Pace>,
    /// What is to come yet of the preface; nothing when it has come, or something else has.
    preface: &'static [u8],
}

impl<T> Paced<T> {
    pub(in crate::sidecar) fn new(io: T, pace: Arc<Pace>) -> Self {
        Self { io, pace, preface: PREFACE }
    }

    fn came(&mut self, bytes: &[u8]) {
        self.pace.bytes_came(Instant::now);
        if self.preface.is_empty() {
            return;
        }
        if let Some(left) = self.preface.strip_prefix(bytes) {
            self.preface = left;
            if left.is_empty() {
                self.pace.preface_came(Instant::now());
            }
            return;
        }
        if bytes.starts_with(self.preface) {
            self.pace.preface_came(Instant::now());
        }
        self.preface = &[];
    }

    fn went<R>(&self, result: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        match result {
            Poll::Ready(_) => self.pace.bytes_went(),
            Poll::Pending => self.pace.bytes_must_wait(Instant::now),
        }
        result
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if let Some(bytes) = buffer.filled().get(before..)
            && !bytes.is_empty()
        {
            self.came(bytes);
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
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
        self.went(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(context);
        self.went(shut)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;
    use crate::sidecar::pace::Patience;

    fn patience(pace: &Pace, seconds: u64) -> Patience {
        pace.patience(Instant::now() + Duration::from_secs(seconds))
    }

    /// What is thought of a client that has sent this, in two parts, and 16 s nothing.
    fn after(text: &[u8], split: usize) -> Patience {
        let pace = Arc::new(Pace::new(Instant::now()));
        let (one, other) = text.split_at(split);
        let mut paced = Paced::new(one.chain(other), Arc::clone(&pace));
        let mut read = Vec::new();
        paced.read_to_end(&mut read).now_or_never().unwrap().unwrap();
        assert_eq!(read, text);
        patience(&pace, 16)
    }

    proptest! {
        #[test]
        fn the_preface_is_no_header(split in 0..=PREFACE.len(), frames in any::<[u8; 9]>()) {
            prop_assert_eq!(after(PREFACE, split), Patience::Left);
            let more = [PREFACE, &frames].concat();
            prop_assert_eq!(after(&more, split), Patience::Left);
        }

        #[test]
        fn what_is_not_quite_the_preface_is_a_header(
            split in 0..PREFACE.len(),
            wrong in 0..PREFACE.len(),
            cut in 1..PREFACE.len(),
        ) {
            let mut text = PREFACE.to_vec();
            text[wrong] ^= 1;
            prop_assert_eq!(after(&text, split), Patience::HeaderOver);
            prop_assert_eq!(after(&PREFACE[..cut], split.min(cut)), Patience::HeaderOver);
            let late = [b"GET / HTTP/1.1\r\n", PREFACE].concat();
            prop_assert_eq!(after(&late, split), Patience::HeaderOver);
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_noticed_until_it_does() {
        let pace = Arc::new(Pace::new(Instant::now()));
        let _request = pace.request(false);
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
}
