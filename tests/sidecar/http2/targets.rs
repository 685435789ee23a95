//! For whom a request is, and methods that are none of ours.

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::Empty;

use crate::support::{Http2, Sidecar, Upstream, authority, bearer};

/// A request whose target has this authority, and these fields named `Host`.
fn request(method: &str, authority: &str, hosts: &[&str], token: &str) -> Request<Empty<Bytes>> {
    let mut request = Request::builder().method(method).uri(format!("http://{authority}/a?b"));
    for host in hosts {
        request = request.header("host", *host);
    }
    let (name, value) = token.trim_end().split_once(": ").unwrap();
    request.header(name, value).body(Empty::new()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn authority_and_host_agree_or_the_request_is_refused() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let token = bearer(&authority.token());
    for scheme in ["http", "h2c"] {
        let sidecar = Sidecar::before(&upstream, &authority)
            .with("PORTCULLIS_UPSTREAM", &format!("{scheme}://{}", upstream.address()))
            .start();
        let mut client = Http2::open(sidecar.address()).await;
        for (host, hosts, status) in [
            ("api.example", &[][..], 200),
            ("api.example:8443", &[], 200),
            ("api.example", &["api.example"], 200),
            ("api.example", &["API.example"], 200),
            ("api.example", &["other.example"], 400),
            ("api.example", &["api.example:80"], 400),
            ("api.example", &["api.example", "api.example"], 400),
            ("api.example", &[""], 400),
        ] {
            let (answer, _) = client.send(request("GET", host, hosts, &token)).await;
            assert_eq!(answer.status(), status, "{scheme} {host} {hosts:?}");
            let seen = upstream.take();
            assert_eq!(seen.len(), usize::from(status == 200), "{scheme} {host} {hosts:?}");
            for seen in seen {
                let (told, version) = match scheme {
                    "http" => (seen.field("host"), Version::HTTP_11),
                    _ => (seen.uri.authority().map(|found| found.as_str()), Version::HTTP_2),
                };
                assert_eq!((told, seen.version), (Some(host), version));
                assert_eq!(seen.uri.path_and_query().unwrap(), "/a?b");
                assert_eq!(seen.field("x-forwarded-host"), Some(host));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_and_trace_are_405_without_and_with_a_token() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).start();
    let mut client = Http2::open(sidecar.address()).await;
    for token in [bearer(&authority.token()), "x: y\r\n".to_owned()] {
        let (answer, _) = client.send(request("TRACE", "api.example", &[], &token)).await;
        assert_eq!(answer.status(), 405);
        // Of a CONNECT, a good client sends the authority alone.
        let (answer, _) = client.send(request("CONNECT", "api.example:443", &[], &token)).await;
        assert_eq!(answer.status(), 405);
    }
    assert!(upstream.take().is_empty());
    // The connection goes on, as streams cannot be mistaken for one another.
    assert_eq!(client.get("/", &bearer(&authority.token())).await.status(), 200);
}
