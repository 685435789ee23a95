//! The body of a request on its way to the upstream, as it comes and no faster than it is taken.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::pause::Pause;
use crate::sidecar::desk::Desk;
use crate::sidecar::upstream::BoxError;

/// How long a client may pause in the middle of its body. nginx's default too.
const PAUSE: Duration = Duration::from_secs(60);

/// What the client sends, without trailers that are not its to send. Most requests have nothing to
/// send, and each connection has room for dozens of requests, so that it matters how small it is.
#[derive(Default)]
pub(super) struct RequestBody(Option<Box<Content>>);

struct Content {
    inner: Incoming,
    desk: Arc<Desk>,
    upload: Upload,
    pause: Pause,
}

/// How far a body has come; nothing where there is none.
#[derive(Clone)]
pub(super) struct Upload(Option<Arc<Progress>>);

struct Progress {
    /// Milliseconds since [`START`].
    last: AtomicU64,
    given_up: AtomicBool,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl RequestBody {
    pub(super) fn new(inner: Incoming, desk: &Arc<Desk>) -> (Self, Upload) {
        if inner.is_end_stream() {
            return (Self(None), Upload::of_nothing());
        }
        let upload = Upload::begun();
        let desk = Arc::clone(desk);
        (
            Self(Some(Box::new(Content {
                inner,
                desk,
                upload: upload.clone(),
                pause: Pause::new(PAUSE),
            }))),
            upload,
        )
    }
}

impl Content {
    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) else {
            ready!(self.pause.poll(context));
            self.upload.give_up();
            return Poll::Ready(Some(Err("the client stopped in the middle of its body".into())));
        };
        self.pause.end();
        self.upload.note_progress();
        Poll::Ready(frame.map(|frame| match frame {
            Ok(frame) => Ok(self.clean(frame)),
            Err(error) => {
                self.upload.give_up();
                Err(error.into())
            }
        }))
    }

    fn clean(&self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_trailers() {
            Ok(mut trailers) => {
                self.desk.shared.fields.clean_trailers(&mut trailers);
                Frame::trailers(trailers)
            }
            Err(data) => data,
        }
    }
}

impl Upload {
    /// That of a request without a body.
    pub(super) fn of_nothing() -> Self {
        Self(None)
    }

    pub(super) fn begun() -> Self {
        let progress = Progress { last: AtomicU64::new(now()), given_up: AtomicBool::new(false) };
        Self(Some(Arc::new(progress)))
    }

    /// When a part of it came last; `None` where there is no body to wait for.
    pub(super) fn last_progress(&self) -> Option<Instant> {
        let progress = self.0.as_ref()?;
        Some(*START + Duration::from_millis(progress.last.load(Ordering::Relaxed)))
    }

    /// Whether the client broke off.
    pub(super) fn was_given_up(&self) -> bool {
        self.0.as_ref().is_some_and(|progress| progress.given_up.load(Ordering::Relaxed))
    }

    pub(super) fn note_progress(&self) {
        if let Some(progress) = &self.0 {
            progress.last.store(now(), Ordering::Relaxed);
        }
    }

    fn give_up(&self) {
        if let Some(progress) = &self.0 {
            progress.given_up.store(true, Ordering::Relaxed);
        }
    }
}

fn now() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Some(content) => content.poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|content| content.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |content| content.inner.size_hint())
    }
}
