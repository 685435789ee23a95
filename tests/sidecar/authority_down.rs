//! An authorization server that comes and goes.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body_util::Full;
use portcullis::testing::Outage;

use crate::support::oidc_provider::{Mode, OidcProvider};
use crate::support::{Sidecar, Upstream, authority, bearer, get};

#[tokio::test(flavor = "multi_thread")]
async fn who_starts_without_keys_says_so_until_there_are_some() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    authority.set_outage(Outage::Everything);
    let sidecar = Sidecar::before(&upstream, &authority).start_unready();
    let token = bearer(&authority.token());
    let answer = get(sidecar.address(), "/orders", &token);
    assert_eq!(answer.status, 503);
    assert!(answer.field("retry-after").is_some());
    assert_eq!(answer.field("www-authenticate"), None);
    // For this refusal no key is needed.
    assert_eq!(get(sidecar.address(), "/orders", "").status, 401);
    assert!(upstream.take().is_empty());
    let ready = sidecar.ask_admin("/readyz");
    assert_eq!(ready.status, 503);
    for part in [authority.issuer_url(), "no keys", "status 503"] {
        assert!(ready.text().contains(part), "{part}: {}", ready.text());
    }
    assert_eq!(sidecar.ask_admin("/livez").status, 200);

    authority.set_outage(Outage::None);
    sidecar.wait_for(|| sidecar.ask_admin("/readyz").status == 200, "ready");
    assert_eq!(get(sidecar.address(), "/orders", &token).status, 200);

    // With the keys that there are it goes on, for tokens that nobody has seen before too.
    authority.set_outage(Outage::Everything);
    assert_eq!(get(sidecar.address(), "/orders", &token).status, 200);
    let new = bearer(&authority.token().subject("u2"));
    assert_eq!(get(sidecar.address(), "/orders", &new).status, 200);
    assert_eq!(sidecar.ask_admin("/readyz").status, 200);
}

/// A resource that the real server knows.
const API: &str = "https://api.example.com";

#[tokio::test(flavor = "multi_thread")]
async fn a_real_authorization_server_comes_and_goes() {
    let Some(provider) = OidcProvider::start().await else { return };
    let upstream = Upstream::start().await;
    let token = provider.client_credentials(API, "orders.read").await;
    let token = format!("Authorization: Bearer {token}\r\n");
    provider.jwks_mode(Mode::Unavailable).await;
    let settings = Sidecar::trusting(provider.issuer(), upstream.address());
    let sidecar = settings.with("PORTCULLIS_AUDIENCE", API).start_unready();
    assert_eq!(get(sidecar.address(), "/orders", &token).status, 503);
    assert_eq!(sidecar.ask_admin("/readyz").status, 503);
    provider.jwks_mode(Mode::Ok).await;
    sidecar.wait_for(|| sidecar.ask_admin("/readyz").status == 200, "ready");
    assert_eq!(get(sidecar.address(), "/orders", &token).status, 200);
    assert_eq!(upstream.take_one().field("x-auth-scope"), Some("orders.read"));
    drop(provider);
    assert_eq!(get(sidecar.address(), "/orders", &token).status, 200);
}

/// What says nothing usable about tokens says nothing against them.
#[tokio::test(flavor = "multi_thread")]
async fn f41_f42_an_answer_that_is_none_is_an_outage_and_no_bad_token() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let plain = Upstream::answering(|_| {
        let answer = r#"{"active":true,"sub":"u1","aud":"https://api.example"}"#;
        let mut response = Response::new(Full::<Bytes>::from(answer));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    })
    .await;
    let greeting = Upstream::start().await;
    for (row, asked, answers, status) in [
        ("a plain answer", &plain, "json", 200),
        ("F42: a plain answer where a signed one was agreed on", &plain, "jwt", 503),
        ("F41: no JSON", &greeting, "json", 503),
        ("F42: no JWT", &greeting, "jwt", 503),
    ] {
        let sidecar = Sidecar::before(&upstream, &authority)
            .with("PORTCULLIS_INTROSPECTION_URI", &format!("http://{}/i", asked.address()))
            .with("PORTCULLIS_INTROSPECTION_ANSWERS", answers)
            .with("PORTCULLIS_CLIENT_ID", "rs")
            .with("PORTCULLIS_CLIENT_SECRET", "secret")
            .start();
        let answer = get(sidecar.address(), "/orders", "Authorization: Bearer opaque\r\n");
        assert_eq!(answer.status, status, "{row}");
        assert_eq!(answer.field("www-authenticate"), None, "{row}");
        assert_eq!(answer.field("retry-after").is_some(), status == 503, "{row}");
        assert_eq!(upstream.take().len(), usize::from(status == 200), "{row}");
    }
}
