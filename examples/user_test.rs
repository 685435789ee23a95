//! How to test a protected service of your own, without a socket and without waiting.
//!
//!     cargo test --example user_test --features axum,testing

use axum::{Router, routing::get};
use portcullis::{AccessToken, ResourceServer, scope};

/// The service, as it is in production: who may be trusted is an argument.
fn app(api: &ResourceServer) -> Router {
    async fn orders(token: AccessToken) -> String {
        format!("orders of {}", token.subject())
    }
    Router::new().route("/orders", get(orders).route_layer(api.require(scope("orders.read"))))
}

fn main() {
    println!("This example is a test: cargo test --example user_test --features axum,testing");
    let _ = app;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use http::{Request, Response, StatusCode};
    use portcullis::testing::{Authority, Outage};
    use tower::ServiceExt;

    use super::app;

    async fn get(authority: &Authority, token: &str) -> Response<Body> {
        let api = authority.resource_server().build().unwrap();
        let request = Request::get("/orders")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        app(&api).oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_reader_sees_orders() {
        let authority = Authority::new();
        let token = authority.token().subject("alice").scope("orders.read").mint();
        assert_eq!(get(&authority, &token).await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn others_are_told_what_they_need() {
        let authority = Authority::new();
        let token = authority.token().scope("profile").mint();
        let response = get(&authority, &token).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(r#"scope="orders.read""#));
    }

    #[tokio::test]
    async fn tokens_expire() {
        let authority = Authority::new();
        let token =
            authority.token().scope("orders.read").expires_in(Duration::from_secs(60)).mint();
        assert_eq!(get(&authority, &token).await.status(), StatusCode::OK);
        authority.clock().advance(Duration::from_secs(3600));
        assert_eq!(get(&authority, &token).await.status(), StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn an_outage_is_not_the_callers_fault() {
        let authority = Authority::new();
        authority.set_outage(Outage::Everything);
        let token = authority.token().scope("orders.read").mint();
        let response = get(&authority, &token).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
    }
}
