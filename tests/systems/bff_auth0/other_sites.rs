//! Requests that other sites make with the browser of somebody who is signed in (CSRF).

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use http::Method;

use super::stage::{Stage, listener, serve};

const COOKIE: &str = "__Host-session";

/// Forms, and scripts with what needs no preflight and with what does.
fn page(target: &str) -> String {
    format!(
        "<!doctype html><link rel=icon href='data:,'>
        <form method=post enctype=text/plain action='{target}?form'><input name=item value=tea></form>
        <script>
          const send = (query, headers) => fetch('{target}' + query,
            {{ method: 'POST', body: 'tea', mode: headers ? 'cors' : 'no-cors',
               credentials: 'include', headers }}).then(() => 'sent', () => 'failed');
          const sent = (async () => [await send('?simple'), await send('?field', {{ 'x-bff': '1' }})])();
        </script>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_site_sends_is_refused() {
    let Some(mut stage) = Stage::set().await else { return };
    stage.sign_in("auth0|alice").await;
    let evil = page(&format!("{}/api/orders", stage.bff));
    let evil = Router::new().route("/", get(|| async { Html(evil) }));
    let port = serve(listener().await, evil).port();
    let before = stage.api.seen().len();

    // The first is another site: the cookie stays at home. The second is another origin of the same
    // site, as a host beside ours is: the cookie comes along.
    for (site, cookie) in [("127.0.0.1", false), ("localhost", true)] {
        stage.browser.open(&format!("http://{site}:{port}/")).await;
        stage.browser.until(&format!("location.hostname === '{site}' && sent !== undefined")).await;
        let sent = stage.browser.value("sent").await.unwrap();
        assert_eq!(sent, serde_json::json!(["sent", "failed"]), "{site}");
        let simple = stage.recorder.last(&Method::POST, "/api/orders?simple");
        assert_eq!((simple.status.as_u16(), simple.brings(COOKIE)), (403, cookie), "{site}");
        // A preflight was asked for and not granted, so that nothing followed it.
        let preflight = stage.recorder.last(&Method::OPTIONS, "/api/orders?field");
        assert_eq!((preflight.status.as_u16(), preflight.brings(COOKIE)), (403, false), "{site}");
        assert_eq!(preflight.field("access-control-allow-origin"), "");

        stage.browser.value("document.forms[0].submit()").await;
        stage.browser.until("location.pathname === '/api/orders'").await;
        let form = stage.recorder.last(&Method::POST, "/api/orders?form");
        assert_eq!((form.status.as_u16(), form.brings(COOKIE)), (403, cookie), "{site}");
    }
    let posted = stage.recorder.seen().into_iter().filter(|seen| seen.uri.query() == Some("field"));
    assert!(posted.into_iter().all(|seen| seen.method == Method::OPTIONS));
    assert_eq!(stage.api.seen().len(), before, "nothing of it came to the API");

    // A page of the BFF's own may, and is still signed in.
    stage.browser.open(&stage.bff.clone()).await;
    stage.answer_is("orders of auth0|alice").await;
    stage.browser.close().await;
}
