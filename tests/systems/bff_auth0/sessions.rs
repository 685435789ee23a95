//! Sessions of the BFF: who has none, and how their tokens are refreshed.

use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use super::stage::{AUDIENCE, Stage, home, open};
use super::{auth0::Auth0, stage::Api};
use crate::support::oidc_provider::client;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_nothing_gets_to_the_api() {
    let (listener, bff) = home().await;
    let Some(auth0) = Auth0::start(&bff).await else { return };
    let api = Api::start(auth0.issuer(), AUDIENCE).await;
    open(listener, &auth0, &bff, AUDIENCE, api.address).await;
    let session = "__Host-session=bm90IGEgc2Vzc2lvbg";
    let login = "__Host-login=the-state.the-verifier";
    let issuer: String = url::form_urlencoded::byte_serialize(auth0.issuer().as_bytes()).collect();
    let without_slash = issuer.strip_suffix("%2F").unwrap();
    let answer = |with: &str| format!("/callback?state=the-state&iss={issuer}{with}");
    let of_another = format!("/callback?state=the-state&iss={without_slash}&code=any");
    let another_state = format!("/callback?state=another&iss={issuer}&code=any");
    // The last: how often the authorization server has been asked.
    for (path, cookie, status, asked) in [
        ("/api/orders", "", 401, 0),
        ("/api/orders", session, 401, 0),
        ("/api/orders", login, 401, 0),
        ("/callback", "", 400, 0),
        ("/callback?state=the-state&code=any", login, 400, 0),
        (&of_another, login, 400, 0),
        (&another_state, login, 400, 0),
        (&answer(""), login, 400, 0),
        (&answer("&error=access_denied"), login, 400, 0),
        (&answer("&code=any"), "", 400, 0),
        (&answer("&code=any"), login, 400, 1),
    ] {
        let request = client().get(format!("{bff}{path}")).header("x-bff", "1");
        let answer = request.header("cookie", cookie).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {cookie}");
        assert_eq!(auth0.issued().await.asked, asked, "{path} {cookie}");
        assert_eq!(answer.headers().get(WWW_AUTHENTICATE), None);
        let opened = answer.headers().get("set-cookie").map(|field| field.to_str().unwrap());
        assert!(opened.is_none_or(|field| field.starts_with("__Host-session=; ")), "{opened:?}");
    }
    let answer = client().post(format!("{bff}/logout")).header("x-bff", "1").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(api.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_at_once_share_one_refresh() {
    let Some(mut stage) = Stage::set().await else { return };
    // What the page's first request gets is too old for the next.
    stage.auth0.lifetimes("-3600 20").await;
    stage.sign_in("auth0|alice").await;
    assert_eq!(stage.auth0.issued().await.grants("refresh_token"), 1);
    let at_once = "Promise.all(Array.from({ length: 8 }, () => ask('/api/me')))
        .then((answers) => answers.map((answer) => answer.status))";
    let statuses = stage.browser.value(at_once).await.unwrap();
    assert_eq!(statuses, json!(vec![200; 8]));
    // Had one of them used a refresh token a second time, all would have been withdrawn.
    assert_eq!(stage.auth0.issued().await.grants("refresh_token"), 2);
    assert_eq!(stage.browser.value("ask('/api/me').then((a) => a.status)").await, Some(json!(200)));
    let tokens = stage.api.tokens();
    assert_eq!(tokens.len(), 10);
    assert!(tokens[1..].iter().all(|token| *token == tokens[1]) && tokens[0] != tokens[1]);
    stage.browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_goes_on_when_the_browser_hangs_up() {
    let Some(mut stage) = Stage::set().await else { return };
    stage.auth0.lifetimes("20 20").await;
    stage.sign_in("auth0|alice").await;
    let session = stage.session().await;
    stage.auth0.hold().await;
    let asked = tokio::spawn(stage.get("/api/orders", &session).send());
    stage.auth0.held().await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    // The BFF has noticed.
    stage.in_work.wait_for(|requests| *requests == 0).await.unwrap();
    // The refresh token has served, and its successor has to be known.
    stage.auth0.release().await;
    assert_eq!(stage.get("/api/orders", &session).send().await.unwrap().status(), 200);
    assert_eq!(stage.auth0.issued().await.grants("refresh_token"), 2);
    stage.browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_an_outage_and_ends_when_it_is_refused() {
    let Some(mut stage) = Stage::set().await else { return };
    stage.auth0.lifetimes("20 20 20").await;
    stage.sign_in("auth0|alice").await;
    let session = stage.session().await;

    stage.auth0.down(true).await;
    let answer = stage.get("/api/orders", &session).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key(RETRY_AFTER));
    stage.auth0.down(false).await;
    assert_eq!(stage.get("/api/orders", &session).send().await.unwrap().status(), 200);

    // Somebody else has used the refresh token: all that came of it is withdrawn.
    let issued = stage.auth0.issued().await.tokens;
    let refresh_token = issued.iter().rfind(|token| !token.contains('.')).unwrap();
    assert!(stage.auth0.refreshes(refresh_token).await);
    stage.browser.open(&stage.bff.clone()).await;
    stage.answer_is("sign in first").await;
    assert!(stage.browser.cookies().await.iter().all(|cookie| cookie["name"] != "__Host-session"));
    let asked = stage.auth0.issued().await.asked;
    assert_eq!(stage.get("/api/orders", &session).send().await.unwrap().status(), 401);
    assert_eq!(stage.auth0.issued().await.asked, asked, "the session is forgotten");
    stage.browser.close().await;
}
