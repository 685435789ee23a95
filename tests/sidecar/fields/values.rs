//! What the identity fields say.

use portcullis::testing::TokenBuilder;
use serde_json::json;

use crate::support::{Sidecar, Upstream, authority, bearer, get};

#[tokio::test(flavor = "multi_thread")]
async fn hdr_15_claims_become_fields_or_nothing() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority)
        .with("PORTCULLIS_CLAIM_HEADERS", "x-claim=claim x-other=other")
        .start();
    for (claim, expected) in [
        (json!("plain"), Some("plain".as_bytes())),
        (json!("a b"), Some(b"a b")),
        (json!("Zoë 日本"), Some("Zoë 日本".as_bytes())),
        (json!("a\tb"), Some(b"a\tb")),
        (json!(["a", "b c", "d,e"]), Some(br#"["a","b c","d,e"]"#)),
        (json!(["ö", "𝄞", "\n"]), Some(br#"["\u00f6","\ud834\udd1e","\n"]"#)),
        (json!([]), Some(b"[]")),
        (json!({"a": [1, null]}), Some(br#"{"a":[1,null]}"#)),
        (json!(17), Some(b"17")),
        (json!(-1.5), Some(b"-1.5")),
        (json!(false), Some(b"false")),
        (json!(null), None),
        (json!(""), None),
        (json!("a\r\nx-other: forged"), None),
        (json!("a\nb"), None),
        (json!("a\0b"), None),
        (json!("\u{7f}"), None),
        (json!("\u{1b}[31m"), None),
        (json!(" admin"), None),
        (json!("admin "), None),
        (json!("admin\t"), None),
    ] {
        let token = bearer(&authority.token().claim("claim", &claim));
        assert_eq!(get(sidecar.address(), "/", &format!("{token}x-claim: x\r\n")).status, 200);
        let seen = upstream.take_one();
        let values: Vec<_> = seen.headers.get_all("x-claim").iter().map(|v| v.as_bytes()).collect();
        assert_eq!(values, Vec::from_iter(expected), "{claim}");
        assert_eq!(seen.field("x-other"), None, "{claim}");
    }
    let absent = bearer(&authority.token());
    assert_eq!(get(sidecar.address(), "/", &format!("{absent}x-claim: x\r\n")).status, 200);
    assert_eq!(upstream.take_one().field("x-claim"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_15_the_scope_is_what_counts() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let orders = |token: TokenBuilder| token.scope("orders.read admin orders.write");
    for (ceiling, token, expected) in [
        ("", orders(authority.token()), Some("orders.read admin orders.write")),
        ("orders.*", orders(authority.token()), Some("orders.read orders.write")),
        ("orders.read profile", orders(authority.token()), Some("orders.read")),
        ("none", orders(authority.token()), None),
        ("*", authority.token().without("scope").claim("scp", ["a", "b"]), Some("a b")),
        ("", authority.token().without("scope"), None),
    ] {
        let sidecar = Sidecar::before(&upstream, &authority)
            .with("PORTCULLIS_ALLOWED_SCOPES", ceiling)
            .start();
        let fields = bearer(&token) + "X-Auth-Scope: admin\r\n";
        assert_eq!(get(sidecar.address(), "/", &fields).status, 200);
        assert_eq!(upstream.take_one().field("x-auth-scope"), expected, "{ceiling}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_16_the_token_goes_on_only_where_that_is_asked_for() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let token = bearer(&authority.token());
    let value = token.split_once(": ").unwrap().1.trim_end();
    for (setting, expected, proof) in
        [("", None, None), ("off", None, None), ("on", Some(value), Some("proof"))]
    {
        let sidecar = Sidecar::before(&upstream, &authority)
            .with("PORTCULLIS_FORWARD_TOKEN", setting)
            .rules("[[rule]]\npath = \"/public\"\npublic = true\n")
            .start();
        for path in ["/", "/public"] {
            let fields = format!("{token}DPoP: proof\r\nProxy-Authorization: Basic eDp5\r\n");
            assert_eq!(get(sidecar.address(), path, &fields).status, 200);
            let seen = upstream.take_one();
            // Nobody has verified it on a public route.
            let verified = path == "/";
            assert_eq!(
                seen.field("authorization"),
                expected.filter(|_| verified),
                "{setting} {path}"
            );
            assert_eq!(seen.field("dpop"), proof.filter(|_| verified), "{setting} {path}");
            assert_eq!(seen.field("proxy-authorization"), None, "{setting} {path}");
        }
    }
}
