//! To-do lists as tools. Guards have decided before a tool runs; a tool only asks whose list it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum_entra::{AccountId, Claims};
use http::request::Parts;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, schemars, tool, tool_handler, tool_router};
use serde::Deserialize;

#[path = "../../whoami/mod.rs"]
mod whoami;

/// Each account's own list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists(Arc<Mutex<HashMap<AccountId, Vec<String>>>>);

impl Lists {
    fn with<T>(&self, account: AccountId, act: impl FnOnce(&mut Vec<String>) -> T) -> T {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(lists.entry(account).or_default())
    }
}

/// What a list holds at most, since it is only in memory.
const MOST: usize = 1_000;

#[derive(Debug, Clone)]
pub(crate) struct TodoTools {
    lists: Lists,
    tool_router: ToolRouter<Self>,
}

/// The arguments of `add_todo`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct NewTodo {
    /// What is to be done.
    title: String,
}

#[tool_router(router = tool_router)]
impl TodoTools {
    pub(crate) fn new(lists: Lists) -> Self {
        Self {
            lists,
            tool_router: Self::tool_router(),
        }
    }

    #[tool(description = "Who is calling")]
    async fn whoami(&self, Extension(parts): Extension<Parts>) -> Result<String, String> {
        Ok(whoami::body(claims(&parts)?).to_string())
    }

    #[tool(description = "The caller's to-do list")]
    async fn list_todos(&self, Extension(parts): Extension<Parts>) -> Result<String, String> {
        let list = self.lists.with(account(&parts)?, |list| list.clone());
        Ok(serde_json::json!(list).to_string())
    }

    #[tool(description = "Add something to the caller's to-do list")]
    async fn add_todo(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(NewTodo { title }): Parameters<NewTodo>,
    ) -> Result<String, String> {
        self.lists.with(account(&parts)?, |list| {
            if list.len() >= MOST {
                return Err("the list is full".to_owned());
            }
            list.push(title);
            Ok(format!("{} to do", list.len()))
        })
    }

    #[tool(description = "Run the jobs; for applications")]
    async fn run_jobs(&self) -> String {
        "started".to_owned()
    }

    #[tool(description = "Approve what is to be done; for people, not for agents")]
    async fn approve(&self) -> String {
        "approved".to_owned()
    }
}

/// Every request passes the layer, so every tool finds the claims of its own request.
fn claims(parts: &Parts) -> Result<&Claims, String> {
    let claims = parts.extensions.get::<Claims>();
    claims.ok_or_else(|| "not_configured".to_owned())
}

fn account(parts: &Parts) -> Result<AccountId, String> {
    let account = claims(parts)?.account_id();
    account.ok_or_else(|| "the token does not say whose list it is".to_owned())
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for TodoTools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}
