//! An MCP server behind the layer: `cargo run --example mcp_server`, then give an MCP client
//! `http://127.0.0.1:3000/mcp`. Without a token it gets 401 with the scope to begin with and
//! `resource_metadata`, reads there which authority to ask, and comes back with a token.
//!
//! On a real tenant set `AzureAd__Resource` to the URL that clients use, register that URL as an
//! identifier URI of the application, and give the client's id to the client: Entra registers
//! none on the fly. See docs/operations.md, "Protected-resource metadata".

mod session_owners;
#[path = "../startup/mod.rs"]
mod startup;
mod todo_tools;

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum_entra::EntraBuilder;
use axum_entra::guard::RequireScope;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use session_owners::{SessionOwners, own_sessions};
use startup::{Plan, Sample, problems};
use todo_tools::TodoTools;

#[tokio::main]
async fn main() -> ExitCode {
    let plan = Plan {
        describe,
        ..Plan::default()
    };
    startup::run_planned(plan, routes).await
}

fn describe(builder: EntraBuilder, listener: String) -> EntraBuilder {
    builder
        .default_resource(format!("{listener}/mcp"))
        .resource_name("To-do lists for agents")
        .resource_scopes(["access_as_user", "Todo.Read"])
        .challenge_scopes(["access_as_user"])
}

async fn routes(sample: &Sample) -> Router {
    sample.show(|walk, _| {
        let initialize = "POST /mcp -H 'Content-Type: application/json' \
             -H 'Accept: application/json, text/event-stream' \
             -d '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":\
             {\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},\
             \"clientInfo\":{\"name\":\"curl\",\"version\":\"1\"}}}'";
        walk.call_anonymously(401, "the challenge says where to look", initialize)
            .call_anonymously(
                200,
                "which authority to ask, and for which scopes",
                "GET /.well-known/oauth-protected-resource/mcp",
            )
            .user("TOKEN", "alice", "access_as_user")
            .call(200, "the server introduces itself", "TOKEN", initialize);
    });
    let sessions = Arc::new(LocalSessionManager::default());
    let owners = SessionOwners::new(Arc::clone(&sessions));
    let tools = StreamableHttpService::new(
        || Ok(TodoTools::new()),
        sessions,
        StreamableHttpServerConfig::default(),
    );
    let mcp = Router::new()
        .nest_service("/mcp", tools)
        .layer(from_fn_with_state(owners, own_sessions))
        .layer(RequireScope("access_as_user"))
        .layer(sample.entra.layer());
    startup::with_metadata(&sample.entra, mcp)
}
