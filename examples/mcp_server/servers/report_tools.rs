//! The second server, of one tool.

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};

#[derive(Debug, Clone)]
pub(crate) struct ReportTools {
    tool_router: ToolRouter<Self>,
}

#[tool_router(router = tool_router)]
impl ReportTools {
    pub(crate) fn new() -> Self {
        Self {
            tool_router: Self::tool_router(),
        }
    }

    #[tool(description = "The report")]
    async fn report(&self) -> String {
        "all is well".to_owned()
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for ReportTools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}
