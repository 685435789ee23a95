//! How long a client may leave an answer over HTTP/2 where it is.
//!
//! A connection that takes nothing is seen by what cannot be written to it. A stream that takes
//! nothing is not, as the rest of its connection goes on: its window is empty (RFC 9113 §5.2), and
//! its answer is not asked for more. So the task that sends an answer learns from the answer's body
//! whom it waits for, and runs a timer as long as that is the client.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

/// Without a part of an answer that the client has taken. Parts are of 128 KiB at most, so that it
/// is long: whoever takes 500 bytes a second is waited for.
const UNTAKEN: Duration = Duration::from_secs(300);

/// What a body has said while its task was polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// It was not asked.
    Nothing,
    /// There is nothing yet.
    NotYet,
    /// Here is a part.
    Part,
}

thread_local! {
    static SAID: Cell<Said> = const { Cell::new(Said::Nothing) };
}

/// To be told by the body of an answer whenever it was asked.
pub(in crate::sidecar) fn note<T>(frame: &Poll<Option<T>>) {
    SAID.set(if frame.is_pending() { Said::NotYet } else { Said::Part });
}

/// Runs the answers of HTTP/2, and gives up those that their clients do not take.
#[derive(Debug, Clone, Copy)]
pub(in crate::sidecar) struct Streams;

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, inner: F) {
        tokio::spawn(Stream { inner, waits: None });
    }
}

pin_project! {
    /// Dropped, the stream is reset.
    struct Stream<F> {
        #[pin]
        inner: F,
        // There as long as the client is waited for. Boxed, as that is rare.
        waits: Option<Pin<Box<Sleep>>>,
    }
}

impl<F: Future> Future for Stream<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let stream = self.project();
        SAID.set(Said::Nothing);
        if stream.inner.poll(context).is_ready() {
            return Poll::Ready(());
        }
        match SAID.get() {
            Said::Nothing => {}
            Said::NotYet => *stream.waits = None,
            Said::Part => *stream.waits = Some(Box::pin(sleep(UNTAKEN))),
        }
        let Some(timer) = stream.waits else { return Poll::Pending };
        ready!(timer.as_mut().poll(context));
        tracing::debug!("a client does not take its answer");
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body::{Body, Frame};
    use http_body_util::{BodyExt as _, Empty};
    use hyper::body::Incoming;
    use hyper::client::conn::http2 as client;
    use hyper::server::conn::http2 as server;
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::io::duplex;
    use tokio::sync::mpsc;
    use tokio::time::{Instant, timeout};

    use super::*;

    const PART: Bytes = Bytes::from_static(&[b'x'; 1024]);
    const SECOND: Duration = Duration::from_secs(1);

    /// A body in this many parts, between which some time passes; tells when it is dropped.
    struct Parts {
        left: usize,
        each: Duration,
        timer: Pin<Box<Sleep>>,
        _ends: mpsc::Sender<Infallible>,
    }

    impl Body for Parts {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let frame = self.timer.as_mut().poll(context).map(|()| {
                let next = Instant::now() + self.each;
                self.timer.as_mut().reset(next);
                self.left = self.left.checked_sub(1)?;
                Some(Ok(Frame::data(PART)))
            });
            note(&frame);
            frame
        }
    }

    /// Asks for an answer in such parts over a connection with this window. With the answer comes
    /// what ends with its body.
    async fn ask(
        left: usize,
        each: Duration,
        window: u32,
    ) -> (Response<Incoming>, mpsc::Receiver<Infallible>, impl Sized) {
        let (near, far) = duplex(64 * 1024);
        let (ends, ended) = mpsc::channel(1);
        let ends = Mutex::new(Some(ends));
        let service = service_fn(move |_: Request<Incoming>| {
            let (timer, _ends) = (Box::pin(sleep(each)), ends.lock().unwrap().take().unwrap());
            let body = Parts { left, each, timer, _ends };
            async { Ok::<_, Infallible>(Response::new(body)) }
        });
        tokio::spawn(async move {
            server::Builder::new(Streams).serve_connection(TokioIo::new(far), service).await
        });
        let (mut sender, connection) = client::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(window)
            .handshake::<_, Empty<Bytes>>(TokioIo::new(near))
            .await
            .unwrap();
        tokio::spawn(connection);
        let answer = sender.send_request(Request::new(Empty::new())).await.unwrap();
        (answer, ended, sender)
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_is_given_up() {
        for window in [0, 10, 3 * 1024] {
            let start = Instant::now();
            let (answer, mut ended, _connection) = ask(100, Duration::ZERO, window).await;
            // Nothing is read, so that the window stays as it is.
            assert!(timeout(UNTAKEN - SECOND, ended.recv()).await.is_err(), "{window}");
            assert_eq!(ended.recv().await, None);
            assert!(start.elapsed() < UNTAKEN + SECOND, "{window}");
            assert!(answer.into_body().collect().await.is_err(), "{window}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_in_time_is_complete() {
        for window in [10, 3 * 1024] {
            let (answer, _, _connection) = ask(100, Duration::ZERO, window).await;
            sleep(UNTAKEN - SECOND).await;
            let body = answer.into_body().collect().await.unwrap();
            assert_eq!(body.to_bytes().len(), 100 * PART.len(), "{window}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_takes_its_time_is_waited_for() {
        let each = UNTAKEN * 2;
        let (answer, _, _connection) = ask(3, each, 64 * 1024).await;
        let body = answer.into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes().len(), 3 * PART.len());
    }
}
