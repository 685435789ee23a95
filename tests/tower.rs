//! The middleware's manners: what the service contract asks for, and how layers stack.

mod support;

use std::convert::Infallible;
use std::future::Ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::tower::Guard;
use portcullis::{AccessToken, Clock, Issuer, SystemClock, scope};
use serde_json::json;
use support::fixture::{Expected, Fixture, ISSUER, RESOURCE, bearer, get, send};
use support::keys;
use support::scripted_as::{Reply, ScriptedAs};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_test::{assert_request_eq, mock};

type Body = Full<Bytes>;

/// A service that may be called only where it was polled ready, as the contract allows it to
/// demand.
#[derive(Default)]
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request<Body>> for Strict {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        std::future::ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn the_service_that_is_called_is_the_one_that_was_ready() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let mut service = server.require(scope("read")).layer(Strict::default());
    for _ in 0..3 {
        let response = service.ready().await.unwrap().call(bearer(&fixture.good())).await;
        assert_eq!(response.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn the_service_that_is_called_after_a_wait_is_the_one_that_was_ready() {
    let key = Arc::new(keys::Key::new("k1"));
    let served = Arc::clone(&key);
    let fake = ScriptedAs::start(move |_| Reply::json(served.jwks())).await;
    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{}/jwks", fake.origin)).audience(RESOURCE);
    let server = support::server::builder().issuer(issuer).build().unwrap();
    let mut service = server.require(scope("read")).layer(Strict::default());
    let response = service.ready().await.unwrap().call(bearer(&key.token(ISSUER))).await;
    assert_eq!(response.unwrap().status(), 200);
    assert_eq!(fake.log(), ["/jwks"]);
}

#[tokio::test]
async fn readiness_is_the_inner_services_and_refused_requests_do_not_reach_it() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let layer = server.require(scope("read"));
    let (mock, mut handle) = mock::pair::<&'static str, Response<Body>>();
    let inner = tower::util::MapRequest::new(mock, |_: Request<Body>| "reached");
    let mut service = tower_test::mock::Spawn::new(layer.layer(inner));

    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(matches!(service.poll_ready(), Poll::Ready(Ok(()))));
    let refused = service.call(get(&[])).await.unwrap();
    assert_eq!(refused.status(), 401);

    handle.allow(1);
    assert!(matches!(service.poll_ready(), Poll::Ready(Ok(()))));
    let passed = service.call(bearer(&fixture.good()));
    assert_request_eq!(handle, "reached").send_response(Response::new(Full::default()));
    assert_eq!(passed.await.unwrap().status(), 200);
}

#[tokio::test]
async fn errors_of_the_inner_service_are_passed_on() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let inner = service_fn(|_: Request<Body>| async { Err::<Response<Body>, _>("broken") });
    let result = server.authenticate().layer(inner).oneshot(bearer(&fixture.good())).await;
    assert_eq!(result.unwrap_err(), "broken");
}

/// Counts how often the time is asked for: once per verification.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Clock for Counting {
    fn now(&self) -> std::time::SystemTime {
        self.0.fetch_add(1, Ordering::Relaxed);
        support::fixture::Stopped.now()
    }
}

fn subject(request: &Request<Body>) -> String {
    let token = request.extensions().get::<AccessToken>();
    token.map_or("anonymous".to_owned(), |token| token.subject().to_string())
}

#[tokio::test]
async fn hdr_16_the_layer_leaves_the_authorization_field_to_the_inner_service() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let inner = service_fn(|request: Request<Body>| async move {
        assert!(request.headers().contains_key("authorization"));
        Ok::<_, Infallible>(Response::new(Body::default()))
    });
    let response = server.authenticate().layer(inner).oneshot(bearer(&fixture.good())).await;
    assert_eq!(response.unwrap().status(), 200);
}

async fn echo(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Full::from(subject(&request))))
}

#[tokio::test]
async fn an_inner_layer_takes_over_the_verdict_and_adds_its_requirement() {
    let fixture = Fixture::new();
    let clock = Counting::default();
    let server = fixture.builder().clock(clock.clone()).build().unwrap();
    let stack = |requirement| {
        ServiceBuilder::new()
            .layer(server.authenticate())
            .layer(server.require(requirement))
            .service_fn(echo)
    };
    let passed = stack(scope("read")).oneshot(bearer(&fixture.good())).await.unwrap();
    assert_eq!(passed.status(), 200);
    assert_eq!(clock.0.load(Ordering::Relaxed), 1);
    let refused = stack(scope("admin")).oneshot(bearer(&fixture.good())).await.unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(clock.0.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn another_resource_servers_verdict_counts_for_nothing() {
    let fixture = Fixture::new();
    let trusting = fixture.builder().build().unwrap();
    let other = fixture.builder_with(fixture.issuer().audience("other")).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(trusting.authenticate())
        .layer(other.authenticate())
        .service_fn(echo);
    let refused = service.oneshot(bearer(&fixture.good())).await.unwrap();
    assert_eq!(refused.status(), 401);
}

#[tokio::test]
async fn another_resource_servers_token_is_not_left_with_an_anonymous_request() {
    let fixture = Fixture::new();
    let outer = fixture.builder().build().unwrap();
    let inner = fixture.builder().build().unwrap();
    // Between the two, the credentials are taken away.
    let service = ServiceBuilder::new()
        .layer(outer.authenticate())
        .map_request(|mut request: Request<Body>| {
            request.headers_mut().remove("authorization");
            request
        })
        .layer(inner.authenticate().optional())
        .service_fn(|request: Request<Body>| async move {
            assert_eq!(subject(&request), "anonymous");
            Ok::<_, Infallible>(Response::new(Body::default()))
        });
    assert_eq!(service.oneshot(bearer(&fixture.good())).await.unwrap().status(), 200);
}

#[tokio::test]
async fn optional_lets_the_absent_pass_and_refuses_the_bad() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let service = server.authenticate().optional().layer(service_fn(echo));
    let body = async |request| {
        use http_body_util::BodyExt;
        let response = service.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, body)
    };
    assert_eq!(body(get(&[])).await, (200, "anonymous".into()));
    assert_eq!(body(get(&[b"Basic dTpw"])).await, (200, "anonymous".into()));
    assert_eq!(body(bearer(&fixture.good())).await, (200, "u1".into()));
    assert_eq!(body(bearer("x")).await.0, 401);
    assert_eq!(body(get(&[b"Bearer"])).await.0, 400);

    // A requirement behind it is not satisfied by anybody.
    let service = ServiceBuilder::new()
        .layer(server.authenticate().optional())
        .layer(server.require(scope("read")))
        .service_fn(echo);
    assert_eq!(service.oneshot(get(&[])).await.unwrap().status(), 401);
}

#[tokio::test]
async fn what_every_request_needs_is_added_to_every_route() {
    let fixture = Fixture::new();
    let server = fixture.builder().required(scope("base")).build().unwrap();
    let without = bearer(&fixture.good());
    let answer = send(&server, without).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.challenge().parameter("scope"), Some("base read"));
    let with = bearer(&fixture.at(json!({ "scope": "read base" })));
    send(&server, with).await.is(Expected::Ok, "both");
    let authenticated = server.authenticate().layer(service_fn(echo));
    let refused = authenticated.oneshot(bearer(&fixture.good())).await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(server.verify(&fixture.good()).await.is_err());
}

/// Whatever a user builds has to fit into servers: these are the bounds that hyper and axum have.
#[test]
fn layers_and_services_are_clone_send_sync_and_static() {
    fn fits<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn is_send<T: Send>(_: T) {}
    let fixture = Fixture::new();
    let server = fixture.builder().clock(SystemClock).build().unwrap();
    fits(&server);
    fits(&server.authenticate());
    fits(&server.require(scope("read")));
    let mut service: Guard<_> = server.require(scope("read")).layer(Strict::default());
    is_send(service.clone());
    is_send(server.verify("x"));
    let _ = service.poll_ready(&mut Context::from_waker(std::task::Waker::noop()));
    is_send(service.call(get(&[])));
}
