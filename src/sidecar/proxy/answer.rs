//! What goes back to the client: the upstream's answer as it comes, or one of our own.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::pause::Pause;
use super::record::Record;
use super::request_body::RequestBody;
use super::request_id;
use crate::sidecar::pace;
use crate::sidecar::telemetry::{Outcome, UpstreamFailure};
use crate::sidecar::upstream::{BoxError, Lease};

/// How long the upstream may pause in the middle of its answer: long enough for events that come
/// now and then, and for clients that read slowly.
const PAUSE: Duration = Duration::from_secs(300);

/// The body of an answer. Dropping it ends the request, which is recorded then.
pub(in crate::sidecar) struct AnswerBody(Content);

enum Content {
    Upstream(Forwarded),
    Own(Option<Bytes>),
    /// A message and the trailers after it.
    Called(Option<Bytes>, Option<HeaderMap>),
}

struct Forwarded {
    body: Incoming,
    lease: Lease<RequestBody>,
    record: Box<Record>,
    pause: Pause,
}

/// An answer of our own. It is small, so that it counts as sent.
pub(in crate::sidecar) fn own(
    mut record: Box<Record>,
    mut response: Response<Bytes>,
) -> Response<AnswerBody> {
    record.status(response.status());
    record.sent(length(response.body()));
    record.finish(Instant::now());
    response.headers_mut().insert(request_id::NAME, record.request_id().clone());
    record.say_goodbye(response.headers_mut());
    response.map(|text| AnswerBody(Content::Own(Some(text).filter(|text| !text.is_empty()))))
}

/// The answer to a call, which says what `status` the client is to get. It is small too.
pub(in crate::sidecar) fn called(
    mut record: Box<Record>,
    status: StatusCode,
    response: Response<Bytes>,
    trailers: HeaderMap,
) -> Response<AnswerBody> {
    record.status(status);
    record.sent(length(response.body()));
    record.finish(Instant::now());
    response.map(|message| AnswerBody(Content::Called(Some(message), Some(trailers))))
}

/// The upstream's answer.
pub(super) fn forwarded(
    mut record: Box<Record>,
    mut response: Response<Incoming>,
    lease: Lease<RequestBody>,
) -> Response<AnswerBody> {
    record.status(response.status());
    // The version is the upstream's hop's. That of HTTP/1.0 would end the client's connection, and
    // its body would have no length or end.
    *response.version_mut() = Version::HTTP_11;
    record.say_goodbye(response.headers_mut());
    response.map(|body| {
        let mut forwarded = Forwarded { body, lease, record, pause: Pause::new(PAUSE) };
        if forwarded.body.is_end_stream() {
            forwarded.end();
        }
        AnswerBody(Content::Upstream(forwarded))
    })
}

/// The head that says that the connection is a tunnel from now on.
pub(super) fn switched(response: Response<Incoming>) -> Response<AnswerBody> {
    response.map(|_| AnswerBody(Content::Own(None)))
}

fn length(text: &Bytes) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

impl Forwarded {
    fn end(&mut self) {
        let now = Instant::now();
        self.lease.give_back(now);
        self.record.finish(now);
    }

    fn fail(&mut self, failure: UpstreamFailure) {
        self.record.outcome(Outcome::UpstreamFailed(failure));
        self.record.finish(Instant::now());
    }

    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { body, lease, .. } = self;
        let frame = lease.take(|| {
            let frame = Pin::new(&mut *body).poll_frame(context);
            let is_last = frame.is_ready() && body.is_end_stream();
            (frame, is_last)
        });
        let Poll::Ready(frame) = frame else {
            ready!(self.pause.poll(context));
            self.fail(UpstreamFailure::Timeout);
            return Poll::Ready(Some(Err("the upstream stopped in its answer".into())));
        };
        self.pause.end();
        match frame {
            Some(Ok(frame)) => {
                self.record.sent(frame.data_ref().map_or(0, length));
                // A body is not asked again after its trailers, and where its length is known not
                // after its last byte.
                if self.body.is_end_stream() || frame.is_trailers() {
                    self.end();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                self.fail(UpstreamFailure::Broken);
                Poll::Ready(Some(Err(error.into())))
            }
            None => {
                self.end();
                Poll::Ready(None)
            }
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match &mut self.0 {
            Content::Upstream(forwarded) => forwarded.poll_frame(context),
            Content::Own(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Content::Called(message, trailers) => {
                let message = message.take().map(Frame::data);
                Poll::Ready(message.or_else(|| trailers.take().map(Frame::trailers)).map(Ok))
            }
        };
        pace::note(&frame);
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Content::Upstream(forwarded) => forwarded.body.is_end_stream(),
            Content::Own(text) => text.is_none(),
            Content::Called(_, trailers) => trailers.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Upstream(forwarded) => forwarded.body.size_hint(),
            Content::Own(text) => SizeHint::with_exact(text.as_ref().map_or(0, length)),
            Content::Called(..) => SizeHint::default(),
        }
    }
}
