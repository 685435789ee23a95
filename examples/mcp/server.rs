//! The server itself: as much of the protocol as shows who may do what.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use portcullis::axum::metadata_router;
use portcullis::tower::OriginLayer;
use portcullis::{AccessToken, Rejection, Requirement, ResourceServer, scope};
use serde_json::{Value, json};

/// What one tool needs, all in one: a client that asks for it has a token for the rest too.
fn needs(tool: &str) -> Requirement {
    match tool {
        "delete_order" => scope("orders.read").and(scope("orders.write")),
        _ => scope("orders.read"),
    }
}

/// The routes of an MCP server that says where it is.
pub(crate) fn routes(api: &ResourceServer) -> Router {
    let name = "orders";
    let server = post(answer).route_layer(api.require(scope("orders.read"))).with_state(name);
    Router::new()
        .route("/mcp", server)
        // Who is not one of ours is not asked for a token either.
        .layer(OriginLayer::new(["https://app.example.com"]))
        .merge(metadata_router(api))
}

/// One message, one answer. Each request is judged by its own token; there is no session.
async fn answer(
    State(name): State<&'static str>,
    token: AccessToken,
    Json(message): Json<Value>,
) -> Result<Response, Rejection> {
    let result = match message["method"].as_str().unwrap_or_default() {
        "initialize" => json!({
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": { "tools": {} },
            "serverInfo": { "name": name, "version": "1.0.0" },
        }),
        "tools/list" => json!({ "tools": [tool("list_orders"), tool("delete_order")] }),
        "tools/call" => {
            let tool = message["params"]["name"].as_str().unwrap_or_default();
            token.check(&needs(tool))?;
            json!({ "content": [{ "type": "text", "text": format!("{tool} for {}", token.subject()) }] })
        }
        _ if message["id"].is_null() => return Ok(StatusCode::ACCEPTED.into_response()),
        _ => {
            let error = json!({ "code": -32601, "message": "there is no such method" });
            let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "error": error });
            return Ok(Json(answer).into_response());
        }
    };
    let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
    Ok(Json(answer).into_response())
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object" } })
}
