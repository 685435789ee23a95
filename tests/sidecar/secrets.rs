//! What clients send stays between them and the upstream, however much is logged.

use std::collections::HashSet;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    Connection, Identity, Settings, Sidecar, Upstream, authority, connect, get, get_from, trusting,
};
use portcullis::testing::Authority;

/// Shorter parts say nothing, and may be anywhere by chance.
const PART: usize = 16;

/// Short enough for a name; in a query it is nobody's business all the same.
const QUERY_VALUE: &str = "value-of-a-query-4711";

/// Everything that may not be seen again.
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn of(authority: &Authority) -> Self {
        let good = || authority.token().scope("orders.read");
        let good_one = good().subject("u1").mint();
        Self(vec![
            ("good", good_one.clone()),
            ("expired", good().expired().mint()),
            ("bad signature", good().signed_by_stranger().mint()),
            ("unknown key", good().kid("no-such-key").mint()),
            ("unsigned", good().unsigned().mint()),
            ("other issuer", good().issuer("https://other.example").mint()),
            ("cut", good().subject("u2").mint()[..200].to_owned()),
            ("changed", good().subject("u3").mint().replacen('.', "..", 1)),
            // What is shorter, nobody can tell from an identifier of a path or a request.
            ("opaque", "Zm9vYmFyc2VjcmV0b3BhcXVldG9rZW4xMjM0NTY3ODkw".repeat(3)),
            ("too large", good().claim("filling", "x1".repeat(9_000)).mint()),
            ("no token68", format!("{}\"!", good().subject("u4").mint())),
        ])
    }

    /// No part of any of them is in what was said.
    #[track_caller]
    fn are_not_in(&self, text: &str, place: &str) {
        let parts: HashSet<&[u8]> = text.as_bytes().windows(PART).collect();
        for (name, secret) in &self.0 {
            let seen = secret.as_bytes().windows(PART).find(|part| parts.contains(part));
            if let Some(part) = seen {
                let part = str::from_utf8(part).unwrap();
                let line = text.lines().find(|line| line.contains(part)).unwrap_or(text);
                panic!("{name} is in {place}: {}", &line[..line.len().min(1000)]);
            }
        }
    }
}

/// Every place of a request in which somebody may put a token.
fn requests(token: &str) -> Vec<String> {
    let host = "Host: api.example\r\n";
    let mut requests: Vec<String> = [
        format!("GET /orders HTTP/1.1\r\n{host}Authorization: Bearer {token}\r\n"),
        format!("GET /down HTTP/1.1\r\n{host}Authorization: Bearer {token}\r\n"),
        format!("GET /orders?access_token={token} HTTP/1.1\r\n{host}"),
        format!("GET /orders/{token} HTTP/1.1\r\n{host}"),
        format!("GET /public/{token}/x?code={token} HTTP/1.1\r\n{host}"),
        format!("GET /orders/%2e%2e/{token} HTTP/1.1\r\n{host}"),
        format!("GET http://api.example/orders;token={token} HTTP/1.1\r\n{host}"),
        format!("{token} /orders HTTP/1.1\r\n{host}"),
        format!("GET /orders HTTP/{token}\r\n{host}"),
        format!("{token}\r\n{host}"),
        format!("GET /orders HTTP/1.1\r\nHost: {token}\r\n"),
        format!("GET /orders HTTP/1.1\r\n{host}{token}: x\r\n"),
        format!("GET /orders HTTP/1.1\r\n{host}Transfer-Encoding: {token}\r\n"),
        format!("GET /orders HTTP/1.1\r\n{host}Content-Length: {token}\r\n"),
        format!("CONNECT {token}:443 HTTP/1.1\r\n{host}"),
    ]
    .into();
    for field in [
        "Authorization: Token",
        "Authorization:",
        "Authorization: DPoP",
        "Authorization: Bearer x\r\nAuthorization: Bearer",
        "X-Access-Token:",
        "Cookie: session=",
        "X-Request-Id:",
        "X-Forwarded-For:",
        "Forwarded: for=",
        "Traceparent: 00-",
        "Expect:",
        "Upgrade:",
        "Connection:",
        "DPoP:",
    ] {
        requests.push(format!("GET /orders HTTP/1.1\r\n{host}{field} {token}\r\n"));
    }
    for request in &mut requests {
        request.push_str("Connection: close\r\n\r\n");
    }
    let form = format!("access_token={token}");
    requests.push(format!(
        "POST /orders HTTP/1.1\r\n{host}Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
        form.len()
    ));
    requests
}

const RULES: &str = "[[rule]]\npath = \"/public/{*rest}\"\npublic = true\n\
                     [[rule]]\npath = \"/down\"\nscopes = [\"orders.read\"]\n";

/// As talkative as it can be.
fn talkative(upstream: &Upstream, authority: &Authority, format: &str) -> Settings {
    Sidecar::before(upstream, authority)
        .with("PORTCULLIS_LOG", "trace")
        .with("PORTCULLIS_LOG_FORMAT", format)
        .rules(RULES)
}

/// All that the sidecar says about itself, after it has ended.
#[track_caller]
fn everything_said_is_free_of(secrets: &Secrets, mut sidecar: Sidecar) {
    for page in ["/", "/metrics", "/readyz", "/livez"] {
        secrets.are_not_in(&sidecar.ask_admin(page).text(), page);
    }
    sidecar.signal("INT");
    assert_eq!(sidecar.wait().code(), Some(0));
    // At this level, it does talk.
    assert!(sidecar.stderr().contains("TRACE"), "{}", sidecar.stderr());
    secrets.are_not_in(&sidecar.stderr(), "the log");
    secrets.are_not_in(&sidecar.stdout(), "the access log");
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_14_bearer_04_no_part_of_a_token_is_said_anywhere() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let mut secrets = Secrets::of(&authority);
    let tokens = secrets.0.clone();
    secrets.0.push(("a query", QUERY_VALUE.to_owned()));
    for format in ["text", "json"] {
        let sidecar = talkative(&upstream, &authority, format).start();
        for target in ["/orders", "/public/x", "/a//b", "/down"] {
            get(sidecar.address(), &format!("{target}?code={QUERY_VALUE}"), "");
        }
        for (name, token) in &tokens {
            for request in requests(token) {
                let mut connection = Connection::open(sidecar.address());
                connection.send(request.as_bytes());
                let answer = String::from_utf8(connection.rest()).unwrap();
                secrets.are_not_in(&answer, &format!("the answer to {name}"));
            }
            for place in [format!("/metrics?token={token}"), format!("/{token}")] {
                let fields = format!("Authorization: Bearer {token}\r\n");
                let answer = get_from(sidecar.admin(), "localhost", &place, &fields);
                secrets.are_not_in(&answer.text(), "an answer of the admin port");
            }
        }
        everything_said_is_free_of(&secrets, sidecar);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_14_nor_over_http2_and_tls_and_neither_is_the_key() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let (mut secrets, identity) = (Secrets::of(&authority), Identity::new());
    let tokens: Vec<String> = secrets.0.iter().map(|(_, token)| token.clone()).collect();
    let lines = identity.key.lines().filter(|line| !line.starts_with("-----"));
    secrets.0.push(("the key", lines.collect()));
    let sidecar = talkative(&upstream, &authority, "text")
        .with("PORTCULLIS_UPSTREAM", &format!("h2c://{}", upstream.address()))
        .with("PORTCULLIS_FORWARD_TOKEN", "on")
        .with("PORTCULLIS_TLS_CERT", &identity.certificate)
        .with("PORTCULLIS_TLS_KEY", &identity.key)
        .start();
    let config = trusting(&[&identity], &["h2"]);
    for token in &tokens {
        let stream = TokioIo::new(connect(sidecar.address(), &config).await.unwrap());
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        let bearer = format!("Bearer {token}");
        for (path, field, value) in [
            ("/orders".to_owned(), "authorization", &bearer),
            ("/orders".to_owned(), "x-access-token", token),
            ("/orders".to_owned(), "cookie", &bearer),
            (format!("/orders?access_token={token}"), "x-other", &"x".to_owned()),
            (format!("/orders/{token}"), "x-other", &"x".to_owned()),
        ] {
            let Ok(request) = Request::post(format!("https://localhost{path}"))
                .header(field, value)
                .body(Full::<Bytes>::from(token.clone()))
            else {
                continue;
            };
            let answer = sender.send_request(request).await.unwrap();
            let head = format!("{:?}", answer.headers());
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let text = head + str::from_utf8(&body).unwrap();
            secrets.are_not_in(&text, "an answer");
        }
    }
    // Without TLS, to a port that wants it.
    for token in &tokens {
        let mut stream = tokio::net::TcpStream::connect(sidecar.address()).await.unwrap();
        let request =
            format!("GET /?token={token} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n");
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        secrets.are_not_in(&String::from_utf8_lossy(&answer), "an answer without TLS");
    }
    everything_said_is_free_of(&secrets, sidecar);
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_14_neither_is_what_the_query_of_an_address_holds() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let secrets = Secrets(vec![("the query", QUERY_VALUE.to_owned())]);
    for address in [authority.issuer_url(), "http://127.0.0.1:1"] {
        let settings = talkative(&upstream, &authority, "text")
            .with("PORTCULLIS_JWKS_URI", &format!("{address}/jwks?code={QUERY_VALUE}"));
        let mut sidecar = settings.start_unready();
        sidecar.wait_for_stderr("keys");
        for page in ["/", "/metrics", "/readyz", "/livez"] {
            secrets.are_not_in(&sidecar.ask_admin(page).text(), page);
        }
        sidecar.signal("INT");
        assert_eq!(sidecar.wait().code(), Some(0));
        assert!(sidecar.stderr().contains("/jwks?…"), "{}", sidecar.stderr());
        secrets.are_not_in(&sidecar.stderr(), "the log");
    }
}
