//! Where a request comes from, as proxies tell it.

use crate::support::{Http2, Sidecar, Upstream, authority, bearer, get};

/// What clients send to be taken for somebody else.
const TOLD: &str = "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n\
    X-Forwarded-Host: shop.example\r\nX-Forwarded-Proto: https\r\n\
    X-Forwarded-Port: 443\r\nX-Forwarded-Prefix: /shop\r\nX-Forwarded-User: root\r\n\
    Forwarded: for=203.0.113.9;host=shop.example;proto=https\r\n\
    X-Real-IP: 203.0.113.9\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\n\
    X-Original-Method: GET\r\nX-Client-IP: 203.0.113.9\r\nTrue-Client-IP: 203.0.113.9\r\n\
    CF-Connecting-IP: 203.0.113.9\r\nX-Host: shop.example\r\nX-Scheme: https\r\n";

/// The same in spellings that no proxy uses.
const MISSPELT: &str = "X_Forwarded_For: 203.0.113.9\r\nX.Forwarded.Host: shop.example\r\n\
    x_real_ip: 203.0.113.9\r\nX_ORIGINAL_URL: /admin\r\nX-Forwarded_Proto: https\r\n";

/// Everything in the request that speaks of proxies, sorted.
fn told(upstream: &Upstream) -> Vec<String> {
    let request = upstream.take_one();
    let wanted =
        ["forwarded", "real", "original", "rewrite", "client-ip", "connecting", "x-host", "scheme"];
    let mut told: Vec<_> = request
        .headers
        .iter()
        .filter(|(name, _)| wanted.iter().any(|part| name.as_str().contains(part)))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    told.sort();
    told
}

const OURS: [&str; 4] = [
    "forwarded: for=127.0.0.1;host=\"api.example\";proto=http",
    "x-forwarded-for: 127.0.0.1",
    "x-forwarded-host: api.example",
    "x-forwarded-proto: http",
];

#[tokio::test(flavor = "multi_thread")]
async fn peers_that_are_not_trusted_are_not_believed() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let token = bearer(&authority.token());
    for trusted in ["", "192.0.2.0/24 2001:db8::/32"] {
        let sidecar = Sidecar::before(&upstream, &authority)
            .with("PORTCULLIS_TRUSTED_PROXIES", trusted)
            .start();
        let fields = format!("{token}{TOLD}{MISSPELT}");
        assert_eq!(get(sidecar.address(), "/", &fields).status, 200);
        assert_eq!(told(&upstream), OURS);
        let answer = Http2::open(sidecar.address()).await.get("/", &fields).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(told(&upstream), OURS);
        sidecar.wait_for_stdout(" 127.0.0.1 GET / 200 ");
        assert!(!sidecar.stdout().contains("198.51.100.7"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxys_account_is_extended() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let token = bearer(&authority.token());
    let sidecar = Sidecar::before(&upstream, &authority)
        .with("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.0/8")
        .start();
    let fields = format!("{token}{TOLD}{MISSPELT}");
    assert_eq!(get(sidecar.address(), "/", &fields).status, 200);
    assert_eq!(
        told(&upstream),
        [
            "forwarded: for=203.0.113.9;host=shop.example;proto=https, \
             for=127.0.0.1;host=\"api.example\";proto=http",
            "x-forwarded-for: 203.0.113.9, 198.51.100.7, 127.0.0.1",
            "x-forwarded-host: shop.example",
            "x-forwarded-port: 443",
            "x-forwarded-prefix: /shop",
            "x-forwarded-proto: https",
            "x-real-ip: 203.0.113.9",
        ]
    );
    // The last address that is no proxy's.
    sidecar.wait_for_stdout(" 198.51.100.7 GET / 200 ");
    // What it does not tell is told for it.
    assert_eq!(get(sidecar.address(), "/", &token).status, 200);
    assert_eq!(told(&upstream), OURS);
}
