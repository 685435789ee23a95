//! A request with a good token reaches the service, and nobody else's does.

use crate::support::{Sidecar, Upstream, authority, bearer, get};

/// Several threads, as clients here block.
#[tokio::test(flavor = "multi_thread")]
async fn hdr_16_good_requests_pass_without_their_token_and_others_are_answered_here() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).start();
    let token = bearer(&authority.token().subject("u1").scope("orders.read"));
    let answer = get(sidecar.address(), "/orders?page=2", &token);
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    let seen = upstream.take_one();
    assert_eq!(seen.uri, "/orders?page=2");
    assert_eq!(seen.field("authorization"), None);
    assert_eq!(seen.field("x-auth-subject"), Some("u1"));
    assert_eq!(seen.field("x-auth-scope"), Some("orders.read"));
    assert_eq!(seen.field("host"), Some("api.example"));

    let answer = get(sidecar.address(), "/orders", "");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.field("www-authenticate"), Some(r#"Bearer realm="resource""#));
    let expired = bearer(&authority.token().expired());
    let answer = get(sidecar.address(), "/orders", &expired);
    assert_eq!(answer.status, 401);
    assert!(answer.field("www-authenticate").unwrap().contains(r#"error="invalid_token""#));
    assert!(upstream.take().is_empty());
}
