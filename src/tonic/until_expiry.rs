//! A stream that ends with its token.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use pin_project_lite::pin_project;
use tonic::Status;

use crate::access_token::AccessToken;
use crate::rejection::Rejection;

pin_project! {
    /// A stream that ends with `UNAUTHENTICATED` and the challenge once its token would be refused
    /// as expired. Works for the messages of a client as it does for those of the service.
    ///
    /// The time is that of [`AccessToken::expired`]. What the stream holds is dropped at that moment.
    #[must_use = "streams do nothing unless polled"]
    pub struct UntilExpiry<S> {
        #[pin]
        stream: Option<S>,
        expired: Pin<Box<dyn Future<Output = Rejection> + Send>>,
    }
}

impl<S> UntilExpiry<S> {
    /// `stream` as long as `token` is good.
    pub fn new(stream: S, token: &AccessToken) -> Self {
        Self { stream: Some(stream), expired: Box::pin(token.expired()) }
    }
}

impl<S, T> Stream for UntilExpiry<S>
where
    S: Stream<Item = Result<T, Status>>,
{
    type Item = Result<T, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let Some(stream) = this.stream.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        // First, so that a stream that always has something ends too.
        if let Poll::Ready(rejection) = this.expired.as_mut().poll(context) {
            this.stream.set(None);
            return Poll::Ready(Some(Err(rejection.into())));
        }
        let next = stream.poll_next(context);
        if let Poll::Ready(None) = next {
            this.stream.set(None);
        }
        next
    }
}

impl<S> fmt::Debug for UntilExpiry<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntilExpiry").finish_non_exhaustive()
    }
}
