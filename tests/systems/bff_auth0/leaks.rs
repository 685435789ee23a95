//! The browser never sees a token.

use http::Method;
use serde_json::{Value, json};

use super::stage::Stage;

/// All that a script can find, and more.
const WITHIN_REACH: &str = "(async () => JSON.stringify([
    { ...localStorage }, { ...sessionStorage }, document.cookie, location.href, document.referrer,
    await indexedDB.databases(), await caches.keys(), history.state, window.name,
    performance.getEntries().map((entry) => entry.name), document.documentElement.outerHTML,
]))()";

/// The first of these tokens of which there is a whole one, its payload or its signature in the
/// text, or anything else that is a JSON object in base64url, as all JWTs begin.
fn leak<'a>(text: &'a str, tokens: &'a [String]) -> Option<&'a str> {
    let known =
        tokens.iter().flat_map(|token| token.split('.').skip(usize::from(token.contains('.'))));
    let mut parts = known.chain(["eyJ", "access_token", "refresh_token", "id_token"]);
    parts.find(|part| text.contains(part))
}

#[test]
fn a_leak_is_found() {
    let tokens = ["head.body.signature".to_owned(), "opaque".to_owned()];
    for text in ["<head.body.signature>", "x=signature", "body", "(opaque)", "eyJhbGciOiJub25lIn0"]
    {
        assert!(leak(text, &tokens).is_some(), "{text}");
    }
    assert_eq!(leak("nothing of it", &tokens), None);
}

impl Stage {
    /// Nowhere in what it has got, what it has sent, and what it has kept.
    async fn nothing_leaked(&mut self) {
        let tokens = self.auth0.issued().await.tokens;
        for exchange in self.recorder.seen() {
            assert_eq!(leak(&exchange.text(), &tokens), None, "{exchange:?}");
        }
        for cookie in self.browser.cookies().await {
            assert_eq!(leak(&cookie.to_string(), &tokens), None, "{cookie}");
            if cookie["name"].as_str().unwrap().starts_with("__Host-") {
                let flags = [&cookie["httpOnly"], &cookie["secure"], &cookie["sameSite"]];
                assert_eq!(flags, [&json!(true), &json!(true), &json!("Strict")], "{cookie}");
            }
        }
        let within_reach = self.browser.value(WITHIN_REACH).await;
        let Some(Value::String(found)) = within_reach else { panic!("{within_reach:?}") };
        assert!(found.contains("<h1>Orders</h1>"), "{found}");
        assert_eq!(leak(&found, &tokens), None, "{found}");
        assert!(!found.contains("__Host-"), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_works_and_signs_out_and_the_browser_sees_no_token() {
    let Some(mut stage) = Stage::set().await else { return };
    stage.browser.open(&stage.bff.clone()).await;
    stage.answer_is("sign in first").await;
    assert_eq!(stage.recorder.last(&Method::GET, "/api/orders").field("www-authenticate"), "");

    // The first token has expired when it comes. Nobody notices: the page's first request works.
    stage.auth0.lifetimes("-3600").await;
    stage.sign_in("auth0|alice").await;
    let issued = stage.auth0.issued().await;
    assert_eq!((issued.grants("authorization_code"), issued.grants("refresh_token")), (1, 1));
    assert_eq!(issued.tokens.len(), 6, "an access, a refresh and an ID token, twice");
    stage.browser.click("#create").await;
    stage.answer_is("auth0|alice ordered tea").await;
    // The token lives a day: one that is good is kept. It got to the API, and no cookie did.
    assert_eq!(stage.auth0.issued().await.grants("refresh_token"), 1);
    let seen = stage.api.seen();
    let lines: Vec<_> = seen.iter().map(|request| &*request.line).collect();
    assert_eq!(lines, ["GET /orders", "POST /orders"]);
    for request in seen {
        assert!(issued.tokens.contains(&request.token.unwrap()));
        assert_eq!(request.cookies, 0);
    }
    stage.nothing_leaked().await;

    // Signing out ends the session here, its refresh token, and the session there.
    let (session, refresh_token) = (stage.session().await, issued.tokens[4].clone());
    stage.browser.click("#logout").await;
    stage.browser.until("document.querySelector('[name=logout]') !== null").await;
    assert_eq!(stage.get("/api/orders", &session).send().await.unwrap().status(), 401);
    assert!(!stage.auth0.refreshes(&refresh_token).await);
    stage.browser.click("[name=logout]").await;
    stage.answer_is("sign in first").await;
    stage.nothing_leaked().await;

    // So that the next person can sign in. What the API refuses (F62), the page can say.
    stage.sign_in("auth0|bob").await;
    assert_ne!(stage.session().await, session);
    stage.browser.click("#create").await;
    stage.answer_is("You lack create:orders.").await;
    let refused = stage.recorder.last(&Method::POST, "/api/orders");
    assert_eq!(refused.status, 403);
    let challenge = crate::support::challenge(refused.field("www-authenticate"));
    assert_eq!(challenge.parameter("error"), Some("insufficient_scope"));
    assert_eq!(challenge.parameter("scope"), Some("create:orders"));
    stage.nothing_leaked().await;
    stage.browser.close().await;
}
