use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tower_service::Service as _;

use super::*;
use crate::jose::{CompactJws, json};
use crate::testing::endpoints::MAX_BODY;
use crate::testing::{Authority, Client};

const FORM: &str = "application/x-www-form-urlencoded";

fn authority() -> Authority {
    let authority = Authority::builder().audience("api").audience("https://b.example/x").build();
    let authority = authority.unwrap();
    for client in [
        Client::new("test", "test").allowed_scope("*"),
        Client::new("app", "s3cret").allowed_scope("send* messages.write"),
        Client::new("a client: 1", "p%+&= w"),
    ] {
        authority.register(client).unwrap();
    }
    authority
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Reply {
    /// Status and `error`, or `-` where there is none.
    fn outcome(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["error"].as_str().unwrap_or("-"))
    }
}

async fn ask(
    authority: &Authority,
    authorization: &[&str],
    media_type: &str,
    form: impl Into<Bytes>,
) -> Reply {
    let mut request = Request::post(authority.token_endpoint()).header(CONTENT_TYPE, media_type);
    for value in authorization {
        request = request.header(AUTHORIZATION, *value);
    }
    let request = request.body(Full::new(form.into())).unwrap();
    let response = authority.http_service().call(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply {
        status: head.status,
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap(),
    }
}

fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

async fn with_basic(form: &str) -> Reply {
    ask(&authority(), &[&basic("app", "s3cret")], FORM, form.to_owned()).await
}

fn claims(reply: &Reply) -> json::Object {
    let token = reply.body["access_token"].as_str().unwrap();
    json::object(CompactJws::parse(token.as_bytes()).unwrap().payload()).unwrap()
}

#[tokio::test]
async fn a_good_request_gets_a_token() {
    let reply = with_basic("grant_type=client_credentials&scope=sendMessage+messages.write").await;
    assert_eq!(reply.outcome(), (200, "-"));
    assert_eq!(reply.headers[CACHE_CONTROL], "no-store");
    assert_eq!(reply.headers[CONTENT_TYPE], "application/json");
    assert_eq!(reply.body["token_type"], "Bearer");
    assert_eq!(reply.body["expires_in"], 3599);
    assert_eq!(reply.body["scope"], "sendMessage messages.write");
    let claims = claims(&reply);
    assert_eq!(claims["scope"], "sendMessage messages.write");
    assert_eq!((&claims["sub"], &claims["client_id"]), (&"app".into(), &"app".into()));
    assert_eq!(claims["aud"], "api");
    let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(lifetime, 3600);
}

#[tokio::test]
async fn the_outcome_by_form() {
    for (form, expected) in [
        ("grant_type=client_credentials", (200, "-")),
        ("grant_type=client_credentials&scope=", (200, "-")),
        ("grant_type=client_credentials&unknown=x", (200, "-")),
        ("grant_type=client_credentials&scope=RegisteredClient+sendX", (200, "-")),
        ("", (400, "invalid_request")),
        ("grant_type=", (400, "invalid_request")),
        ("grant_type=client_credentials&grant_type=client_credentials", (400, "invalid_request")),
        ("grant_type=client_credentials&scope=sendA&scope=sendB", (400, "invalid_request")),
        ("grant_type=client_credentials&scope=&scope=sendB", (400, "invalid_request")),
        ("grant_type=client_credentials&x=1&x=1", (400, "invalid_request")),
        ("grant_type=password&username=u&password=p", (400, "unsupported_grant_type")),
        ("grant_type=Client_Credentials", (400, "unsupported_grant_type")),
        ("grant_type=client_credentials&scope=read", (400, "invalid_scope")),
        ("grant_type=client_credentials&scope=sendA+read", (400, "invalid_scope")),
        ("grant_type=client_credentials&scope=*", (400, "invalid_scope")),
        ("grant_type=client_credentials&scope=send%C3%A9", (400, "invalid_scope")),
        ("grant_type=client_credentials&scope=send%0AX", (400, "invalid_scope")),
        ("grant_type=client_credentials&resource=api", (200, "-")),
        ("grant_type=client_credentials&resource=https%3A%2F%2Fb.example%2Fx", (200, "-")),
        ("grant_type=client_credentials&resource=https%3A%2F%2Fb.example", (400, "invalid_target")),
        ("grant_type=client_credentials&resource=api&resource=x", (400, "invalid_target")),
        ("grant_type=client_credentials&audience=x", (400, "invalid_target")),
        ("grant_type=client_credentials&client_id=app", (200, "-")),
        ("grant_type=client_credentials&client_id=test", (400, "invalid_request")),
        ("grant_type=client_credentials&client_secret=s3cret", (400, "invalid_request")),
        (
            "grant_type=client_credentials&client_id=app&client_secret=s3cret",
            (400, "invalid_request"),
        ),
    ] {
        let reply = with_basic(form).await;
        assert_eq!(reply.outcome(), expected, "{form}");
        assert_eq!(reply.headers[CACHE_CONTROL], "no-store", "{form}");
        assert!(!reply.headers.contains_key(WWW_AUTHENTICATE), "{form}");
        let described = reply.body["error_description"].is_string();
        assert_eq!(described, reply.status != StatusCode::OK, "{form}");
    }
}

#[tokio::test]
async fn the_outcome_by_basic_credentials() {
    let good = basic("app", "s3cret");
    let odd = basic("a client: 1", "p%+&= w");
    let unencoded = format!("Basic {}", STANDARD.encode("app:s3cret"));
    let wrong = basic("app", "S3cret");
    let nobody = basic("nobody", "s3cret");
    for (authorization, expected) in [
        (vec![&*good], (200, "-")),
        (vec![&*odd], (200, "-")),
        (vec![&*unencoded], (200, "-")),
        (vec![&*wrong], (401, "invalid_client")),
        (vec![&*nobody], (401, "invalid_client")),
        (vec!["Basic"], (401, "invalid_client")),
        (vec!["Basic !!!"], (401, "invalid_client")),
        (vec!["Bearer abc"], (401, "invalid_client")),
        (vec![""], (401, "invalid_client")),
        (vec![], (401, "invalid_client")),
        (vec![&*good, &*good], (400, "invalid_request")),
    ] {
        let form = "grant_type=client_credentials";
        let reply = ask(&authority(), &authorization, FORM, form).await;
        assert_eq!(reply.outcome(), expected, "{authorization:?}");
        let challenge = reply.headers.get(WWW_AUTHENTICATE).map(HeaderValue::as_bytes);
        let expected = (reply.status == 401).then_some(&b"Basic realm=\"token endpoint\""[..]);
        assert_eq!(challenge, expected, "{authorization:?}");
    }
}

#[tokio::test]
async fn the_outcome_by_credentials_in_the_form() {
    for (form, expected) in [
        ("client_id=app&client_secret=s3cret", (200, "-")),
        ("client_id=a+client%3A+1&client_secret=p%25%2B%26%3D+w", (200, "-")),
        ("client_id=app&client_secret=wrong", (401, "invalid_client")),
        ("client_id=app&client_secret=", (401, "invalid_client")),
        ("client_id=app", (401, "invalid_client")),
        ("client_secret=s3cret", (401, "invalid_client")),
        ("client_id=nobody&client_secret=s3cret", (401, "invalid_client")),
        ("client_id=app&client_id=app&client_secret=s3cret", (400, "invalid_request")),
    ] {
        let form = format!("grant_type=client_credentials&{form}");
        assert_eq!(ask(&authority(), &[], FORM, form.clone()).await.outcome(), expected, "{form}");
    }
}

#[tokio::test]
async fn the_media_type_is_that_of_forms() {
    for (media_type, expected) in [
        ("application/x-www-form-urlencoded; charset=UTF-8", (200, "-")),
        ("Application/X-WWW-Form-Urlencoded", (200, "-")),
        ("application/json", (400, "invalid_request")),
        ("text/plain", (400, "invalid_request")),
        ("", (400, "invalid_request")),
    ] {
        let good = basic("test", "test");
        let reply = ask(&authority(), &[&good], media_type, "grant_type=client_credentials").await;
        assert_eq!(reply.outcome(), expected, "{media_type}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let form = format!("grant_type=client_credentials&x={}", "x".repeat(MAX_BODY));
    let reply = ask(&authority(), &[&basic("test", "test")], FORM, form).await;
    assert_eq!(reply.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn audiences_are_chosen_by_resource_or_audience() {
    let both = serde_json::json!(["https://b.example/x", "api"]);
    for (form, expected) in [
        ("resource=https://b.example/x", serde_json::json!("https://b.example/x")),
        ("audience=api", serde_json::json!("api")),
        ("resource=https://b.example/x&resource=api", both.clone()),
        ("resource=https://b.example/x&audience=api&audience=api", both),
    ] {
        let reply = with_basic(&format!("grant_type=client_credentials&{form}")).await;
        assert_eq!(claims(&reply)["aud"], expected, "{form}");
    }
}

#[tokio::test]
async fn the_loop_of_asking_calling_and_asking_again() {
    // What a 403 names is asked for as it stands, the default scope included.
    let first = with_basic("grant_type=client_credentials").await;
    assert_eq!(first.body["scope"], "RegisteredClient");
    let named = "RegisteredClient+sendA+messages.write";
    let second = with_basic(&format!("grant_type=client_credentials&scope={named}")).await;
    assert_eq!(second.body["scope"], "RegisteredClient sendA messages.write");
}

#[tokio::test]
async fn only_post_is_answered() {
    let authority = authority();
    let request = Request::get(authority.token_endpoint()).body(Full::<Bytes>::default()).unwrap();
    let response = authority.http_service().call(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "POST");
}
