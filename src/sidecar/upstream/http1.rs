//! HTTP/1.1: a stack of idle connections, the one used last on top.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http::header::HeaderName;
use http::{HeaderMap, Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1;
use tokio::task::yield_now;

use super::connect::Target;
use super::places::{Places, Unused};
use super::sender::Sender;
use super::{Anew, Answered, BoxError, Failure, Lease, State};

/// How long an unused connection is kept where the upstream does not say how long it keeps it.
/// Servers end idle connections without warning, Node and uvicorn after five seconds, and a request
/// that is sent at that very moment is lost. So ours end before.
const IDLE: Duration = Duration::from_secs(3);
const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// A connection that has rested for longer may have ended without our having looked.
const JUST_USED: Duration = Duration::from_millis(10);

/// Connections that are kept for later, for each worker.
const MAX_IDLE: usize = 256;

/// Bytes of a part of an answer's head that is not its end, and of what is read at once.
pub(super) const MAX_BUFFER: usize = 128 * 1024;

/// The connections of one worker.
pub(super) struct Pool<B> {
    target: Target,
    idle: Arc<Idle<B>>,
}

/// The stack. Its lock is a worker's own, and held for a push or a pop.
pub(super) struct Idle<B> {
    stack: Mutex<Vec<Resting<B>>>,
    places: Arc<Places>,
}

/// A connection that can take a request.
pub(super) struct Connection<B> {
    sender: Sender<B>,
    /// How long it may rest and be used after that.
    idle_time: Duration,
}

struct Resting<B> {
    connection: Connection<B>,
    since: Instant,
}

/// What hyper says of a request that it was given: the answer, or perhaps the request again.
type Handed<B> =
    Pin<Box<dyn Future<Output = Result<Response<Incoming>, TrySendError<Request<B>>>> + Send>>;

/// A request that was handed over to a connection.
pub(super) struct Sent<B> {
    pool: Arc<Pool<B>>,
    sender: Option<Sender<B>>,
    handed: Handed<B>,
}

/// What has become of it.
pub(super) enum Next<B> {
    Answered(Result<Answered<B>, Failure>),
    /// Nothing was sent, as the connection had ended before, so that another one may try.
    Anew(Anew<B>),
}

impl<B> Pool<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(target: Target) -> Arc<Self> {
        let places = Arc::clone(target.places());
        let idle = Arc::new(Idle { stack: Mutex::new(Vec::new()), places });
        let unused: Weak<Idle<B>> = Arc::downgrade(&idle);
        target.places().may_end(unused);
        Arc::new(Self { target, idle })
    }

    /// Hands the request over at once where a connection is there that was in use just now.
    pub(super) fn send(self: &Arc<Self>, request: Request<B>) -> State<B> {
        let pool = Arc::clone(self);
        match self.idle.pop(JUST_USED) {
            Some(mut sender) => {
                let handed = Box::pin(sender.try_send(request));
                State::Sent(Sent { pool, sender: Some(sender), handed })
            }
            None => State::Anew(Box::pin(pool.send_anew(request))),
        }
    }

    /// Sends the request over a connection that has rested, or over one of its own.
    async fn send_anew(self: Arc<Self>, mut request: Request<B>) -> Result<Answered<B>, Failure> {
        // Whatever the system knows of connections that have ended is heard before.
        yield_now().await;
        while let Some(mut sender) = self.idle.pop(LONGEST_IDLE) {
            match sender.try_send(request).await {
                Ok(response) => return Ok(self.leased(response, sender)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().into()),
                },
            }
        }
        let mut sender = self.open().await?;
        match sender.try_send(request).await {
            Ok(response) => Ok(self.leased(response, sender)),
            Err(error) => Err(error.into_error().into()),
        }
    }

    fn leased(&self, response: Response<Incoming>, sender: Sender<B>) -> Answered<B> {
        sender.answered();
        let connection = Connection { sender, idle_time: idle_time(response.headers()) };
        (response, Lease::new(Arc::clone(&self.idle), connection))
    }

    async fn open(&self) -> Result<Sender<B>, Failure> {
        let io = self.target.connect().await?;
        let unanswered = io.inner().unanswered();
        let (sender, connection) =
            http1::Builder::new().max_buf_size(MAX_BUFFER).writev(false).handshake(io).await?;
        // Its end is seen by whoever uses the sender.
        tokio::spawn(connection.with_upgrades());
        Ok(Sender::new(sender, unanswered))
    }
}

impl<B> Sent<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Next<B>> {
        let handed = ready!(self.handed.as_mut().poll(context));
        Poll::Ready(match (handed, self.sender.take()) {
            (Ok(response), Some(sender)) => Next::Answered(Ok(self.pool.leased(response, sender))),
            (Err(mut error), _) => match error.take_message() {
                Some(unsent) => Next::Anew(Box::pin(Arc::clone(&self.pool).send_anew(unsent))),
                None => Next::Answered(Err(error.into_error().into())),
            },
            // Polled after its end, which the contract of futures forbids.
            (Ok(_), None) => return Poll::Pending,
        })
    }
}

impl<B> Idle<B> {
    /// The one that was used last, if it has rested for less than that.
    fn pop(&self, rested: Duration) -> Option<Sender<B>> {
        let mut stack = self.stack.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while let Some(last) = stack.last() {
            let idle = now.saturating_duration_since(last.since);
            if idle >= rested && idle < last.connection.idle_time {
                return None;
            }
            let Resting { connection, .. } = stack.pop()?;
            if idle < connection.idle_time && connection.sender.is_ready() {
                return Some(connection.sender);
            }
        }
        None
    }

    pub(super) fn push(&self, connection: Connection<B>) {
        if connection.sender.is_closed() {
            return;
        }
        let mut stack = self.stack.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock, under which whoever waits asks for room.
        if self.places.are_wanted() {
            return;
        }
        // What is at the bottom was not needed for longest.
        if stack.len() >= MAX_IDLE {
            stack.remove(0);
        }
        stack.push(Resting { connection, since: Instant::now() });
    }
}

impl<B: Send> Unused for Idle<B> {
    /// The one at the bottom: it was not needed for longest.
    fn end_one(&self) -> bool {
        let mut stack = self.stack.lock().unwrap_or_else(PoisonError::into_inner);
        let is_one = !stack.is_empty();
        if is_one {
            stack.remove(0);
        }
        is_one
    }
}

/// `Keep-Alive: timeout=…` as Node, Apache and others send it, and a second less.
fn idle_time(headers: &HeaderMap) -> Duration {
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    let Some(hint) = headers.get(KEEP_ALIVE).and_then(|value| value.to_str().ok()) else {
        return IDLE;
    };
    let seconds = hint.split(',').find_map(|one| {
        let (name, value) = one.split_once('=')?;
        name.trim().eq_ignore_ascii_case("timeout").then(|| value.trim().parse::<u64>().ok())?
    });
    match seconds {
        Some(seconds) => Duration::from_secs(seconds.saturating_sub(1)).min(LONGEST_IDLE),
        None => IDLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_says_how_long_it_waits() {
        for (hint, seconds) in [
            (None, 3),
            (Some("timeout=5"), 4),
            (Some("timeout=5, max=1000"), 4),
            (Some("max=1000, Timeout = 30"), 29),
            (Some("timeout=1"), 0),
            (Some("timeout=0"), 0),
            (Some("timeout=86400"), 60),
            (Some("timeout=soon"), 3),
            (Some(""), 3),
        ] {
            let headers: HeaderMap = hint
                .into_iter()
                .map(|hint| (HeaderName::from_static("keep-alive"), hint.parse().unwrap()))
                .collect();
            assert_eq!(idle_time(&headers), Duration::from_secs(seconds), "{hint:?}");
        }
    }
}
