//! What a scripted server does about a request: a sound answer, or any way to fail at one.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

/// Made by one of the functions, varied by the methods.
#[derive(Debug, Clone)]
pub struct Reply {
    delay: Duration,
    /// Status line and fields, without the empty line; nothing at all if this is no HTTP.
    head: String,
    body: Bytes,
    pace: Option<Duration>,
    end: End,
}

#[derive(Debug, Clone)]
enum End {
    Close,
    /// Until the client goes away.
    Hang,
    /// Until the client goes away, too.
    Repeat(Bytes),
}

impl Reply {
    /// An ordinary answer.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let length = body.len();
        Self {
            head: format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\n"),
            ..Self::raw(body)
        }
        .header("content-type", content_type)
        .header("content-length", &length.to_string())
    }

    /// `200` with JSON.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::new(200, "application/json", body)
    }

    /// The metadata document of `issuer` (RFC 8414 §2).
    pub fn metadata(issuer: &str, jwks_uri: &str) -> Self {
        Self::json(json!({ "issuer": issuer, "jwks_uri": jwks_uri, "x": [1] }).to_string())
    }

    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self::new(status, "text/plain", "")
    }

    pub fn redirect(status: u16, target: &str) -> Self {
        Self::status(status).header("location", target)
    }

    /// These bytes and nothing else, be they HTTP or not.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        let (delay, head) = (Duration::ZERO, String::new());
        Self { delay, head, body: bytes.into(), pace: None, end: End::Close }
    }

    /// Reads the request and never answers.
    pub fn hang() -> Self {
        Self { end: End::Hang, ..Self::raw("") }
    }

    /// Reads the request and drops the connection.
    pub fn hang_up() -> Self {
        Self::raw("")
    }

    /// `200` with a body of this piece again and again, without a length.
    pub fn endless(piece: impl Into<Bytes>) -> Self {
        Self::raw("HTTP/1.1 200 Scripted\r\ncontent-type: application/json\r\n\r\n").forever(piece)
    }

    /// The same, each time as a chunk (RFC 9112 §7.1).
    pub fn endless_chunks(piece: &str) -> Self {
        Self::raw("HTTP/1.1 200 Scripted\r\ntransfer-encoding: chunked\r\n\r\n")
            .forever(format!("{:x}\r\n{piece}\r\n", piece.len()))
    }

    /// With one more field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    /// Not before this long.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// One byte at a time, with a pause after each.
    pub fn drip(self, pause: Duration) -> Self {
        Self { pace: Some(pause), ..self }
    }

    /// Drops the connection in the middle of the body, which is announced in full.
    pub fn cut_short(self) -> Self {
        let half = self.body.slice(..self.body.len() / 2);
        Self { body: half, ..self }
    }

    /// Followed by this piece again and again.
    pub fn forever(self, piece: impl Into<Bytes>) -> Self {
        Self { end: End::Repeat(piece.into()), ..self }
    }

    /// Does it; an error is a client that goes away.
    pub(super) async fn send(
        self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        sent: &AtomicU64,
    ) -> io::Result<()> {
        if let Ok(gone) = timeout(self.delay, stream.read_u8()).await {
            return gone.map(drop);
        }
        let blank = if self.head.is_empty() { "" } else { "\r\n" };
        let start = [self.head.as_bytes(), blank.as_bytes(), &self.body].concat();
        write(stream, &start, self.pace, sent).await?;
        match self.end {
            End::Close => stream.shutdown().await,
            End::Hang => stream.read_u8().await.map(drop),
            End::Repeat(piece) => loop {
                write(stream, &piece, self.pace, sent).await?;
            },
        }
    }
}

async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    pace: Option<Duration>,
    sent: &AtomicU64,
) -> io::Result<()> {
    let at_once = if pace.is_some() { 1 } else { 16 * 1024 };
    for part in bytes.chunks(at_once) {
        stream.write_all(part).await?;
        stream.flush().await?;
        sent.fetch_add(part.len() as u64, Ordering::Relaxed);
        if let Some(pause) = pace {
            sleep(pause).await;
        }
    }
    Ok(())
}
