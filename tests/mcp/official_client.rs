//! The client from npm, a real authorization server, and sockets.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use portcullis::{Issuer, ResourceServer};
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::server;
use crate::support::oidc_provider::{OidcProvider, USER, WEB};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mcp");

#[derive(Deserialize, Debug)]
struct Told {
    server: String,
    answers: Vec<String>,
    scopes: Vec<String>,
    asked: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_02_mcp_03_mcp_06_the_official_client_finds_its_way_from_a_401_and_asks_for_more_after_a_403()
 {
    if is_missing() {
        return;
    }
    let Some(provider) = OidcProvider::start().await else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let resource = format!("{host}/mcp");
    let api = ResourceServer::builder()
        .issuer(Issuer::discover(provider.issuer()))
        .mcp_server(&resource)
        .build()
        .unwrap();
    tokio::spawn(async move { axum::serve(listener, server::routes(&api)).await.unwrap() });

    let tools = ["list_orders", "delete_order"];
    let Told { server, answers, scopes, asked } = ask(&provider, &resource, &tools).await;
    assert_eq!(server, "orders");
    assert_eq!(answers, tools.map(|tool| format!("{tool} for {USER}")));
    // What the 401 named, and what the 403 named.
    assert_eq!(scopes, ["orders.read", "orders.read orders.write"]);
    // The 401 leads to the document, which leads to the authorization server.
    let metadata = format!("GET {host}/.well-known/oauth-protected-resource/mcp 200");
    assert_eq!(asked[..2], [format!("POST {resource} 401"), metadata]);
    assert!(asked[2].starts_with(&format!("GET {}/.well-known/", provider.issuer())), "{asked:#?}");
    let refused = asked.iter().filter(|line| **line == format!("POST {resource} 403")).count();
    assert_eq!(refused, 1, "{asked:#?}");
}

async fn ask(provider: &OidcProvider, server: &str, tools: &[&str]) -> Told {
    let mut client = Command::new("node")
        .arg("client.mjs")
        .current_dir(FOLDER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let asked = json!({
        "server": server,
        "issuer": provider.issuer(),
        "client_id": WEB,
        "redirect_uri": "http://127.0.0.1/callback",
        "tools": tools,
    });
    client.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).await.unwrap();
    let output = client.wait_with_output().await.unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether the client is not there, after telling so; a panic instead where nothing may be skipped,
/// which is where `CI` is `true`.
fn is_missing() -> bool {
    let is_there = Path::new(FOLDER).join("node_modules/@modelcontextprotocol/sdk").is_dir();
    if !is_there {
        let notice = "skipped: there is no MCP client for node; run scripts/install-test-tools";
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI, {notice}");
        // Not eprintln!, which the test harness swallows when the test passes.
        std::io::stderr().write_all(format!("{notice}\n").as_bytes()).unwrap();
    }
    !is_there
}
