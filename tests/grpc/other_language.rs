//! A client of another language: grpc-js, which reads frames, codes and metadata in its own way.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use portcullis::scope;
use portcullis::testing::{Outage, TokenBuilder};
use portcullis::tonic::Methods;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::orders::{CREATE, WATCH};
use crate::shop::{Served, authority, shop};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/grpc-js");

#[derive(Deserialize, Debug)]
struct Answer {
    code: u8,
    details: String,
    metadata: BTreeMap<String, Vec<String>>,
}

impl Answer {
    fn challenges(&self) -> Vec<&str> {
        self.metadata.get("www-authenticate").into_iter().flatten().map(String::as_str).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_js_sees_codes_messages_and_challenges() {
    if is_missing() {
        return;
    }
    let authority = authority();
    let api = authority.resource_server().realm("rs").build().unwrap();
    let methods = Methods::new().require(CREATE, scope("orders.write"));
    let served = shop(api.methods(methods).unwrap()).await;
    let write = || authority.token().scope("orders.write");
    let answers = ask(
        &served,
        &[
            call(CREATE, None),
            call(CREATE, Some(&write().expired())),
            call(CREATE, Some(&authority.token())),
            call(CREATE, Some(&write())),
            call("/grpc.health.v1.Health/Check", None),
        ],
    );
    let [none, expired, short, good, health] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!((none.code, none.details.as_str()), (16, "An access token is required"));
    assert_eq!(none.challenges(), [r#"Bearer realm="rs", scope="orders.write""#]);
    assert_eq!((expired.code, expired.details.as_str()), (16, "The access token expired"));
    let [challenge] = expired.challenges()[..] else { panic!("{expired:?}") };
    assert!(challenge.starts_with(r#"Bearer realm="rs", error="invalid_token","#), "{challenge}");
    assert_eq!(short.code, 7);
    let [challenge] = short.challenges()[..] else { panic!("{short:?}") };
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#"scope="orders.write""#), "{challenge}");
    assert_eq!((good.code, good.challenges().len()), (0, 0), "{good:?}");
    assert_eq!(health.code, 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_js_sees_that_tokens_cannot_be_judged() {
    if is_missing() {
        return;
    }
    let authority = authority();
    authority.set_outage(Outage::Everything);
    let api = authority.resource_server().build().unwrap();
    let served = shop(api.methods(Methods::new()).unwrap()).await;
    let answers = ask(&served, &[call(WATCH, Some(&authority.token()))]);
    assert_eq!(answers[0].code, 14);
    assert_eq!(answers[0].challenges().len(), 0);
    let retry: u64 = answers[0].metadata["retry-after"][0].parse().unwrap();
    assert!((1..=60).contains(&retry));
}

fn call(path: &str, token: Option<&TokenBuilder>) -> Value {
    let metadata = match token {
        Some(token) => json!({ "authorization": format!("Bearer {}", token.mint()) }),
        None => json!({}),
    };
    json!({ "path": path, "metadata": metadata })
}

/// One after the other, by one client. It blocks.
fn ask(served: &Served, calls: &[Value]) -> Vec<Answer> {
    let mut client = Command::new("node")
        .arg("client.mjs")
        .current_dir(FOLDER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = json!({ "address": served.address.to_string(), "calls": calls });
    client.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether the client is not there, after telling so; a panic instead where nothing may be skipped,
/// which is where `CI` is `true`.
fn is_missing() -> bool {
    let has_node = Command::new("node").arg("--version").stdout(Stdio::null()).status().is_ok();
    let is_there = has_node && Path::new(FOLDER).join("node_modules/@grpc/grpc-js").is_dir();
    if !is_there {
        let notice = "skipped: there is no grpc-js for node; run scripts/install-test-tools";
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI, {notice}");
        // Not eprintln!, which the test harness swallows when the test passes.
        std::io::stderr().write_all(format!("{notice}\n").as_bytes()).unwrap();
    }
    !is_there
}
