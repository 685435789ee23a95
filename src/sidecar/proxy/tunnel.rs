//! A connection that speaks another protocol from now on, websockets most often: bytes in both
//! directions until one side ends.
//!
//! The token was good when the tunnel was opened; what happens in it is not looked at.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio::time::{MissedTickBehavior, interval};

use super::answer::{self, AnswerBody};
use super::fields;
use super::head::Upgrade;
use super::record::Record;
use crate::sidecar::known_fields::Present;

/// A tunnel in which nothing has come from either side for this long, or twice as long, ends.
const IDLE: Duration = Duration::from_secs(300);

/// Joins both sides once the client has been told.
pub(super) fn open(
    upgrade: Upgrade,
    mut response: Response<Incoming>,
    mut record: Box<Record>,
) -> Response<AnswerBody> {
    record.status(response.status());
    let present = Present::of(response.headers());
    fields::clean_answer(response.headers_mut(), present, record.request_id());
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, upgrade.protocol);
    let upstream = hyper::upgrade::on(&mut response);
    // The record keeps the client's connection open as long as the tunnel is.
    tokio::spawn(async move {
        if let Ok((client, upstream)) = tokio::try_join!(upgrade.client, upstream) {
            join(TokioIo::new(client), TokioIo::new(upstream), &mut record).await;
        }
        record.finish(Instant::now());
    });
    answer::switched(response)
}

async fn join<C, U>(client: C, upstream: U, record: &mut Record)
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    let alive = AtomicBool::new(true);
    let sent = Sent { record, bytes: AtomicU64::new(0) };
    let mut client = Watched { io: client, alive: &alive, taken: Some(&sent.bytes) };
    let mut upstream = Watched { io: upstream, alive: &alive, taken: None };
    let mut ticks = interval(IDLE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let copied = copy_bidirectional(&mut client, &mut upstream);
    tokio::pin!(copied);
    loop {
        tokio::select! {
            // A side that breaks off is an end like any other.
            _ = &mut copied => break,
            _ = ticks.tick() => if !alive.swap(false, Ordering::Relaxed) { break },
        }
    }
}

/// What the client was sent, for the record, also where the tunnel is cut off.
struct Sent<'a> {
    record: &'a mut Record,
    bytes: AtomicU64,
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        self.record.sent(*self.bytes.get_mut());
    }
}

/// Notes that something has come, and how much was taken.
struct Watched<'a, T> {
    io: T,
    alive: &'a AtomicBool,
    taken: Option<&'a AtomicU64>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<'_, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            self.alive.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<'_, T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(context, bytes))?;
        if let Some(taken) = self.taken {
            taken.fetch_add(u64::try_from(written).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
