//! One connection of a client, from its first byte to its last.

use std::future::{Future, poll_fn};
use std::net::TcpStream as StdTcpStream;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::service::service_fn;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::protocols::{Connection, Protocols};
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

/// A connection on its way to a worker.
pub(super) struct Accepted {
    pub(super) stream: StdTcpStream,
    pub(super) peer: Peer,
    pub(super) tls: Option<Arc<Tls>>,
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
    let io = Paced::new(stream, Arc::clone(&pace));
    let service = service_fn(|request| front.answer(request, &peer));
    let mut connection = pin!(Connection::new(io, service, protocols));
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

#[cfg(test)]
mod tests;
