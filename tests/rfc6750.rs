//! Bearer tokens and challenges (RFC 6750, SPEC §1 to §4): what a client sees.

mod support;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use portcullis::{
    AccessToken, Issuer, Preflight, QueryToken, Rejection, RejectionKind, Requirement, acr, policy,
    scope, scope_pattern, users,
};
use serde_json::{Value, json};
use support::fixture::{Answer, Expected, Fixture, TIMES, bearer, get, kind, send, send_through};
use tower::{Layer, ServiceExt, service_fn};

#[tokio::test]
async fn hdr_rows_what_is_presented_decides_f01_f02_f03_f05_f06_f07_f15() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let at = fixture.good();
    let bearer = |text: String| text.into_bytes();
    let large = "a".repeat(16_385);
    let rows: Vec<(&str, Vec<Vec<u8>>, Expected)> = vec![
        ("HDR-01", vec![bearer(format!("Bearer {at}"))], Expected::Ok),
        ("HDR-02", vec![bearer(format!("bEaReR {at}"))], Expected::Ok),
        ("HDR-03", vec![bearer(format!("Bearer   {at}"))], Expected::Ok),
        ("HDR-03 F05", vec![bearer(format!("Bearer\t{at}"))], Expected::InvalidRequest),
        ("HDR-04 F05", vec![bearer(format!("Bearer {at},x"))], Expected::InvalidRequest),
        ("HDR-04 F05", vec![bearer(format!("Bearer {at} x"))], Expected::InvalidRequest),
        ("HDR-04 F05", vec![b"Bearer a\x80".to_vec()], Expected::InvalidRequest),
        ("HDR-05 F05", vec![b"Bearer".to_vec()], Expected::InvalidRequest),
        ("HDR-06 F01", vec![], Expected::Invitation),
        ("HDR-07 F02", vec![b"".to_vec()], Expected::Invitation),
        ("HDR-08 F03", vec![b"Basic dTpw".to_vec()], Expected::Invitation),
        ("HDR-08 F03", vec![bearer(format!("DPoP {at}"))], Expected::Invitation),
        ("HDR-08 F03", vec![bearer(format!("Bearerx {at}"))], Expected::Invitation),
        ("HDR-08 F03", vec![bearer(format!("Bearer{at}"))], Expected::Invitation),
        ("HDR-08 F03", vec![bearer(format!("Bearer: {at}"))], Expected::Invitation),
        (
            "HDR-09 F06",
            vec![bearer(format!("Bearer {at}")), bearer(format!("Bearer {at}"))],
            Expected::InvalidRequest,
        ),
        (
            "HDR-10 F07",
            vec![bearer(format!("Bearer {at}")), bearer(format!("DPoP {at}"))],
            Expected::InvalidRequest,
        ),
        ("HDR-11", vec![bearer(format!("Bearer {at}, Bearer {at}"))], Expected::InvalidRequest),
        ("HDR-12 F15", vec![bearer(format!("Bearer {large}"))], Expected::InvalidRequest),
    ];
    for (row, fields, expected) in rows {
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        send(&server, get(&fields)).await.is(expected, row);
    }
    let mut request = get(&[]);
    let proxy = format!("Bearer {at}").parse().unwrap();
    request.headers_mut().insert("proxy-authorization", proxy);
    send(&server, request).await.is(Expected::Invitation, "HDR-13");
}

/// What came by another way than the field is judged as what stands after the scheme in it.
#[tokio::test]
async fn hdr_04_hdr_12_jws_01_jws_02_tokens_that_came_by_another_way() {
    use RejectionKind::{EncryptedToken, MalformedCredentials, MalformedToken, TokenTooLarge};
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let at = fixture.good();
    let (large, spaces) = ("a".repeat(16_385), " ".repeat(16_385));
    for (token, expected) in [
        ("", MalformedCredentials),
        ("=", MalformedCredentials),
        (" ", MalformedCredentials),
        (&format!(" {at}"), MalformedCredentials),
        (&format!("{at} "), MalformedCredentials),
        (&format!("{at}\n"), MalformedCredentials),
        (&format!("{at}\0"), MalformedCredentials),
        ("a.b.c=d", MalformedCredentials),
        ("a,b.c.d", MalformedCredentials),
        ("a.b.c.d.é", MalformedCredentials),
        (&spaces, TokenTooLarge),
        (&large, TokenTooLarge),
        ("opaque", MalformedToken),
        (&format!("{at}="), MalformedToken),
        ("a+b.c.d", MalformedToken),
        ("a.b.c~", MalformedToken),
        ("....", EncryptedToken),
        (".....", MalformedToken),
    ] {
        assert_eq!(kind(&server, token).await, Err(expected), "{token:.80?}");
    }
}

#[tokio::test]
async fn bearer_rows_other_ways_to_present_a_token_f08_f09_f10() {
    let fixture = Fixture::new();
    let refusing = fixture.builder().build().unwrap();
    let ignoring = fixture.builder().query_token(QueryToken::Ignore).build().unwrap();
    let at = fixture.good();
    let with_query = |query: &str, token: Option<&str>| {
        let mut request = token.map_or_else(|| get(&[]), bearer);
        *request.uri_mut() = format!("/r?{query}").parse().unwrap();
        request
    };
    let only = send(&refusing, with_query(&format!("access_token={at}"), None)).await;
    only.is(Expected::Invitation, "BEARER-01 F08");
    let both = send(&refusing, with_query("access_token=x", Some(&at))).await;
    both.is(Expected::InvalidRequest, "BEARER-02 F09");
    let both = send(&refusing, with_query("access%5Ftoken=x", Some(&at))).await;
    both.is(Expected::InvalidRequest, "BEARER-03 F09");
    let other = send(&refusing, with_query("Access_Token=x", Some(&at))).await;
    other.is(Expected::Ok, "BEARER-03");
    let ignored = send(&ignoring, with_query("access_token=x", Some(&at))).await;
    ignored.is(Expected::Ok, "BEARER-02");

    // BEARER-05 F10: the body is not even looked at.
    let form = Request::post("/r")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Untouchable)
        .unwrap();
    let inner = service_fn(|_: Request<Untouchable>| async {
        Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let response = refusing.require(scope("read")).layer(inner).oneshot(form).await.unwrap();
    assert_eq!(response.status(), 401, "BEARER-05 F10");
}

/// A body that fails the test when anybody reads it.
struct Untouchable;

impl http_body::Body for Untouchable {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        panic!("the body was read");
    }
}

#[tokio::test]
async fn chal_02_chal_03_chal_04_chal_10_a_challenge_always_has_a_parameter() {
    let fixture = Fixture::new();
    let issuer = fixture.issuer().audience("https://rs.example");
    let server = support::server::builder().issuer(issuer).build().unwrap();
    let answer = send_through(&server, Requirement::none(), get(&[])).await;
    assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="resource""#));
}

#[tokio::test]
async fn chal_06_chal_07_configuration_outside_the_alphabets_is_refused() {
    let fixture = Fixture::new();
    assert!(portcullis::Scope::new("a\"b").is_err());
    for (setting, builder) in [
        ("error_uri", fixture.builder().error_uri("https://x/ä")),
        ("error_uri", fixture.builder().error_uri("https://x/\"")),
        ("error_uri", fixture.builder().error_uri("")),
        ("realm", fixture.builder().realm("é")),
        ("realm", fixture.builder().realm("a\r\nb")),
        ("realm", fixture.builder().realm("")),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.faults().len(), 1);
        assert_eq!(error.faults()[0].setting(), setting);
    }
    let server = fixture.builder().error_uri("https://x/help?a=b").build().unwrap();
    let answer = send(&server, bearer("x")).await;
    assert_eq!(answer.challenge().parameter("error_uri"), Some("https://x/help?a=b"));
    assert_eq!(send(&server, get(&[])).await.challenge().parameter("error_uri"), None);
}

#[tokio::test]
async fn chal_08_quotes_in_the_realm_arrive() {
    let server = Fixture::new().builder().realm("a\"b\\c").build().unwrap();
    let answer = send(&server, get(&[])).await;
    assert_eq!(answer.challenge().parameter("realm"), Some("a\"b\\c"));
    assert!(answer.header("www-authenticate").unwrap().contains(r#"realm="a\"b\\c""#));
}

#[tokio::test]
async fn chal_09_chal_15_nothing_of_the_token_reaches_the_answer() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let plain = send(&server, bearer(&fixture.at(json!({ "aud": "other" })))).await;
    let evil = "<script>\r\nX-Evil: 1\0\"é";
    let rows = [fixture.at(json!({ "aud": evil })), fixture.at(json!({ "aud": [evil] }))];
    for token in rows {
        let answer = send(&server, bearer(&token)).await;
        assert_eq!(answer.header("www-authenticate"), plain.header("www-authenticate"));
        assert_eq!(answer.response.body(), plain.response.body());
    }
    for token in [
        fixture.at(json!({ "iss": evil })),
        fixture.with_header(json!({ "kid": evil })),
        fixture.with_header(json!({ "typ": evil })),
        fixture.with_header(json!({ "alg": evil })),
    ] {
        let answer = send(&server, bearer(&token)).await;
        answer.is(Expected::InvalidToken, "CHAL-09");
        let text = format!("{answer:?}");
        assert!(!text.contains("<script") && !text.contains("Evil"), "{text}");
    }
}

#[tokio::test]
async fn chal_01_chal_13_chal_16_chal_17_every_kind_is_answered_as_its_row_says() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    for kind in RejectionKind::all() {
        let rejection = server.reject(kind);
        let response = rejection.to_response();
        let status = response.status().as_u16();
        let expected_grpc = match status {
            400 | 401 => 16,
            403 => 7,
            404 => 5,
            409 => 10,
            503 => 14,
            500 => 13,
            other => panic!("{kind:?} is answered with {other}"),
        };
        assert_eq!(rejection.grpc_code(), expected_grpc, "{kind:?}");
        let challenges = response.headers().get_all("www-authenticate").iter().count();
        let is_about_the_token = !matches!(status, 404 | 409 | 500..);
        assert_eq!(challenges, usize::from(is_about_the_token), "{kind:?}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{kind:?}");
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["status"], status, "{kind:?}");
        assert_eq!(body["detail"], rejection.description(), "{kind:?}");
        assert_eq!(body["error"].as_str(), rejection.error(), "{kind:?}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
}

/// Clients and people build on these; a change here is a change of the interface.
#[test]
fn chal_15_the_description_of_every_kind() {
    let server = Fixture::new().builder().build().unwrap();
    let written: Vec<String> = RejectionKind::all()
        .map(|kind| {
            let rejection = server.reject(kind);
            format!("{kind:?} {} {}", rejection.status().as_u16(), rejection.description())
        })
        .collect();
    let expected = [
        "MissingCredentials 401 An access token is required",
        "MalformedCredentials 400 The Authorization header is malformed",
        "MultipleCredentials 400 The request has more than one Authorization header",
        "CredentialsInQuery 400 The request has an access token in both header and query",
        "TokenTooLarge 400 The access token is too large",
        "MalformedToken 401 The access token is malformed",
        "EncryptedToken 401 Encrypted access tokens are not accepted",
        "AlgorithmNotAllowed 401 The access token is signed with an algorithm that is not accepted",
        "UnsupportedExtension 401 The access token uses an extension that is not supported",
        "WrongTokenType 401 The token is not an access token",
        "UntrustedIssuer 401 The access token is from an issuer not accepted here",
        "UnknownKey 401 The signature of the access token cannot be verified",
        "BadSignature 401 The signature of the access token cannot be verified",
        "MissingClaim 401 The access token lacks a required claim",
        "MalformedClaim 401 The access token has a malformed claim",
        "Expired 401 The access token expired",
        "NotYetValid 401 The access token is not valid yet",
        "Inactive 401 The access token is not active",
        "WrongAudience 401 The access token is meant for another audience",
        "SenderConstrained 401 The access token is bound to a key that was not proven",
        "RequiredClaimNotMet 401 The access token is not meant for this use",
        "WrongTenant 401 The access token is not meant for this use",
        "InsufficientUserAuthentication 401 A more recent or a stronger authentication is required",
        "InsufficientScope 403 The access token lacks scope that this request needs",
        "Forbidden 403 This request is not allowed with this access token",
        "Hidden 404 There is nothing here",
        "KeysUnavailable 503 Access tokens cannot be verified right now",
        "IntrospectionUnavailable 503 Access tokens cannot be verified right now",
        "Conflict 409 The authorization server reports a conflict about the access token",
        "Internal 500 The request could not be judged",
    ];
    assert_eq!(written, expected);
    for kind in [RejectionKind::KeysUnavailable, RejectionKind::IntrospectionUnavailable] {
        assert_eq!(server.reject(kind).retry_after(), Some(1));
    }
}

#[tokio::test]
async fn a_403_asks_for_scope_only_where_following_it_helps_f62_f67() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let narrow = fixture.builder_with(fixture.issuer().allowed_scopes("b")).build().unwrap();
    let machine = fixture.at(json!({ "sub": "c1", "scope": "read" }));
    let people_or_admins = || users().and(scope("read")).or(scope("admin"));
    let answer = send_through(&server, people_or_admins(), bearer(&machine)).await;
    answer.is(Expected::Denied, "it has what would be advertised");
    let either = || scope("a").or(scope("b"));
    let a = fixture.at(json!({ "scope": "a" }));
    send_through(&narrow, either(), bearer(&a)).await.is(Expected::Denied, "beyond the ceiling");
}

#[tokio::test]
async fn chal_18_cross_origin_scripts_may_read_the_challenge() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let mut request = get(&[]);
    request.headers_mut().insert("origin", "https://spa.example".parse().unwrap());
    let answer = send(&server, request).await;
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("WWW-Authenticate") && exposed.contains("DPoP-Nonce"));
    let same_origin = send(&server, get(&[])).await;
    assert_eq!(same_origin.header("access-control-expose-headers"), None);
}

#[tokio::test]
async fn chal_19_preflights_pass_and_plain_options_do_not() {
    let fixture = Fixture::new();
    let passing = fixture.builder().build().unwrap();
    let strict = fixture.builder().preflight(Preflight::Authenticate).build().unwrap();
    let options = |preflight: bool| {
        let mut request = get(&[]);
        *request.method_mut() = Method::OPTIONS;
        request.headers_mut().insert("origin", "https://spa.example".parse().unwrap());
        if preflight {
            let method = "POST".parse().unwrap();
            request.headers_mut().insert("access-control-request-method", method);
        }
        request
    };
    let answer = send(&passing, options(true)).await;
    assert_eq!((answer.status(), &answer.response.body()[..]), (200, &b"anonymous"[..]));
    for method in [Method::GET, Method::POST, Method::HEAD, Method::TRACE] {
        let mut request = options(true);
        *request.method_mut() = method.clone();
        send(&passing, request).await.is(Expected::Invitation, method.as_str());
    }
    for name in ["origin", "access-control-request-method"] {
        let mut absent = options(true);
        absent.headers_mut().remove(name);
        send(&passing, absent).await.is(Expected::Invitation, name);
        let mut empty = options(true);
        empty.headers_mut().insert(name, "".parse().unwrap());
        send(&passing, empty).await.is(Expected::Invitation, name);
    }
    // A token is not looked at, good or bad.
    let mut with_token = options(true);
    let field = format!("Bearer {}", fixture.good()).parse().unwrap();
    with_token.headers_mut().insert("authorization", field);
    let answer = send(&passing, with_token).await;
    assert_eq!(&answer.response.body()[..], b"anonymous");
    send(&passing, options(false)).await.is(Expected::Invitation, "CHAL-19");
    send(&strict, options(true)).await.is(Expected::Invitation, "CHAL-19");
}

#[tokio::test]
async fn chal_21_head_gets_the_fields_without_content() {
    let server = Fixture::new().builder().build().unwrap();
    let mut request = get(&[]);
    *request.method_mut() = Method::HEAD;
    let answer = send(&server, request).await;
    answer.is(Expected::Invitation, "CHAL-21");
    assert!(answer.response.body().is_empty());
    let full = send(&server, get(&[])).await;
    let length = full.response.body().len().to_string();
    assert_ne!(length, "0");
    assert_eq!(answer.header("content-length"), Some(length.as_str()));
}

#[tokio::test]
async fn scope_rows_what_a_token_may_do_f38_f62() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let strict = fixture
        .builder_with(fixture.issuer().profile(portcullis::Profile::Rfc9068))
        .build()
        .unwrap();
    let short = Expected::InsufficientScope;
    for (row, claims, expected) in [
        ("SCOPE-01", json!({ "scope": "READ" }), short),
        ("SCOPE-02", json!({ "scope": "write x read" }), Expected::Ok),
        ("SCOPE-03", json!({ "scope": "x\u{a0}read" }), short),
        ("SCOPE-03", json!({ "scope": "x\tread" }), short),
        ("SCOPE-03 L10", json!({ "scope": " write  read " }), Expected::Ok),
        ("SCOPE-04", json!({ "scope": "réad read" }), Expected::Ok),
        ("SCOPE-04", json!({ "scope": "r\"ead" }), short),
        ("SCOPE-05", json!({ "scope": null }), short),
        ("SCOPE-05", json!({ "scope": "" }), short),
        ("SCOPE-06 F38", json!({ "scope": 7 }), Expected::InvalidToken),
        ("SCOPE-06 F38", json!({ "scope": {} }), Expected::InvalidToken),
        ("SCOPE-06 F38", json!({ "scope": "<null>" }), Expected::InvalidToken),
        ("SCOPE-06 F38", json!({ "scope": ["read", 7] }), Expected::InvalidToken),
        ("SCOPE-06", json!({ "scope": ["read"] }), Expected::Ok),
        ("SCOPE-07", json!({ "scope": ["read write"] }), short),
        ("SCOPE-07", json!({ "scope": null, "scp": ["read"] }), Expected::Ok),
        ("SCOPE-07", json!({ "scope": null, "scp": "read" }), Expected::Ok),
        ("first present wins", json!({ "scope": "x", "scp": "read" }), short),
        ("not configured", json!({ "scope": null, "permissions": ["read"] }), short),
        ("SCOPE-08 F62", json!({ "scope": "write" }), short),
        ("AT-12", json!({ "scope": "", "roles": ["read"] }), short),
        ("WILD-08 257 elements", json!({ "scope": "x ".repeat(257) }), Expected::InvalidToken),
        ("WILD-08 8193 bytes", json!({ "scope": "x".repeat(8193) }), Expected::InvalidToken),
        ("L11 L13 WILD-06", json!({ "scope": "r* * re*d" }), short),
    ] {
        send(&server, bearer(&fixture.at(claims))).await.is(expected, row);
    }
    let array = fixture.at(json!({ "scope": ["read"] }));
    send(&strict, bearer(&array)).await.is(Expected::InvalidToken, "SCOPE-06 strict");
    let none = fixture.at(json!({ "scope": null }));
    send_through(&server, Requirement::none(), bearer(&none)).await.is(Expected::Ok, "SCOPE-05");

    let issuer = fixture.issuer().scope_claims(["permissions"]);
    let auth0 = fixture.builder_with(issuer).build().unwrap();
    let permissions = fixture.at(json!({ "scope": "x", "permissions": ["read"] }));
    send(&auth0, bearer(&permissions)).await.is(Expected::Ok, "SCOPE-07 permissions");
}

#[tokio::test]
async fn scope_09_to_12_wild_10_to_13_what_is_advertised() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let narrow = fixture.builder_with(fixture.issuer().allowed_scopes("a*")).build().unwrap();
    let advertised = |answer: Answer| {
        assert_eq!(answer.status(), 403, "{answer:?}");
        answer.challenge().parameter("scope").map(str::to_owned)
    };
    let poor = fixture.at(json!({ "scope": "x" }));
    for (row, requirement, expected) in [
        ("SCOPE-09", scope("read").and(scope("write")), Some("read write")),
        ("SCOPE-10", scope("a").and(scope("b")).or(scope("c")), Some("a b")),
        ("WILD-11", scope_pattern("push.*").challenge_scope("push.send"), Some("push.send")),
        ("WILD-12", scope_pattern("push.*"), None),
        ("WILD-12", scope("read").and(scope_pattern("push.*")), Some("read")),
    ] {
        let answer = send_through(&server, requirement, bearer(&poor)).await;
        assert_eq!(advertised(answer).as_deref(), expected, "{row}");
    }
    let beyond = fixture.at(json!({ "scope": "xyz" }));
    let answer = send_through(&narrow, scope("xyz"), bearer(&beyond)).await;
    answer.is(Expected::Denied, "WILD-13");

    let quiet = fixture.builder().scope_on_401(false).build().unwrap();
    let answer = send(&quiet, get(&[])).await;
    assert_eq!(answer.challenge().parameter("scope"), None, "SCOPE-12");
    send(&quiet, bearer(&poor)).await.is(Expected::InsufficientScope, "SCOPE-12");
}

#[tokio::test]
async fn scope_11_declared_hierarchies() {
    let fixture = Fixture::new();
    let issuer = fixture.issuer().implies("admin", "read write");
    let server = fixture.builder_with(issuer).build().unwrap();
    let admin = fixture.at(json!({ "scope": "admin" }));
    send(&server, bearer(&admin)).await.is(Expected::Ok, "SCOPE-11");
    let other = fixture.at(json!({ "scope": "x" }));
    send(&server, bearer(&other)).await.is(Expected::InsufficientScope, "SCOPE-11");
}

#[tokio::test]
async fn at_11_f67_callers_and_policies() {
    let fixture = Fixture::new();
    let server = fixture.builder().build().unwrap();
    let client = fixture.at(json!({ "sub": "c1" }));
    send_through(&server, users(), bearer(&client)).await.is(Expected::Denied, "AT-11 F67");
    send_through(&server, users(), bearer(&fixture.good())).await.is(Expected::Ok, "AT-11");
    let token = server.verify(&fixture.good()).await.unwrap();
    assert!(token.allows(&scope("read").and(users())) && !token.allows(&scope("admin")));
    let closed = policy(|token: &AccessToken| token.client_id() == Some("c2"));
    send_through(&server, closed, bearer(&fixture.good())).await.is(Expected::Denied, "F67");
}

#[tokio::test]
async fn l14_wild_06_patterns_in_tokens_count_for_declared_issuers_only() {
    let fixture = Fixture::new();
    let other = support::keys::Key::new("k1");
    let a = fixture.issuer().granted_wildcards(portcullis::WildcardMatch::Overlap);
    let b = Issuer::with_jwks("https://b.example", other.jwks());
    let server = fixture.builder_with(a).issuer(b).build().unwrap();
    let claims = json!({ "scope": "files:*" });
    let from_a = fixture.at(claims.clone());
    let from_b = other.sign_json(
        &fixture.header(),
        &support::keys::changed(
            fixture.claims(),
            json!({ "iss": "https://b.example", "scope": "files:*" }),
        ),
    );
    let needs = || scope("files:read");
    send_through(&server, needs(), bearer(&from_a)).await.is(Expected::Ok, "L14");
    let answer = send_through(&server, needs(), bearer(&from_b)).await;
    assert_eq!(answer.status(), 403, "L14");
}

#[tokio::test]
async fn the_body_can_be_replaced_and_status_and_challenge_cannot_be_lost() {
    let fixture = Fixture::new();
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let server = fixture
        .builder()
        .refusal_body(move |rejection| {
            count.fetch_add(1, Ordering::Relaxed);
            Response::builder()
                .status(200)
                .header("www-authenticate", "Negotiate")
                .header("cache-control", "public")
                .header("content-length", "99999")
                .header("transfer-encoding", "chunked")
                .header("retry-after", "soon")
                .header("x-request-id", "7")
                .body(Bytes::from(format!("no: {}", rejection.kind() as u8)))
                .unwrap()
        })
        .build()
        .unwrap();
    let answer = send(&server, get(&[])).await;
    answer.is(Expected::Invitation, "replaced body");
    assert_eq!(answer.header("x-request-id"), Some("7"));
    assert_eq!(answer.header("content-length"), None);
    assert_eq!(answer.header("transfer-encoding"), None);
    assert_eq!(answer.header("retry-after"), None);
    assert_eq!(&answer.response.body()[..], b"no: 0");
    assert_eq!(written.load(Ordering::Relaxed), TIMES);

    // Where we ask for nothing, nobody does.
    let ours = server.reject(RejectionKind::Internal).to_response();
    assert_eq!(ours.status(), 500);
    assert_eq!(ours.headers().get("www-authenticate"), None);
}

#[tokio::test]
async fn chal_20_f68_a_hidden_route_tells_nobody_what_it_needs() {
    let fixture = Fixture::new();
    let told = |rejection: &Rejection| {
        let kind = format!("{:?}", rejection.kind());
        Response::new(Bytes::from(kind))
    };
    let server = fixture.builder().required(scope("read")).refusal_body(told).build().unwrap();
    let hidden = || server.require(scope("audit").and(acr("mfa")).and(users())).hidden();
    let ask = async |token: &Value| {
        let service = hidden().layer(service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        let response = service.oneshot(bearer(&fixture.at(token.clone()))).await.unwrap();
        let challenge = response.headers().get("www-authenticate").cloned();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, challenge, String::from_utf8(body.to_vec()).unwrap())
    };
    // Not even the writer of the body knows more.
    for lacking in [
        json!({ "scope": "read" }),
        json!({ "scope": "read audit", "acr": "pwd" }),
        json!({ "scope": "read audit", "acr": "mfa", "sub": "c1" }),
    ] {
        assert_eq!(ask(&lacking).await, (404, None, "Hidden".to_owned()), "{lacking}");
    }
    let enough = json!({ "scope": "read audit", "acr": "mfa" });
    assert_eq!(ask(&enough).await, (200, None, String::new()));
    // What every request needs is told as everywhere.
    let (status, challenge, _) = ask(&json!({ "scope": "audit" })).await;
    let challenge = challenge.unwrap();
    assert!(status == 403 && challenge.to_str().unwrap().contains(r#"scope="read""#));
}
