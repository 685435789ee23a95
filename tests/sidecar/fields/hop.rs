//! What is for one hop stays there; what is end to end goes on.

use bytes::Bytes;
use http::{Response, Version};
use http_body_util::Full;

use crate::support::{
    Answer, Connection, Http2, Recorded, Sidecar, Upstream, authority, bearer, get,
};

struct Stage {
    upstream: Upstream,
    sidecar: Sidecar,
    token: String,
}

impl Stage {
    async fn set() -> Self {
        Self::answering(|_| Response::new(Full::from("hello"))).await
    }

    async fn answering(
        answer: impl Fn(&Recorded) -> Response<Full<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        let (authority, upstream) = (authority().await, Upstream::answering(answer).await);
        let sidecar = Sidecar::before(&upstream, &authority).start();
        Self { upstream, sidecar, token: bearer(&authority.token()) }
    }

    fn get(&self, lines: &str) -> (Answer, Recorded) {
        let answer = get(self.sidecar.address(), "/", &format!("{}{lines}", self.token));
        (answer, self.upstream.take_one())
    }

    async fn get_http2(&self, lines: &str) -> (Response<Bytes>, Recorded) {
        let mut client = Http2::open(self.sidecar.address()).await;
        let answer = client.get("/", &format!("{}{lines}", self.token)).await;
        (answer, self.upstream.take_one())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clients_fields_for_this_hop_end_here() {
    let stage = Stage::set().await;
    let (_, seen) = stage.get(
        "Connection: keep-alive, X-Hop, x-hop-too , Keep-Alive\r\nConnection: x-third\r\n\
         X-Hop: 1\r\nX-Hop-Too: 2\r\nX-Third: 3\r\nKeep-Alive: timeout=9\r\nProxy-Connection: keep-alive\r\n\
         Proxy-Authorization: Basic eDp5\r\nProxy_Authorization: Basic eDp5\r\nUpgrade: h2c\r\nTE: gzip\r\n\
         X-Stays: 4\r\nAccept: */*\r\nUser-Agent: test\r\nCookie: a=b\r\n",
    );
    for gone in [
        "connection",
        "x-hop",
        "x-hop-too",
        "x-third",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "proxy_authorization",
        "upgrade",
        "te",
        "transfer-encoding",
    ] {
        assert_eq!(seen.field(gone), None, "{gone}");
    }
    for (kept, value) in
        [("x-stays", "4"), ("accept", "*/*"), ("user-agent", "test"), ("cookie", "a=b")]
    {
        assert_eq!(seen.field(kept), Some(value));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_matters_cannot_be_taken_away_by_naming_it() {
    let stage = Stage::set().await;
    let named = "host, content-length, x-auth-subject, x-auth-scope, x-forwarded-for, \
        x-forwarded-host, x-forwarded-proto, forwarded, via, x-request-id";
    let (_, seen) = stage.get(&format!("Connection: {named}\r\n"));
    for name in named.split(", ").filter(|name| *name != "content-length") {
        let absent = name == "x-auth-scope";
        assert_eq!(seen.field(name).is_none(), absent, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upstreams_fields_for_its_hop_end_here() {
    let stage = Stage::answering(|_| {
        Response::builder()
            .status(201)
            .header("connection", "keep-alive, x-hop")
            .header("x-hop", "1")
            .header("keep-alive", "timeout=5")
            .header("proxy-connection", "keep-alive")
            .header("upgrade", "h2c")
            .header("x-stays", "2")
            .header("set-cookie", "a=b")
            .header("set-cookie", "c=d")
            .header("server", "theirs")
            .body(Full::from("hello"))
            .unwrap()
    })
    .await;
    let (answer, _) = stage.get("");
    assert_eq!((answer.status, answer.text().as_str()), (201, "hello"));
    for gone in ["connection", "x-hop", "keep-alive", "proxy-connection", "upgrade"] {
        assert_eq!(answer.field(gone), None, "{gone}");
    }
    let cookies = answer.fields.iter().filter(|(name, _)| name == "set-cookie");
    assert_eq!(cookies.map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["a=b", "c=d"]);
    assert_eq!((answer.field("x-stays"), answer.field("server")), (Some("2"), Some("theirs")));
    let (answer, _) = stage.get_http2("").await;
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (201, &b"hello"[..]));
    assert!(answer.headers().get("x-hop").is_none() && answer.headers().get("upgrade").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_proxy_adds_itself() {
    let stage = Stage::set().await;
    assert_eq!(stage.get("").1.field("via"), Some("1.1 portcullis"));
    let (_, seen) = stage.get("Via: 1.0 one\r\nVia: 2 two\r\n");
    assert_eq!(seen.field("via"), Some("1.0 one, 2 two, 1.1 portcullis"));
    assert_eq!(stage.get_http2("").await.1.field("via"), Some("2 portcullis"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_one_id_everywhere() {
    let stage = Stage::set().await;
    let (answer, seen) = stage.get("X-Request-Id: 7f-9_a.B\r\n");
    assert_eq!(answer.field("x-request-id"), Some("7f-9_a.B"));
    assert_eq!(seen.field("x-request-id"), Some("7f-9_a.B"));
    stage.sidecar.wait_for_stdout(" id=7f-9_a.B\n");
    let long = "a".repeat(129);
    for lines in [
        String::new(),
        "X-Request-Id: a\"b\r\n".to_owned(),
        "X-Request-Id: a b\r\n".to_owned(),
        "X-Request-Id: a\r\nX-Request-Id: b\r\n".to_owned(),
        format!("X-Request-Id: {long}\r\n"),
    ] {
        let (answer, seen) = stage.get(&lines);
        let id = seen.field("x-request-id").unwrap();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{lines}: {id}");
        assert_eq!(answer.field("x-request-id"), Some(id));
        stage.sidecar.wait_for_stdout(&format!(" id={id}\n"));
    }
    // A refusal has one too.
    let answer = get(stage.sidecar.address(), "/", "X-Request-Id: refused\r\n");
    assert_eq!((answer.status, answer.field("x-request-id")), (401, Some("refused")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_the_upstreams_own_is_left_to_it() {
    let stage = Stage::answering(|_| {
        Response::builder().header("x-request-id", "theirs").body(Full::default()).unwrap()
    })
    .await;
    assert_eq!(stage.get("").0.field("x-request-id"), Some("theirs"));
    // Of two, nobody could say which is meant.
    let stage = Stage::answering(|_| {
        let answer = Response::builder().header("x-request-id", "one");
        answer.header("x-request-id", "two").body(Full::default()).unwrap()
    })
    .await;
    let answer = stage.get("X-Request-Id: ours\r\n").0;
    assert_eq!(answer.field("x-request-id"), Some("ours"));
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_context_passes_as_it_is() {
    let stage = Stage::set().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let (_, seen) = stage.get(&format!(
        "traceparent: {parent}\r\ntracestate: a=1\r\ntracestate: b=2\r\nbaggage: c=3\r\n"
    ));
    assert_eq!(seen.field("traceparent"), Some(parent.as_str()));
    let states: Vec<_> = seen.headers.get_all("tracestate").iter().collect();
    assert_eq!(states, ["a=1", "b=2"]);
    assert_eq!(seen.field("baggage"), Some("c=3"));
    stage.sidecar.wait_for_stdout(&format!(" trace={trace}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_is_the_clients() {
    let stage = Stage::set().await;
    let mut client = Connection::open(stage.sidecar.address());
    for host in ["api.example", "API.example:8443", "[2001:db8::1]:80", "a_b.example", "192.0.2.1"]
    {
        client.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n{}\r\n", stage.token).as_bytes());
        assert_eq!(client.answer().unwrap().status, 200, "{host}");
        let seen = stage.upstream.take_one();
        assert_eq!((seen.field("host"), seen.field("x-forwarded-host")), (Some(host), Some(host)));
    }
    let (_, seen) = stage.get_http2("").await;
    assert_eq!((seen.field("host"), seen.version), (Some("api.example"), Version::HTTP_11));
    assert_eq!(seen.uri, "/");
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_that_http_2_has_split_are_joined() {
    let stage = Stage::set().await;
    let (_, seen) = stage.get_http2("cookie: a=b\r\ncookie: c=d\r\ncookie: e=f\r\n").await;
    assert_eq!(seen.field("cookie"), Some("a=b; c=d; e=f"));
    let (_, seen) = stage.get_http2("cookie: a=b; c=d\r\n").await;
    assert_eq!(seen.field("cookie"), Some("a=b; c=d"));
}
