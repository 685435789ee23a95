//! An axum application with the rules on its routes.

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::{HeaderMap, Request};
use portcullis::AccessToken;
use tower::ServiceExt;

use crate::seen;
use crate::table::{Answer, Front, Stage, check};

struct Axum(Router);

#[tokio::test]
async fn an_axum_application_decides_as_the_table_says() {
    check(async |stage: &Stage| {
        let server = stage.server();
        let mut app = Router::new();
        for rule in &stage.rules {
            app = app.route(
                &rule.path,
                match rule.requirement() {
                    Some(requirement) if rule.hide => {
                        any(told).layer(server.require(requirement).hidden())
                    }
                    Some(requirement) => any(told).layer(server.require(requirement)),
                    None => any(async || seen::fields(None)),
                },
            );
        }
        Axum(app.fallback_service(any(told).layer(server.authenticate())))
    })
    .await;
}

impl Front for Axum {
    const SEES_CERTIFICATES: bool = true;

    async fn ask(&self, request: Request<()>) -> Answer {
        seen::answer(&self.0.clone().oneshot(request.map(|()| Body::empty())).await.unwrap())
    }
}

async fn told(token: AccessToken) -> HeaderMap {
    seen::fields(Some(&token))
}
