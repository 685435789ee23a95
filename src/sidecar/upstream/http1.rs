//! HTTP/1.1: a request over a connection that is there, or over one of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1;
use tokio::task::yield_now;

use super::connect::Target;
use super::driver::Driver;
use super::idle::{Connection, Idle, idle_time};
use super::sender::{Again, Sender};
use super::{Anew, Answered, BoxError, Failure, Lease, State};

/// A connection that has rested for longer may have ended without our having looked.
const JUST_USED: Duration = Duration::from_millis(10);

/// Bytes of a part of an answer's head that is not its end, and of what is read at once.
pub(super) const MAX_BUFFER: usize = 128 * 1024;

/// The connections of one worker.
pub(super) struct Pool<B> {
    target: Target,
    idle: Arc<Idle<B>>,
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
    /// The connection had ended before, so that another one may try.
    Anew(Anew<B>),
}

impl<B> Pool<B>
where
    B: Body + Default + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(target: Target) -> Arc<Self> {
        let places = Arc::clone(target.places());
        let idle = Arc::new(Idle::new(places));
        let unused: Weak<Idle<B>> = Arc::downgrade(&idle);
        target.places().may_end(unused);
        Arc::new(Self { target, idle })
    }

    /// Hands the request over at once where a connection is there that was in use just now.
    pub(super) fn send(self: &Arc<Self>, request: Request<B>, now: Instant) -> State<B> {
        let pool = Arc::clone(self);
        match self.idle.pop(JUST_USED, now) {
            Some(mut sender) => {
                let handed = Box::pin(sender.try_send_again(request, false));
                State::Sent(Sent { pool, sender: Some(sender), handed })
            }
            None => State::Anew(Box::pin(pool.send_anew(request))),
        }
    }

    /// Sends the request over a connection that has rested, or over one of its own.
    async fn send_anew(self: Arc<Self>, mut request: Request<B>) -> Result<Answered<B>, Failure> {
        // Whatever the system knows of connections that have ended is heard before.
        yield_now().await;
        while let Some(mut sender) = self.idle.pop(Duration::MAX, Instant::now()) {
            match sender.try_send_again(request, true).await {
                Ok(response) => return Ok(self.leased(response, sender)),
                Err(error) => match sender.lost(error)? {
                    Again::Unsent(unsent) => request = unsent,
                    Again::Unheard(unheard) => return self.send_over_own(unheard).await,
                },
            }
        }
        self.send_over_own(request).await
    }

    /// Over a connection of its own, and never again after that.
    async fn send_over_own(&self, request: Request<B>) -> Result<Answered<B>, Failure> {
        let mut sender = self.open().await?;
        match sender.try_send(request).await {
            Ok(response) => Ok(self.leased(response, sender)),
            Err(error) => Err(error.into_error().into()),
        }
    }

    fn leased(&self, response: Response<Incoming>, mut sender: Sender<B>) -> Answered<B> {
        sender.answered();
        let connection = Connection::new(sender, idle_time(response.headers()));
        (response, Lease::new(Arc::clone(&self.idle), connection))
    }

    async fn open(&self) -> Result<Sender<B>, Failure> {
        let io = self.target.connect().await?;
        let unanswered = io.inner().unanswered();
        let (sender, connection) =
            http1::Builder::new().max_buf_size(MAX_BUFFER).writev(false).handshake(io).await?;
        let driver = Driver::new(connection.with_upgrades());
        let bell = driver.bell();
        // Its end is seen by whoever uses the sender.
        tokio::spawn(driver);
        Ok(Sender::new(sender, unanswered, bell))
    }
}

impl<B> Sent<B>
where
    B: Body + Default + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    pub(super) fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Next<B>> {
        let handed = ready!(self.handed.as_mut().poll(context));
        Poll::Ready(match (handed, self.sender.take()) {
            // Polled after its end, which the contract of futures forbids.
            (_, None) => return Poll::Pending,
            (Ok(response), Some(sender)) => Next::Answered(Ok(self.pool.leased(response, sender))),
            (Err(error), Some(sender)) => {
                let pool = Arc::clone(&self.pool);
                match sender.lost(error) {
                    Ok(Again::Unsent(unsent)) => Next::Anew(Box::pin(pool.send_anew(unsent))),
                    Ok(Again::Unheard(unheard)) => {
                        Next::Anew(Box::pin(async move { pool.send_over_own(unheard).await }))
                    }
                    Err(failure) => Next::Answered(Err(failure)),
                }
            }
        })
    }
}
