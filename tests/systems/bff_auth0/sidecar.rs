//! The same with the sidecar before an API in any language.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use super::stage::{AUDIENCE, Stage};
use crate::sidecar_support::{Recorded, Sidecar, Upstream};
use crate::support;
use crate::support::oidc_provider::client;

const RULES: &str = r#"
    [[rule]]
    methods = ["GET"]
    path = "/orders"
    scopes = ["read:orders"]
    [[rule]]
    path = "/orders"
    scopes = ["create:orders"]
    [[rule]]
    path = "/orders/import"
    scopes = ["import:orders"]
    callers = "clients"
    [[rule]]
    path = "/me"
    callers = "users"
"#;

fn orders(request: &Recorded) -> Response<Full<Bytes>> {
    let subject = request.field("x-auth-subject").unwrap_or("nobody");
    Response::new(Full::from(format!("orders of {subject}")))
}

async fn guarded(issuer: &str) -> (std::net::SocketAddr, (Sidecar, Upstream)) {
    let upstream = Upstream::answering::<Full<Bytes>>(orders).await;
    let sidecar = Sidecar::trusting(issuer, upstream.address())
        .with("PORTCULLIS_AUDIENCE", AUDIENCE)
        .with("PORTCULLIS_PRESET", "auth0")
        .rules(RULES)
        .start();
    (sidecar.address(), (sidecar, upstream))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sidecar_stands_between_the_bff_and_any_api() {
    let Some(mut stage) = Stage::before(AUDIENCE, guarded).await else { return };
    stage.sign_in("auth0|carol").await;
    let session = stage.session().await;
    let (sidecar, upstream) = &stage.api;
    assert_eq!(upstream.take_one().field("authorization"), None);

    let machine = stage.auth0.machine_token(AUDIENCE).await;
    let post = |path: &str| {
        client().post(format!("http://{}{path}", sidecar.address())).bearer_auth(&machine).send()
    };
    let imported = post("/orders/import").await.unwrap();
    assert_eq!(imported.text().await.unwrap(), "orders of worker@clients");
    assert_eq!(upstream.take().len(), 1);

    let me = stage.get("/api/me", &session).send().await.unwrap();
    assert_eq!(me.text().await.unwrap(), "orders of auth0|carol");
    assert_eq!(upstream.take().len(), 1);

    // What the sidecar says to a person comes through the BFF.
    let forbidden = Some("insufficient_scope");
    let me = client().get(format!("http://{}/me", sidecar.address())).bearer_auth(&machine);
    for (answer, error, scope) in [
        (post("/orders").await, forbidden, Some("create:orders")),
        (stage.post("/api/orders", &session).send().await, forbidden, Some("create:orders")),
        // Has the permission, and is no machine.
        (stage.post("/api/orders/import", &session).send().await, None, None),
        // And the reverse.
        (me.send().await, None, None),
    ] {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 403);
        let challenge = support::challenge(answer.headers()["www-authenticate"].to_str().unwrap());
        assert_eq!((challenge.parameter("error"), challenge.parameter("scope")), (error, scope));
    }
    assert!(upstream.take().is_empty());
    stage.browser.close().await;
}
