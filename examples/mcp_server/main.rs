//! Two MCP servers in one process, with a guard for each tool: `cargo run --example mcp_server`, then
//! give an MCP client `http://127.0.0.1:3000/mcp`. Without a token it gets 401 with the scope to
//! begin with and `resource_metadata`, reads there which authority to ask, and comes back with a
//! token. A tool that needs more answers 403 with the scope to ask for.
//!
//! On a real tenant set `AzureAd__Resource` to the two URLs that clients use, register both as
//! identifier URIs of the application, and give the client's id to the client: Entra registers none
//! on the fly. See docs/mcp.md.

mod servers;
#[path = "../startup/mod.rs"]
mod startup;

use std::process::ExitCode;

use axum::Router;
use entra_emulator::EmulatorBuilder;
use serde_json::{Value, json};
use startup::{Plan, Sample};

#[tokio::main]
async fn main() -> ExitCode {
    let plan = Plan {
        describe: servers::describe,
        registered: |emulator: EmulatorBuilder, listener| {
            emulator.app(servers::registration(listener))
        },
        settings_at: |settings: Value, listener| servers::settings(settings, listener),
        ..Plan::default()
    };
    startup::run_planned(plan, routes).await
}

async fn routes(sample: &Sample) -> Router {
    sample.show(|walk, _| {
        let base = walk.base();
        let (mcp, reports) = (format!("{base}/mcp"), format!("{base}/reports/mcp"));
        walk.user("TOKEN", "alice", &format!("{mcp}/Todo.Read"))
            .call_anonymously(
                401,
                "the challenge names the least scope and where to look",
                &post("/mcp", "tools/list", None),
            )
            .call_anonymously(
                200,
                "which authority to ask, and for which scopes",
                "GET /.well-known/oauth-protected-resource/mcp",
            )
            .call(
                200,
                "what is on the list",
                "TOKEN",
                &post("/mcp", "tools/call", Some(("list_todos", json!({})))),
            )
            .call(
                403,
                "a tool that needs another scope, which the challenge names",
                "TOKEN",
                &post(
                    "/mcp",
                    "tools/call",
                    Some(("add_todo", json!({ "title": "milk" }))),
                ),
            )
            .user("WRITER", "alice", &format!("{mcp}/Todo.ReadWrite"))
            .call(
                200,
                "with a token for it; it may read as well",
                "WRITER",
                &post(
                    "/mcp",
                    "tools/call",
                    Some(("add_todo", json!({ "title": "milk" }))),
                ),
            )
            .app("APP")
            .call(
                200,
                "a tool for applications",
                "APP",
                &post("/mcp", "tools/call", Some(("run_jobs", json!({})))),
            )
            .call(
                403,
                "not for people",
                "WRITER",
                &post("/mcp", "tools/call", Some(("run_jobs", json!({})))),
            )
            .user("REPORTER", "bob", &format!("{reports}/Data.Read"))
            .call(
                200,
                "the second server, with scopes of its own",
                "REPORTER",
                &post("/reports/mcp", "tools/call", Some(("report", json!({})))),
            );
    });
    servers::routes(&sample.entra, sample.stopped())
}

/// A request of protocol version 2026-07-28, as `walk` takes it: it needs no session.
fn post(path: &str, method: &str, tool: Option<(&str, Value)>) -> String {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "curl", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut params = json!({ "_meta": meta });
    let mut name = String::new();
    if let (Some((tool, arguments)), Some(params)) = (tool, params.as_object_mut()) {
        params.insert("name".to_owned(), json!(tool));
        params.insert("arguments".to_owned(), arguments);
        name = format!("-H 'Mcp-Name: {tool}' ");
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    format!(
        "POST {path} -H 'Content-Type: application/json' \
         -H 'Accept: application/json, text/event-stream' \
         -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: {method}' {name}-d '{body}'"
    )
}
