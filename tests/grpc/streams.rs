//! What becomes of streams whose token expires.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use portcullis::testing::{Authority, ManualClock};
use portcullis::tonic::{Methods, UntilExpiry};
use portcullis::{AccessToken, Clock, RejectionKind};
use tonic::{Code, Status};

use crate::orders::WatchRequest;
use crate::shop::{shop, with};

const LEEWAY: Duration = Duration::from_secs(60);
const LIFETIME: Duration = Duration::from_secs(300);

async fn token() -> (ManualClock, AccessToken) {
    let authority = Authority::new();
    let token = authority.token().expires_in(LIFETIME).verified().await.unwrap();
    (authority.clock().clone(), token)
}

/// The first message comes, and when the clock says so, the end, as a tonic client sees it. The
/// runtime's time runs ahead where all wait, so that nobody waits for the next look at the clock.
#[tokio::test(start_paused = true)]
async fn a_stream_ends_as_unauthenticated_when_its_token_would_be_refused() {
    let authority = Authority::new();
    let api = authority.resource_server().realm("rs").build().unwrap();
    let served = shop(api.methods(Methods::new()).unwrap()).await;
    let mut client = served.client().await;
    let token = authority.token().expires_in(LIFETIME);
    let mut news = client.watch(with(WatchRequest {}, &token)).await.unwrap().into_inner();
    assert_eq!(news.message().await.unwrap().unwrap().item, "first");
    authority.clock().advance(LIFETIME + LEEWAY);
    let status = news.message().await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unauthenticated, "The access token expired")
    );
    let challenge = status.metadata().get("www-authenticate").unwrap().to_str().unwrap();
    assert!(challenge.contains(r#"realm="rs", error="invalid_token""#), "{challenge}");
}

/// Simulated time: the runtime's runs ahead by itself, and the wall clock with it.
#[tokio::test(start_paused = true)]
async fn the_end_is_where_a_new_request_would_be_refused_and_not_before() {
    let (clock, token) = token().await;
    let driven = clock.clone();
    let start = clock.now();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            driven.advance(Duration::from_secs(1));
        }
    });
    let rejection = token.expired().await;
    assert_eq!(rejection.kind(), RejectionKind::Expired);
    let lived = clock.now().duration_since(start).unwrap();
    assert!(lived >= LIFETIME + LEEWAY, "{lived:?}");
    assert!(lived <= LIFETIME + LEEWAY + Duration::from_secs(2), "{lived:?}");
}

/// A clock that stands still lets nothing expire, whatever time the runtime has.
#[tokio::test(start_paused = true)]
async fn the_time_is_that_of_the_resource_server() {
    let (clock, token) = token().await;
    let mut expired = Box::pin(token.expired());
    let waited = tokio::time::timeout(Duration::from_secs(3600), &mut expired).await;
    assert!(waited.is_err());
    // Set forward, it is noticed within a nap, not after what was left before.
    clock.advance(LIFETIME + LEEWAY - Duration::from_millis(1));
    assert!(tokio::time::timeout(Duration::ZERO, &mut expired).await.is_err());
    clock.advance(Duration::from_millis(1));
    let waited = tokio::time::timeout(Duration::from_secs(11), &mut expired).await;
    assert_eq!(waited.unwrap().kind(), RejectionKind::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_always_has_something_ends_too() {
    let (clock, token) = token().await;
    let endless = stream::repeat_with(|| Ok::<_, Status>(7));
    let mut news = UntilExpiry::new(endless, &token);
    assert_eq!(news.next().await.unwrap().unwrap(), 7);
    clock.advance(LIFETIME + LEEWAY);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(news.next().await.unwrap().unwrap_err().code(), Code::Unauthenticated);
    assert!(news.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_before_ends_as_it_is() {
    let (clock, token) = token().await;
    let mut news =
        UntilExpiry::new(stream::iter([Ok(1), Err(Status::aborted("x")), Ok(2)]), &token);
    assert_eq!(news.next().await.unwrap().unwrap(), 1);
    assert_eq!(news.next().await.unwrap().unwrap_err().code(), Code::Aborted);
    assert_eq!(news.next().await.unwrap().unwrap(), 2);
    assert!(news.next().await.is_none());
    clock.advance(LIFETIME + LEEWAY);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert!(news.next().await.is_none());
}
