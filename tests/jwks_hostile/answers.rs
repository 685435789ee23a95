//! Answers that are no key set, and servers that do not get an answer out.

use std::time::Duration;

use super::support::fixture::Fixture;
use super::support::scripted_as::Reply;
use super::{Case, always, complaint, first_and_later, server};

/// What the largest set may have (JWK-13).
const LIMIT: usize = 512 * 1024;
const TOO_LARGE: &str = "larger than 524288 bytes";
const NOT_A_SET: &str = "not a JWK set";
const COMPRESSED: &str = "compressed body that was not asked for";

#[tokio::test]
async fn avail_01_avail_03_only_status_200_brings_keys() {
    first_and_later(|fixture| {
        let with = |status| Reply::new(status, "application/json", fixture.key.jwks());
        vec![
            Case::new("created", with(201), "status 201"),
            Case::new("accepted", with(202), "status 202"),
            Case::new("no content", with(204), "status 204"),
            Case::new("a part", with(206), "status 206"),
            Case::new("no change to nothing", with(304), "status 304"),
            Case::new("forbidden", with(403), "status 403"),
            Case::new("not found", with(404), "status 404"),
            Case::new("too many", with(429).header("retry-after", "86400"), "status 429"),
            Case::new("broken", with(500), "status 500"),
            Case::new("busy", with(503).header("retry-after", "soon"), "status 503"),
            Case::new("no such status", with(999), "status 999"),
        ]
    })
    .await;
}

#[tokio::test]
async fn jwk_02_documents_that_are_no_key_sets() {
    first_and_later(|fixture| {
        let good = fixture.key.jwks();
        let case = |name, body: Vec<u8>| Case::new(name, Reply::json(body), NOT_A_SET);
        let not_utf_8 = [good.as_bytes().strip_suffix(b"}").unwrap(), b",\"x\":\"\xFF\"}"].concat();
        vec![
            case("nothing", vec![]),
            case("garbage", b"\x00\x01\x02".to_vec()),
            case("a login page", b"<!doctype html><title>Sign in</title>".to_vec()),
            case("an empty object", b"{}".to_vec()),
            case("keys as an object", br#"{"keys":{}}"#.to_vec()),
            case("keys as null", br#"{"keys":null}"#.to_vec()),
            case("null", b"null".to_vec()),
            case("an array", format!("[{}]", fixture.key.jwk()).into()),
            case("a key", fixture.key.jwk().to_string().into()),
            case("cut off", good.as_bytes()[..good.len() - 1].to_vec()),
            case("bytes after it", format!("{good}x").into()),
            case("two sets", format!("{good}{good}").into()),
            case("keys twice", good.replace("{\"keys\"", "{\"keys\":[],\"keys\"").into()),
            case("a byte order mark", format!("\u{feff}{good}").into()),
            case("not UTF-8", not_utf_8),
            case("UTF-16", good.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Case::new("no keys", Reply::json(r#"{"keys":[]}"#), "the key set is empty"),
        ]
    })
    .await;
}

#[tokio::test]
async fn jwk_13_size_is_limited_while_it_arrives() {
    first_and_later(|fixture| {
        let large = format!("{}{}", fixture.key.jwks(), " ".repeat(LIMIT));
        let field = |length| Reply::json(fixture.key.jwks()).header("x", &"x".repeat(length));
        let fields =
            (0..1000).fold(Reply::json(fixture.key.jwks()), |reply, _| reply.header("x", "x"));
        let compressed = |coding| {
            let reply = Reply::json(fixture.key.jwks()).header("content-encoding", coding);
            Case::new(coding, reply, COMPRESSED)
        };
        let bomb = Reply::json(gzip_bomb()).header("content-encoding", "gzip");
        vec![
            Case::new("a body", Reply::json(large), TOO_LARGE),
            Case::new("a field", field(1024 * 1024), "head"),
            Case::new("many fields", fields, "head"),
            Case::new("a bomb", bomb, COMPRESSED),
            compressed("gzip"),
            compressed("GZIP"),
            compressed("br"),
            compressed("deflate"),
            compressed("zstd"),
            compressed("identity, gzip"),
        ]
    })
    .await;
}

/// A set of just the size that is allowed is fine, so it is the size that the others fail by.
#[tokio::test]
async fn jwk_13_the_limit_itself_is_within_it() {
    let fixture = Fixture::new();
    let set = fixture.key.jwks();
    let full = format!("{set}{}", " ".repeat(LIMIT - set.len()));
    let fake = always(Reply::json(full)).await;
    server(&fixture, &fake).load_keys().await.unwrap();
}

#[tokio::test]
async fn jwk_13_an_endless_answer_is_cut_off() {
    let piece = " ".repeat(16 * 1024);
    for (name, reply, telling) in [
        ("without a length", Reply::endless(piece.clone()), TOO_LARGE),
        ("in chunks", Reply::endless_chunks(&piece), TOO_LARGE),
        ("in one field", Reply::raw("HTTP/1.1 200 OK\r\nx: ").forever(piece.clone()), "head"),
        ("in fields", Reply::raw("HTTP/1.1 200 OK\r\n").forever("x: y\r\n".repeat(1000)), "head"),
    ] {
        let fixture = Fixture::new();
        let fake = always(reply).await;
        let complaint = complaint(server(&fixture, &fake).load_keys().await, name);
        assert!(complaint.contains(telling), "{name}: {complaint}");
        fake.idle().await;
        // The limit and what the buffers of two sockets hold.
        assert!(fake.sent() < 8 * 1024 * 1024, "{name}: {} bytes", fake.sent());
    }
}

#[tokio::test]
async fn avail_01_avail_08_answers_that_do_not_arrive() {
    let pause = Duration::from_millis(50);
    first_and_later(|fixture| {
        let good = || Reply::json(fixture.key.jwks());
        let interim = Reply::raw("").forever("HTTP/1.1 103 Early Hints\r\n\r\n");
        vec![
            Case::new("cut short", good().cut_short(), "end of file before message length"),
            Case::new("hung up", Reply::hang_up(), "closed before message completed"),
            Case::new(
                "half a head",
                Reply::raw("HTTP/1.1 200 O"),
                "closed before message completed",
            ),
            Case::new("another protocol", Reply::raw("SSH-2.0-OpenSSH_9.6\r\n"), "invalid HTTP"),
            Case::new("no status", Reply::raw("HTTP/1.1 OK\r\n\r\n"), "invalid HTTP"),
            Case::new("no answer", Reply::hang(), "within 5 s"),
            Case::new("late", good().after(Duration::from_secs(60)), "within 5 s"),
            Case::new("slow", good().drip(pause), "within 5 s"),
            Case::new("slow without end", Reply::endless(" ").drip(pause), "within 5 s"),
            Case::new("interim answers", interim.drip(pause / 50), "within 5 s"),
        ]
    })
    .await;
}

#[tokio::test]
async fn avail_01_avail_03_a_server_that_is_down() {
    let fixture = Fixture::new();
    let fake = always(super::good_set(&fixture)).await;
    let server = server(&fixture, &fake);
    fake.stop().await;
    let down = complaint(server.load_keys().await, "down at first");
    assert!(down.contains("unreachable") && down.contains("refused"), "{down}");
    fake.restart().await;
    server.load_keys().await.unwrap();
    fake.stop().await;
    complaint(server.load_keys().await, "down later");
    super::send(&server, super::bearer(&fixture.good()))
        .await
        .is(super::Expected::Ok, "down later");
}

/// 64 KiB of gzip (RFC 1952) that stand for 10 MiB of spaces.
fn gzip_bomb() -> Vec<u8> {
    // RFC 1951 §3.2.6: one block of fixed codes; a space, and then the last 258 bytes again.
    let bits = ["1", "10", "01010000", &"1100010100000".repeat(40_000), "0000000"].concat();
    let mut file = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff".to_vec();
    file.extend(
        bits.as_bytes()
            .chunks(8)
            .map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | (bit - b'0'))),
    );
    file
}
