//! An MCP server of two tools, which know who is calling.

use axum_entra::guard::{Caller, Guard, RequireScope};
use axum_entra::{Claims, Clock};
use http::request::Parts;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::Extension;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};

#[derive(Debug, Clone)]
pub(crate) struct TodoTools {
    tool_router: ToolRouter<Self>,
}

#[tool_router(router = tool_router)]
impl TodoTools {
    pub(crate) fn new() -> Self {
        Self {
            tool_router: Self::tool_router(),
        }
    }

    /// Every request passes the layer, so every tool finds the claims of its own request.
    #[tool(description = "Who is calling")]
    async fn whoami(&self, Extension(parts): Extension<Parts>) -> Result<String, String> {
        let claims = claims(&parts)?;
        let client = claims.client_id().unwrap_or("unknown");
        Ok(format!("{} by {client}", claims.principal().as_str()))
    }

    /// A tool may need more than the server does.
    #[tool(description = "Read the caller's to-do list")]
    async fn todos(&self, Extension(parts): Extension<Parts>) -> Result<String, String> {
        let claims = claims(&parts)?;
        let caller = Caller::at(claims, Clock::system().now());
        RequireScope("Todo.Read")
            .check(&caller)
            .map_err(|denied| format!("refused: {}", denied.reason()))?;
        Ok("nothing to do".to_owned())
    }
}

/// No claims, no answer: a server without the layer answers no request.
fn claims(parts: &Parts) -> Result<&Claims, String> {
    let claims = parts.extensions.get::<Claims>();
    claims.ok_or_else(|| "not_configured".to_owned())
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for TodoTools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}
