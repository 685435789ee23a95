//! HDR-15: the names that say who is calling are ours, under every spelling and by every way.

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;

use crate::support::{
    Connection, Http2, Recorded, Sidecar, Upstream, authority, bearer, get, request,
};

const DEFAULT: [&str; 4] = ["x-auth-subject", "x-auth-client-id", "x-auth-issuer", "x-auth-scope"];
const OWN: &str = "X-User=sub x_tenant.id=tenant x-roles=roles";
const OWN_NAMES: [&str; 3] = ["x-user", "x_tenant.id", "x-roles"];

const RULES: &str = r#"
    [[rule]]
    path = "/public"
    public = true
"#;

/// What no client may say. Nothing else in these tests holds it.
const FORGED: &str = "forged-by-the-client";

/// Spellings that some server takes for this name.
fn aliases(name: &str) -> Vec<String> {
    let title = |word: &str| word[..1].to_uppercase() + &word[1..];
    let words: Vec<&str> = name.split(['-', '_', '.', '~']).collect();
    let mut aliases = vec![words.iter().map(|word| title(word)).collect::<Vec<_>>().join("-")];
    for separator in ["-", "_", "."] {
        aliases.push(words.join(separator));
        aliases.push(words.join(separator).to_uppercase());
    }
    aliases.push(words.join("~"));
    // Mixed, where there are two separators.
    let (last, first) = words.split_last().unwrap();
    aliases.push(format!("{}_{last}", first.join("-")));
    aliases.push(format!("{}-{last}", first.join(".")));
    aliases
}

fn forged_lines(names: &[&str]) -> String {
    let aliases = names.iter().flat_map(|name| aliases(name));
    aliases.map(|alias| format!("{alias}: {FORGED}\r\n{alias}: {FORGED}-too\r\n")).collect()
}

/// Nothing of the client's, and each of ours once, or not at all.
fn is_clean(name: &str, request: &Recorded, ours: &[&str]) {
    let fold = |name: &str| name.replace(['_', '.', '~', '+'], "-");
    for (field, value) in request.headers.iter().chain(request.trailers.iter().flatten()) {
        let value = String::from_utf8_lossy(value.as_bytes());
        assert!(!value.contains(FORGED), "{name}: {field}: {value}");
    }
    let names = DEFAULT.iter().chain(&OWN_NAMES).map(|name| fold(name));
    for one in names {
        let found = request.headers.keys().filter(|key| fold(key.as_str()) == one);
        let found: usize = found.map(|key| request.headers.get_all(key).iter().count()).sum();
        let expected = usize::from(ours.iter().any(|name| fold(name) == one));
        assert_eq!(found, expected, "{name}: {one} in {request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_15_no_spelling_of_an_identity_field_reaches_the_upstream() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let token = authority.token().subject("u1").scope("a").claim("tenant", "acme");
    let token = bearer(&token.claim("roles", ["x", "y"]));
    let all = [&DEFAULT[..], &OWN_NAMES].concat();
    for (setting, ours) in [("", &DEFAULT[..]), (OWN, &OWN_NAMES)] {
        let sidecar = Sidecar::before(&upstream, &authority)
            .with("PORTCULLIS_CLAIM_HEADERS", setting)
            .with("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.0/8")
            .rules(RULES)
            .start();
        let address = sidecar.address();
        // Those that are not configured are a client's like any other.
        let lines = forged_lines(ours);
        let preflight =
            "Origin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n".to_owned();
        let connection = format!("Connection: keep-alive, {}\r\n", all.join(", "));
        for (name, method, path, before, sets) in [
            ("with a token", "GET", "/orders", &token, ours),
            (
                "with a token, named as hop-by-hop",
                "GET",
                "/orders",
                &(token.clone() + &connection),
                ours,
            ),
            ("on a public route", "GET", "/public", &String::new(), &[]),
            ("on a public route, with a token", "GET", "/public", &token, &[]),
            ("in a CORS preflight", "OPTIONS", "/orders", &preflight, &[]),
            (
                "in a CORS preflight with a token",
                "OPTIONS",
                "/orders",
                &(preflight.clone() + &token),
                ours,
            ),
        ] {
            for (order, fields) in
                [("", format!("{before}{lines}")), ("reversed", format!("{lines}{before}"))]
            {
                let name = format!("{name} {order}");
                let mut client = Connection::open(address);
                client.send(
                    format!("{method} {path} HTTP/1.1\r\nHost: api.example\r\n{fields}\r\n")
                        .as_bytes(),
                );
                assert_eq!(client.answer().unwrap().status, 200, "{name}");
                is_clean(&name, &upstream.take_one(), sets);
                let mut client = Http2::open(address).await;
                let fields: String = fields
                    .split_inclusive("\r\n")
                    .filter(|line| !line.starts_with("Connection"))
                    .collect();
                let request = request(method, path, &fields);
                let (answer, _) = client.send(request.body(Full::new(Bytes::new())).unwrap()).await;
                assert_eq!(answer.status(), 200, "{name}");
                is_clean(&format!("{name}, HTTP/2"), &upstream.take_one(), sets);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_15_nor_does_one_in_a_trailer() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let token = bearer(&authority.token().subject("u1").scope("a"));
    for scheme in ["http", "h2c"] {
        let sidecar = Sidecar::before(&upstream, &authority)
            .with("PORTCULLIS_UPSTREAM", &format!("{scheme}://{}", upstream.address()))
            .start();
        let framing = ["Transfer-Encoding", "Content-Length", "Host", "Authorization", "Cookie"];
        let names: Vec<String> = DEFAULT
            .iter()
            .flat_map(|name| aliases(name))
            .chain(framing.map(str::to_owned))
            .chain(
                ["X-Forwarded-For", "X_Forwarded_For", "Forwarded", "X-Real-IP", "Connection"]
                    .map(str::to_owned),
            )
            .collect();
        let trailers: String = names.iter().map(|name| format!("{name}: {FORGED}\r\n")).collect();
        let announced = format!("Trailer: {}, x-checksum\r\n", names.join(", "));
        let mut client = Connection::open(sidecar.address());
        let head = format!("POST /a HTTP/1.1\r\nHost: api.example\r\n{token}{announced}");
        let body = format!("5\r\nhello\r\n0\r\n{trailers}x-checksum: 1\r\n\r\n");
        client.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n{body}").as_bytes());
        assert_eq!(client.answer().unwrap().status, 200);
        let seen = upstream.take_one();
        is_clean(scheme, &seen, &DEFAULT);
        assert_eq!(seen.body, "hello");
        let kept = seen.trailers.unwrap();
        assert_eq!((kept.len(), &kept["x-checksum"]), (1, &"1".parse().unwrap()));

        let mut client = Http2::open(sidecar.address()).await;
        let mut trailers: HeaderMap = HeaderMap::new();
        for name in names
            .iter()
            .filter(|name| !["Transfer-Encoding", "Connection"].contains(&name.as_str()))
        {
            trailers.append(http::HeaderName::try_from(name).unwrap(), FORGED.parse().unwrap());
        }
        trailers.append("x-checksum", "1".parse().unwrap());
        // Of unknown length: where there is a length, HTTP/1.1 has no trailers.
        let frames = [Frame::data(Bytes::from("hello")), Frame::trailers(trailers)];
        let body = StreamBody::new(stream::iter(frames.map(Ok)));
        let request = request("POST", "/a", &format!("{token}{announced}"));
        assert_eq!(client.send(request.body(body).unwrap()).await.0.status(), 200);
        let seen = upstream.take_one();
        is_clean(&format!("{scheme}, HTTP/2"), &seen, &DEFAULT);
        assert_eq!(seen.body, "hello");
        let kept = seen.trailers.unwrap();
        assert_eq!((kept.len(), &kept["x-checksum"]), (1, &"1".parse().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_15_names_that_only_look_alike_are_left_alone() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).start();
    let token = bearer(&authority.token().subject("u1"));
    let lines = "x-auth-subjects: 1\r\nxauthsubject: 2\r\n-x-auth-subject: 4\r\n";
    assert_eq!(get(sidecar.address(), "/a", &format!("{token}{lines}")).status, 200);
    let seen = upstream.take_one();
    for (name, value) in [("x-auth-subjects", "1"), ("xauthsubject", "2"), ("-x-auth-subject", "4")]
    {
        assert_eq!(seen.field(name), Some(value));
    }
}

/// What is said of a token is kept for the connection that brings it again.
#[tokio::test(flavor = "multi_thread")]
async fn hdr_15_each_request_over_a_connection_is_its_own_tokens() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).rules(RULES).start();
    // The second one says less: nothing of the first may stand in for it.
    let tokens = [
        (bearer(&authority.token().subject("u1").scope("a")), Some("u1"), Some("a")),
        (bearer(&authority.token().subject("u2")), Some("u2"), None),
        (String::new(), None, None),
    ];
    let mut connection = Connection::open(sidecar.address());
    for which in [0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 2, 0, 0, 2, 1, 1, 2] {
        let (fields, subject, scope) = &tokens[which];
        let path = if subject.is_some() { "/orders" } else { "/public" };
        let request = format!("GET {path} HTTP/1.1\r\nHost: api.example\r\n{fields}\r\n");
        connection.send(request.as_bytes());
        assert_eq!(connection.answer().unwrap().status, 200);
        let seen = upstream.take_one();
        assert_eq!(seen.field("x-auth-subject"), *subject);
        assert_eq!(seen.field("x-auth-scope"), *scope);
    }
}
