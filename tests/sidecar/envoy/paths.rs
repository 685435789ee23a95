//! Paths: what Envoy makes plain, what we refuse, and that the service gets what was judged.

use super::gateway::{Gateway, asked_by_envoy};
use crate::support::{Upstream, authority, bearer, get};

const RULES: &str = r#"
[[rule]]
path = "/public/{*rest}"
public = true
[[rule]]
path = "/admin/{*rest}"
scopes = ["admin"]
"#;

/// With the example's settings: paths are made plain first.
#[tokio::test(flavor = "multi_thread")]
async fn what_envoy_makes_plain_is_judged_and_goes_on() {
    let authority = authority().await;
    let Some(gateway) = Gateway::start(&authority, RULES).await else { return };
    for (path, status, seen) in [
        ("/public/a?b=//", 200, Some("/public/a?b=//")),
        ("/admin/../public/a", 200, Some("/public/a")),
        ("/public/../admin/a", 401, None),
        ("/public//a", 200, Some("/public/a")),
        ("//admin/a", 401, None),
        ("/public/%61", 200, Some("/public/a")),
        ("/%61dmin/a", 401, None),
        ("/public/%C3%A4", 200, Some("/public/%C3%A4")),
        ("/public/%c3%a4", 200, Some("/public/%c3%a4")),
        ("/public/%2e%2e/admin/a", 401, None),
        ("/public\\..\\admin", 401, None),
        ("/public/..%2Fadmin", 400, None),
        ("/public/..%5Cadmin", 400, None),
        ("/public/a;b", 400, None),
        ("/public/%00", 400, None),
        ("/public/%252e%252e/admin", 400, None),
        ("/public/%EF%BC%8F", 400, None),
        ("/public/a#b", 400, None),
    ] {
        let answer = get(gateway.address(), path, "");
        let came = gateway.seen();
        let came: Vec<_> = came.iter().map(|request| request.uri.to_string()).collect();
        assert_eq!(answer.status, status, "{path} {came:?} {}", answer.text());
        assert_eq!(came, seen.into_iter().collect::<Vec<_>>(), "{path}");
    }
}

/// Without them, what could be read in two ways is refused here.
#[tokio::test(flavor = "multi_thread")]
async fn what_envoy_leaves_as_it_is_is_refused_where_it_is_not_plain() {
    let authority = authority().await;
    let sidecar = asked_by_envoy(authority.issuer_url()).rules(RULES).start();
    let edit = |example: String| {
        let keep = [("normalize_path: true", "normalize_path: false")];
        let keep = keep.into_iter().chain([
            ("merge_slashes: true", "merge_slashes: false"),
            (
                "action: REJECT_REQUEST\n          common",
                "action: KEEP_UNCHANGED\n          common",
            ),
        ]);
        keep.fold(example, |example, (from, to)| {
            assert!(example.contains(from), "{from}");
            example.replace(from, to)
        })
    };
    let Some(gateway) = Gateway::with(sidecar, Upstream::start().await, edit) else { return };
    let token = bearer(&authority.token());
    for path in [
        "/admin/../public/a",
        "/public/../admin/a",
        "/public//a",
        "//public/a",
        "/%70ublic/a",
        "/public/%61",
        "/public/%2e%2e/admin/a",
        "/public/..%2Fadmin",
        "/public/a\\b",
        "/public/a|b",
        "/public/./a",
    ] {
        for lines in ["", &token] {
            assert_eq!(get(gateway.address(), path, lines).status, 400, "{path}");
        }
    }
    assert!(gateway.seen().is_empty());
    for path in ["/public/a", "/public/%C3%A4", "/public/%c3%a4", "/public/a?%61/../"] {
        assert_eq!(get(gateway.address(), path, "").status, 200, "{path}");
        assert_eq!(gateway.service.take_one().uri, path);
    }
}
