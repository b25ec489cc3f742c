//! The two servers: what they are, what their tools need, and where they are.
#![allow(dead_code, reason = "the program and its tests use their part each")]

mod report_tools;
mod todo_tools;

// ANCHOR: uses
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum_entra::guard::{DenyAgents, Guard, RequireAppOnly, RequireRole, RequireScope};
use axum_entra::mcp::{AnyToken, ToolGuards};
use axum_entra::{Entra, EntraBuilder, ProtectedResource, ScopeHierarchy};
use entra_emulator::{API_ID, App, sample_api};
use report_tools::ReportTools;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use todo_tools::{Lists, TodoTools};
use tower::Layer as _;
// ANCHOR_END: uses

const TODOS: &str = "/mcp";
const REPORTS: &str = "/reports/mcp";

// ANCHOR: describe
/// What the metadata and the challenges of each server say.
pub(crate) fn describe(builder: EntraBuilder, listener: String) -> EntraBuilder {
    builder
        // A token that may write may read; the challenge still names the least.
        .scope_hierarchy(ScopeHierarchy::new().implies("Todo.ReadWrite", "Todo.Read"))
        .default_resource(
            ProtectedResource::new(format!("{listener}{TODOS}"))
                .name("To-do lists")
                .scopes(["Todo.Read", "Todo.ReadWrite"])
                .challenge_scopes(["Todo.Read"]),
        )
        .default_resource(
            ProtectedResource::new(format!("{listener}{REPORTS}"))
                .name("Reports")
                .scopes(["Data.Read"])
                .challenge_scopes(["Data.Read"]),
        )
}
// ANCHOR_END: describe

// ANCHOR: routes
/// Both servers and their metadata documents; `stopped` ends open streams.
pub(crate) fn routes(entra: &Entra, stopped: impl Future<Output = ()> + Send + 'static) -> Router {
    routes_behind(todo_guards(), entra, stopped)
}

/// The same with other guards of the first server.
pub(crate) fn routes_behind(
    todo_guards: ToolGuards,
    entra: &Entra,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Router {
    // rmcp's list of hosts is for servers without tokens: it keeps pages of a browser out that reach this
    // machine under a name of their own (DNS rebinding). Such a page has no token.
    let config = StreamableHttpServerConfig::default().disable_allowed_hosts();
    let ended = config.cancellation_token.clone();
    tokio::spawn(async move {
        stopped.await;
        ended.cancel();
    });
    let lists = Lists::default();
    let todos = StreamableHttpService::new(
        move || Ok(TodoTools::new(lists.clone())),
        Arc::new(LocalSessionManager::default()),
        config.clone(),
    );
    let reports = StreamableHttpService::new(
        || Ok(ReportTools::new()),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let servers = Router::new()
        .nest_service(TODOS, todo_guards.layer(todos))
        .nest_service(REPORTS, report_guards().layer(reports))
        .route_layer(entra.layer());
    entra
        .metadata_routes()
        .fold(servers, |app, (path, document)| {
            app.route_service(&path, document)
        })
}
// ANCHOR_END: routes

/// The first server as the SDK makes it, which lets everyone in: for comparison in tests.
pub(crate) fn without_guards() -> Router {
    let lists = Lists::default();
    let todos = StreamableHttpService::new(
        move || Ok(TodoTools::new(lists.clone())),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default().disable_allowed_hosts(),
    );
    Router::new().nest_service(TODOS, todos)
}

pub(crate) fn todo_guards() -> ToolGuards {
    ToolGuards::new()
        .tool("whoami", AnyToken)
        .tool("list_todos", RequireScope("Todo.Read"))
        .tool("add_todo", RequireScope("Todo.ReadWrite"))
        .tool("run_jobs", RequireAppOnly.and(RequireRole("Tasks.Run")))
        .tool("approve", RequireScope("Todo.ReadWrite").and(DenyAgents))
}

fn report_guards() -> ToolGuards {
    let application = RequireAppOnly.and(RequireRole("Data.Read.All"));
    ToolGuards::new().tool("report", RequireScope("Data.Read").or(application))
}

/// The emulator's registration of this API: both URLs are identifier URIs, and its tokens tell agents.
pub(crate) fn registration(listener: &str) -> App {
    sample_api()
        .with_identifier_uri(format!("{listener}{TODOS}"))
        .with_identifier_uri(format!("{listener}{REPORTS}"))
        .with_facets()
}

/// The emulator's settings and what belongs to that registration.
pub(crate) fn settings(mut settings: Value, listener: &str) -> Value {
    let (todos, reports) = (format!("{listener}{TODOS}"), format!("{listener}{REPORTS}"));
    if let Some(section) = settings.get_mut("AzureAd").and_then(Value::as_object_mut) {
        section.insert("AppIdUri".to_owned(), json!([todos, reports]));
        // A v1.0 token's audience is the identifier URI that it was asked for with.
        let audiences = json!([API_ID, format!("api://{API_ID}"), todos, reports]);
        section.insert("Audiences".to_owned(), audiences);
    }
    settings
}
