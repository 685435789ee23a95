//! Clients that speak gRPC, and what they hear of a refusal.

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::Full;
use portcullis::testing::{Authority, Outage};

use super::gateway::{Gateway, asked_by_envoy};
use crate::support::{Http2, Upstream, authority, bearer, request};

const RULES: &str = "[[rule]]\npath = \"/shop.Orders/List\"\nscopes = [\"orders.read\"]\n";

/// Fields of the answer, which has no body: a refusal is trailers alone.
async fn call(gateway: &Gateway, method: &str, token: &str) -> HeaderMap {
    let lines = format!("content-type: application/grpc\r\nte: trailers\r\n{token}");
    let body = Full::new(Bytes::from_static(b"\0\0\0\0\0"));
    let request = request("POST", method, &lines).body(body).unwrap();
    let (answer, _) = Http2::open(gateway.address()).await.send(request).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    assert!(answer.body().is_empty());
    answer.headers().clone()
}

async fn table(authority: &Authority, gateway: &Gateway) {
    let weak = bearer(&authority.token().scope("other"));
    for (row, method, token, code, message, error) in [
        ("no token", "List", "", "16", "An access token is required", None),
        (
            "bad token",
            "List",
            "authorization: Bearer x.y.z\r\n",
            "16",
            "The access token is malformed",
            Some("invalid_token"),
        ),
        (
            "envoy_07: malformed",
            "List",
            "authorization: Bearer a b\r\n",
            "16",
            "The Authorization header is malformed",
            Some("invalid_request"),
        ),
        (
            "wrong scope",
            "List",
            &*weak,
            "7",
            "The access token lacks scope that this request needs",
            Some("insufficient_scope"),
        ),
        ("no rule", "Drop", "", "16", "An access token is required", None),
    ] {
        let fields = call(gateway, &format!("/shop.Orders/{method}"), token).await;
        assert_eq!(fields["grpc-status"], code, "{row}");
        assert_eq!(fields["grpc-message"], message, "{row}");
        let challenge = fields["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer realm=\"resource\""), "{row}: {challenge}");
        let told = error.map(|error| format!("error=\"{error}\""));
        assert!(told.is_none_or(|told| challenge.contains(&told)), "{row}: {challenge}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_07_grpc_clients_see_the_code_the_message_and_the_challenge() {
    let authority = authority().await;
    let Some(gateway) = Gateway::start(&authority, RULES).await else { return };
    table(&authority, &gateway).await;
    assert!(gateway.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_07_grpc_clients_see_14_while_there_are_no_keys() {
    let authority = authority().await;
    authority.set_outage(Outage::Everything);
    let sidecar = asked_by_envoy(authority.issuer_url()).rules(RULES).start_unready();
    let service = Upstream::start().await;
    let Some(gateway) = Gateway::with(sidecar, service, |example| example) else { return };
    let token = bearer(&authority.token().scope("orders.read"));
    let fields = call(&gateway, "/shop.Orders/List", &token).await;
    assert_eq!(fields["grpc-status"], "14");
    assert_eq!(fields["grpc-message"], "Access tokens cannot be verified right now");
    assert!(!fields.contains_key("www-authenticate"));
    assert!(gateway.seen().is_empty());
}
