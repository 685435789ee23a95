//! The wait for an answer.
//!
//! Futures by hand: what the compiler makes of an `async fn` has room for the request once per
//! function that it passes through, and all of that is moved about for each of them.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Response, StatusCode};
use pin_project_lite::pin_project;

use super::answer::{self, AnswerBody};
use super::head::Upgrade;
use super::record::Record;
use super::request_body::{RequestBody, Upload};
use super::wait::Wait;
use super::{fields, problem, tunnel};
use crate::sidecar::telemetry::{Outcome, UpstreamFailure};
use crate::sidecar::upstream::{Answered, Failure, Sending};

type Later = Pin<Box<dyn Future<Output = Result<Response<AnswerBody>, Infallible>> + Send>>;

pin_project! {
    /// One answer; there is one to every request.
    #[must_use]
    pub(in crate::sidecar) struct Answering {
        #[pin]
        state: State,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State {
        Done { response: Option<Response<AnswerBody>> },
        Later { future: Later },
        Forwarding {
            sending: Sending<RequestBody>,
            wait: Wait,
            upload: Upload,
            upgrade: Option<Upgrade>,
            record: Option<Record>,
        },
    }
}

impl Answering {
    pub(in crate::sidecar) fn done(response: Response<AnswerBody>) -> Self {
        Self { state: State::Done { response: Some(response) } }
    }

    /// What has to wait for something else than the upstream, which is rare.
    pub(in crate::sidecar) fn later(
        future: impl Future<Output = Result<Response<AnswerBody>, Infallible>> + Send + 'static,
    ) -> Self {
        Self { state: State::Later { future: Box::pin(future) } }
    }

    pub(super) fn forwarding(
        sending: Sending<RequestBody>,
        upload: Upload,
        upgrade: Option<Upgrade>,
        record: Record,
    ) -> Self {
        let wait = Wait::new(record.peer().pace().is_http2());
        let record = Some(record);
        Self { state: State::Forwarding { sending, wait, upload, upgrade, record } }
    }
}

impl Future for Answering {
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Done { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                // Polled after it was ready, which the contract of futures forbids.
                None => Poll::Pending,
            },
            StateProjection::Later { future } => future.as_mut().poll(context),
            StateProjection::Forwarding { sending, wait, upload, upgrade, record } => {
                let answered = match Pin::new(sending).poll(context) {
                    Poll::Ready(answered) => answered.map_err(|failure| failure_of(&failure)),
                    Poll::Pending => {
                        ready!(wait.poll(upload, context));
                        Err(UpstreamFailure::Timeout)
                    }
                };
                match record.take() {
                    Some(record) => {
                        Poll::Ready(Ok(conclude(answered, record, upload, upgrade.take())))
                    }
                    None => Poll::Pending,
                }
            }
        }
    }
}

/// What the client gets.
fn conclude(
    answered: Result<Answered<RequestBody>, UpstreamFailure>,
    mut record: Record,
    upload: &Upload,
    upgrade: Option<Upgrade>,
) -> Response<AnswerBody> {
    let failure = match answered {
        Ok((response, _)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            match upgrade.filter(|upgrade| upgrade.is_answered_by(&response)) {
                Some(upgrade) => return tunnel::open(upgrade, response, record),
                // Nobody has asked for it, or for something else.
                None => UpstreamFailure::Broken,
            }
        }
        Ok((response, _)) if !fields::is_framed_plainly(response.headers()) => {
            UpstreamFailure::Broken
        }
        Ok((mut response, lease)) => {
            fields::clean_answer(response.headers_mut(), record.request_id());
            return answer::forwarded(record, response, lease);
        }
        Err(failure) => failure,
    };
    let answer = no_answer(&mut record, failure, upload);
    answer::own(record, answer)
}

fn no_answer(record: &mut Record, failure: UpstreamFailure, upload: &Upload) -> Response<Bytes> {
    // An upload that its client gave up is not the upstream's fault.
    if upload.was_given_up() {
        record.outcome(Outcome::ClientGone);
        return problem::of_client(record.method());
    }
    record.outcome(Outcome::UpstreamFailed(failure));
    problem::of_upstream(failure, record.method())
}

/// What is told of a failure, after the log has heard the rest.
fn failure_of(failure: &Failure) -> UpstreamFailure {
    match failure {
        Failure::Unreachable(error) => {
            tracing::debug!(%error, "no connection to the upstream");
            UpstreamFailure::Unreachable
        }
        Failure::ConnectTimeout => UpstreamFailure::ConnectTimeout,
        Failure::Broken(error) => {
            tracing::debug!(%error, "no answer from the upstream");
            UpstreamFailure::Broken
        }
    }
}
