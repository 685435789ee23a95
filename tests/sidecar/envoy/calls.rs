//! The port itself, asked by others than Envoy.

use bytes::Bytes;
use http_body_util::{Empty, Full};

use super::gateway::{Gateway, asked_by_envoy};
use crate::support::{Http2, Identity, Upstream, authority, bearer, get, request};

const GRPC: &str = "content-type: application/grpc\r\nte: trailers\r\n";
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_to_check_is_answered_with_a_decision() {
    let sidecar = asked_by_envoy(authority().await.issuer_url()).start();
    let mut client = Http2::open(sidecar.address()).await;
    for message in [&b""[..], b"\0\0\0\0\0", b"\0\0\0\0\x02\x0A\xFF", b"\x01\0\0\0\0", b"\0\0\0"] {
        let body = Full::new(Bytes::from_static(message));
        let call = request("POST", CHECK, GRPC).body(body).unwrap();
        let (answer, trailers) = client.send(call).await;
        assert_eq!(answer.status(), 200, "{message:?}");
        assert_eq!(trailers["grpc-status"], "0", "{message:?}");
        // A status that is not OK, and no `ok_response`: UNAVAILABLE and 503.
        assert_eq!(answer.body()[5..9], [0x0A, 2, 0x08, 14], "{message:?}");
        let text = String::from_utf8_lossy(answer.body());
        assert!(text.contains("does not say which method and path"), "{text}");
    }
    sidecar.wait_for_stdout(" 503 bad_request:original_missing ");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_other_service_and_no_other_protocol() {
    let authority = authority().await;
    let sidecar = asked_by_envoy(authority.issuer_url()).start();
    let mut client = Http2::open(sidecar.address()).await;
    for method in ["/grpc.health.v1.Health/Check", "/envoy.service.auth.v2.Authorization/Check"] {
        let call = request("POST", method, GRPC).body(Empty::new()).unwrap();
        let (answer, trailers) = client.send(call).await;
        assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0), "{method}");
        assert_eq!(answer.headers()["grpc-status"], "12", "{method}");
        assert!(trailers.is_empty());
    }
    let token = bearer(&authority.token());
    assert_eq!(client.get(CHECK, "").await.status(), 503);
    for path in [CHECK, "/", "/readyz", "/metrics"] {
        assert_eq!(get(sidecar.address(), path, &token).status, 503, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_can_ask_over_tls() {
    let (authority, identity) = (authority().await, Identity::new());
    let sidecar = asked_by_envoy(authority.issuer_url())
        .with_file("PORTCULLIS_TLS_CERT_FILE", &identity.certificate)
        .with_file("PORTCULLIS_TLS_KEY_FILE", &identity.key)
        .start();
    let kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let context = format!("{{ \"@type\": {kind} }}");
    let tls = format!("{{ name: envoy.transport_sockets.tls, typed_config: {context} }}");
    let edit = |example: String| {
        let place = "    connect_timeout: 0.1s\n";
        assert!(example.contains(place));
        example.replace(place, &format!("    connect_timeout: 1s\n    transport_socket: {tls}\n"))
    };
    let Some(gateway) = Gateway::with(sidecar, Upstream::start().await, edit) else { return };
    assert_eq!(get(gateway.address(), "/orders", "").status, 401);
    assert_eq!(get(gateway.address(), "/orders", &bearer(&authority.token())).status, 200);
    assert_eq!(gateway.seen().len(), 1);
}
