//! A service that answers requests one after the other.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::marker::PhantomData;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Empty;
use tower_service::Service;

/// The `Authorization` fields of a case, each of which is sent in turn.
#[derive(Clone)]
pub struct Presented(Arc<[Option<HeaderValue>]>);

impl Presented {
    pub fn new(fields: Vec<Option<HeaderValue>>) -> Self {
        // The first clone makes the bytes shareable, which is no part of a request.
        fields.iter().flatten().for_each(|field| drop(field.clone()));
        Self(fields.into())
    }

    pub fn of(tokens: impl IntoIterator<Item = String>) -> Self {
        let field = |token| HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        Self::new(tokens.into_iter().map(|token| Some(field(token))).collect())
    }

    /// Those up to a number.
    pub fn first(&self, count: usize) -> Self {
        Self::new(self.0.iter().take(count).cloned().collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A server's parser makes header values by sharing its read buffer, as `clone` does here.
    pub fn request(&self, number: usize) -> Request<NoBody> {
        let mut request = Request::new(NoBody::new());
        if let Some(field) = &self.0[number % self.0.len()] {
            request.headers_mut().insert(AUTHORIZATION, field.clone());
        }
        request
    }
}

/// Of requests; it is never read.
pub type NoBody = http_body_util::Empty<bytes::Bytes>;

/// What a case is measured for.
pub struct Contender {
    pub name: &'static str,
    answer: Box<dyn FnMut(usize) -> StatusCode>,
}

impl Contender {
    pub fn new(name: &'static str, answer: impl FnMut(usize) -> StatusCode + 'static) -> Self {
        Self { name, answer: Box::new(answer) }
    }

    pub fn of_service<S, B>(name: &'static str, mut service: S, presented: &Presented) -> Self
    where
        S: Service<Request<NoBody>, Response = Response<B>> + 'static,
    {
        let presented = presented.clone();
        Self::new(name, move |number| answer(&mut service, presented.request(number)))
    }

    /// The status of the answer to the request of this number.
    pub fn answer(&mut self, number: usize) -> StatusCode {
        (self.answer)(number)
    }

    /// The requests of these numbers.
    pub fn answer_all(&mut self, numbers: Range<usize>) {
        for number in numbers {
            black_box(self.answer(number));
        }
    }
}

/// One request through a service that has all it needs.
pub fn answer<S, B>(service: &mut S, request: Request<NoBody>) -> StatusCode
where
    S: Service<Request<NoBody>, Response = Response<B>>,
{
    let Poll::Ready(Ok(())) = service.poll_ready(&mut Context::from_waker(Waker::noop())) else {
        panic!("not ready")
    };
    match at_once(service.call(request)) {
        Ok(response) => response.status(),
        Err(_) => panic!("the inner service does not fail"),
    }
}

/// The first poll has the answer.
pub fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("there is nothing to wait for"),
    }
}

/// The service behind every layer.
pub struct Noop<B = Empty<Bytes>>(PhantomData<fn() -> B>);

impl<B> Default for Noop<B> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<B> Clone for Noop<B> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<B: Default> Service<Request<NoBody>> for Noop<B> {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<NoBody>) -> Self::Future {
        ready(Ok(Response::new(B::default())))
    }
}

/// No layer at all: what the harness itself costs, which is part of every other figure.
pub fn noop(presented: &Presented) -> Contender {
    Contender::of_service("no layer", <Noop>::default(), presented)
}
