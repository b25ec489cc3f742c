//! Guards of Model Context Protocol (MCP) tools.

mod body;
mod failure;
mod headers;
mod member_names;
mod message;
mod needs;
mod service;
mod sessions;
mod stream;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::guard::{Caller, Denied, Guard, Requirements, SharedGuard};

use super::guard_layer::tell_mistakes;
use sessions::SessionIds;

pub(super) use failure::McpFailure;
pub use service::ToolGuardsService;

/// A guard for each tool, prompt and resource of an MCP server, as a layer around the server.
///
/// The layer reads the JSON-RPC body and decides before the server sees the request, so a refusal
/// is an HTTP 403 with a challenge: a client steps up on that, and never on an error inside a
/// JSON-RPC answer. **A tool, prompt, resource or method without a guard is refused** (403, reason
/// `tool`). Any valid token may call `initialize`, `ping`, `tools/list`, `server/discover` and
/// `subscriptions/listen`, and send notifications and responses; [`method`](Self::method) asks
/// for more, or opens further methods.
///
/// **A stream of events ends with its token**: the answer to a GET or to `subscriptions/listen`,
/// when the layer would refuse the token (the clock skew after it expires, or when it is revoked) and
/// when its account signs out. The answer to a call is finished, as that of any request that was
/// admitted.
///
/// Put it inside [`EntraLayer`](crate::EntraLayer) and directly around the server:
///
/// ```
/// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, body::Body, http::Request, routing::post};
/// use axum_entra::guard::{DenyAgents, Guard, RequireScope};
/// use axum_entra::mcp::{AnyToken, ToolGuards};
/// use axum_entra::testing::claims;
/// use tower::ServiceExt;
///
/// let tools = ToolGuards::new()
///     .tool("whoami", AnyToken)
///     .tool("list_todos", RequireScope("Todo.Read"))
///     .tool("approve", RequireScope("Todo.ReadWrite").and(DenyAgents))
///     .resource("todo://list", RequireScope("Todo.Read"));
/// let app: Router = Router::new()
///     // Or the service of an SDK, by `route_service` or `nest_service`.
///     .route("/mcp", post(async |body: String| body))
///     .layer(tools);
///     // .layer(entra.layer())
///
/// let call = async |tool: &str| {
///     let body = serde_json::json!({
///         "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool },
///     });
///     let request = Request::post("/mcp").body(Body::from(body.to_string())).unwrap();
///     app.clone().oneshot(claims().scope("Todo.Read").insert_into(request)).await.unwrap().status()
/// };
/// assert_eq!(call("list_todos").await, 200);
/// assert_eq!(call("approve").await, 403);
/// // A tool that was added to the server, and has no guard yet.
/// assert_eq!(call("delete_all").await, 403);
/// # Ok(()) }
/// # #[cfg(not(feature = "test-util"))] fn main() {}
/// ```
///
/// * The body decides, whatever `Content-Type` says, and goes on unchanged. It is at most 1 MiB long
///   (413), without a content coding (415), and one JSON-RPC message with each member once (400,
///   `mcp_body`). Each item of a batch is checked; one refusal refuses all. Requests of other HTTP
///   methods pass without a body, and are read like a `POST` with one.
/// * From `MCP-Protocol-Version` 2026-07-28 on, `Mcp-Method` and `Mcp-Name` must say what the body
///   says: else 400 with the JSON-RPC error −32020, reason `mcp_headers`. For older versions they
///   mean nothing, so that no request is let through for what they say.
/// * A session of an older version belongs to the account and the client that began it: for others
///   its id is 404. To know this the layer signs the server's session ids on their way to the client
///   and takes the signatures off again.
///
/// Not checked: arguments of tools, what a tool does, `Origin` and `Host` (the SDK's matter), and
/// how long a client takes to send its body.
///
/// Source: Model Context Protocol 2026-07-28, "Authorization" and "Transports"; JSON-RPC 2.0.
#[derive(Clone)]
pub struct ToolGuards {
    guards: Vec<SharedGuard>,
    /// Places in `guards`.
    tools: HashMap<String, usize>,
    prompts: HashMap<String, usize>,
    resources: HashMap<String, usize>,
    methods: HashMap<String, usize>,
    sessions: SessionIds,
    /// The versions that the server supports, where they are named.
    versions: Arc<[String]>,
}

impl Default for ToolGuards {
    fn default() -> Self {
        Self::new()
    }
}

impl ToolGuards {
    /// No tool may be called yet.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::post};
    /// use axum_entra::{mcp::ToolGuards, testing::claims};
    /// use tower::ServiceExt;
    ///
    /// let app: Router = Router::new().route("/mcp", post(async || "")).layer(ToolGuards::new());
    /// let call = async |message: &'static str| {
    ///     let request = Request::post("/mcp").body(Body::from(message)).unwrap();
    ///     app.clone().oneshot(claims().scope("Todo.Read").insert_into(request)).await.unwrap().status()
    /// };
    /// assert_eq!(call(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).await, 200);
    /// let named = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_todos"}}"#;
    /// assert_eq!(call(named).await, 403);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "test-util"))] fn main() {}
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            guards: Vec::new(),
            tools: HashMap::new(),
            prompts: HashMap::new(),
            resources: HashMap::new(),
            methods: HashMap::new(),
            sessions: SessionIds::random(),
            versions: Arc::default(),
        }
    }

    /// Guards a tool (`tools/call`), by its name as it is, in this letter case.
    ///
    /// With several guards for one name a caller must pass all of them; so too below.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::post};
    /// use axum_entra::{guard::RequireScope, mcp::ToolGuards, testing::claims};
    /// use tower::ServiceExt;
    ///
    /// let tools = ToolGuards::new().tool("list_todos", RequireScope("Todo.Read"));
    /// let app: Router = Router::new().route("/mcp", post(async || "milk")).layer(tools);
    /// let call = async |scope: &str| {
    ///     let message = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_todos"}}"#;
    ///     let request = Request::post("/mcp").body(Body::from(message)).unwrap();
    ///     app.clone().oneshot(claims().scope(scope).insert_into(request)).await.unwrap().status()
    /// };
    /// assert_eq!(call("Todo.Read").await, 200);
    /// // The challenge of the 403 names the scope, so that the client can ask for it.
    /// assert_eq!(call("Other").await, 403);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "test-util"))] fn main() {}
    /// ```
    #[must_use]
    pub fn tool(
        mut self,
        name: impl Into<String>,
        guard: impl Guard + Send + Sync + 'static,
    ) -> Self {
        Self::add(&mut self.guards, &mut self.tools, name.into(), guard);
        self
    }

    /// Guards a prompt (`prompts/get`).
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::post};
    /// use axum_entra::{mcp::{AnyToken, ToolGuards}, testing::claims};
    /// use tower::ServiceExt;
    ///
    /// let guards = ToolGuards::new().prompt("plan_my_day", AnyToken);
    /// let app: Router = Router::new().route("/mcp", post(async || "")).layer(guards);
    /// let get = async |message: &'static str| {
    ///     let request = Request::post("/mcp").body(Body::from(message)).unwrap();
    ///     app.clone().oneshot(claims().scope("Todo.Read").insert_into(request)).await.unwrap().status()
    /// };
    /// let own = r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"plan_my_day"}}"#;
    /// assert_eq!(get(own).await, 200);
    /// let other = r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"plan_my_year"}}"#;
    /// assert_eq!(get(other).await, 403);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "test-util"))] fn main() {}
    /// ```
    #[must_use]
    pub fn prompt(
        mut self,
        name: impl Into<String>,
        guard: impl Guard + Send + Sync + 'static,
    ) -> Self {
        Self::add(&mut self.guards, &mut self.prompts, name.into(), guard);
        self
    }

    /// Guards a resource (`resources/read`, `resources/subscribe`, `resources/unsubscribe`), by its
    /// address, byte for byte. A template's addresses are too many to name: guard the method.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::post};
    /// use axum_entra::{mcp::{AnyToken, ToolGuards}, testing::claims};
    /// use tower::ServiceExt;
    ///
    /// let guards = ToolGuards::new().resource("todo://list", AnyToken);
    /// let app: Router = Router::new().route("/mcp", post(async || "")).layer(guards);
    /// let read = async |message: &'static str| {
    ///     let request = Request::post("/mcp").body(Body::from(message)).unwrap();
    ///     app.clone().oneshot(claims().scope("Todo.Read").insert_into(request)).await.unwrap().status()
    /// };
    /// let own = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"todo://list"}}"#;
    /// assert_eq!(read(own).await, 200);
    /// // Below it is not it.
    /// let below = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"todo://list/1"}}"#;
    /// assert_eq!(read(below).await, 403);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "test-util"))] fn main() {}
    /// ```
    #[must_use]
    pub fn resource(
        mut self,
        uri: impl Into<String>,
        guard: impl Guard + Send + Sync + 'static,
    ) -> Self {
        Self::add(&mut self.guards, &mut self.resources, uri.into(), guard);
        self
    }

    /// Guards a method (`resources/list`, `completion/complete`): for `tools/call`, `prompts/get`
    /// and the methods of resources, what they name without a guard of its own.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::post};
    /// use axum_entra::{guard::RequireScope, mcp::ToolGuards, testing::claims};
    /// use tower::ServiceExt;
    ///
    /// // A template's addresses (`todo://list/{id}`) are too many to name.
    /// let guards = ToolGuards::new().method("resources/read", RequireScope("Todo.Read"));
    /// let app: Router = Router::new().route("/mcp", post(async || "")).layer(guards);
    /// let ask = async |message: &'static str| {
    ///     let request = Request::post("/mcp").body(Body::from(message)).unwrap();
    ///     app.clone().oneshot(claims().scope("Todo.Read").insert_into(request)).await.unwrap().status()
    /// };
    /// let read = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"todo://list/1"}}"#;
    /// assert_eq!(ask(read).await, 200);
    /// assert_eq!(ask(r#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel"}"#).await, 403);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "test-util"))] fn main() {}
    /// ```
    #[must_use]
    pub fn method(
        mut self,
        name: impl Into<String>,
        guard: impl Guard + Send + Sync + 'static,
    ) -> Self {
        Self::add(&mut self.guards, &mut self.methods, name.into(), guard);
        self
    }

    /// Signs session ids with this key, at least 32 random bytes, in place of one that the program
    /// makes at start: for replicas that share their sessions.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::post};
    /// use axum_entra::{mcp::ToolGuards, testing::claims};
    /// use tower::ServiceExt;
    ///
    /// # fn key_from_the_vault() -> [u8; 32] { [7; 32] }
    /// // A replica, with a server that begins a session.
    /// let replica = |key: [u8; 32]| -> Router {
    ///     let server = post(async || [("mcp-session-id", "s1")]);
    ///     Router::new().route("/mcp", server).layer(ToolGuards::new().session_key(key))
    /// };
    /// let ping = || Request::post("/mcp");
    /// let send = async |app: Router, request: http::request::Builder| {
    ///     let message = Body::from(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    ///     let request = claims().scope("Todo.Read").insert_into(request.body(message).unwrap());
    ///     app.oneshot(request).await.unwrap()
    /// };
    /// let begun = send(replica(key_from_the_vault()), ping()).await;
    /// let id = &begun.headers()["mcp-session-id"];
    /// let again = || ping().header("mcp-session-id", id);
    /// assert_eq!(send(replica(key_from_the_vault()), again()).await.status(), 200);
    /// // A replica with another key does not know the session.
    /// assert_eq!(send(replica([8; 32]), again()).await.status(), 404);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "test-util"))] fn main() {}
    /// ```
    #[must_use]
    pub fn session_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.sessions = SessionIds::keyed(key.as_ref());
        self
    }

    /// Names the protocol versions that the server supports (`2026-07-28`): the answer to a version that
    /// is no date lists them in `data.supported`, for the client to choose one, and repeats what was
    /// stated in `data.requested`.
    ///
    /// Which dates the server supports is its own matter: every date is let through.
    ///
    /// Source: Model Context Protocol 2026-07-28, "Unsupported protocol version".
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::post};
    /// use axum_entra::{mcp::ToolGuards, testing::claims};
    /// use http_body_util::BodyExt;
    /// use tower::ServiceExt;
    ///
    /// let guards = ToolGuards::new().protocol_versions(["2025-11-25", "2026-07-28"]);
    /// let app: Router = Router::new().route("/mcp", post(async || "")).layer(guards);
    /// let request = Request::post("/mcp")
    ///     .header("mcp-protocol-version", "latest")
    ///     .body(Body::from(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#))?;
    /// let refused = app.oneshot(claims().scope("Todo.Read").insert_into(request)).await?;
    /// assert_eq!(refused.status(), 400);
    /// let body: serde_json::Value = serde_json::from_slice(&refused.into_body().collect().await?.to_bytes())?;
    /// assert_eq!(body["error"]["data"]["requested"], "latest");
    /// assert_eq!(body["error"]["data"]["supported"][1], "2026-07-28");
    /// # Ok(()) }
    /// # #[cfg(not(feature = "test-util"))] fn main() {}
    /// ```
    #[must_use]
    pub fn protocol_versions(
        mut self,
        versions: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.versions = versions.into_iter().map(Into::into).collect();
        self
    }

    /// What each tool asks for, sorted by name: for documents.
    ///
    /// ```
    /// use axum_entra::guard::RequireScope;
    /// use axum_entra::mcp::{AnyToken, ToolGuards};
    ///
    /// let guards = ToolGuards::new()
    ///     .tool("whoami", AnyToken)
    ///     .tool("approve", RequireScope("Todo.ReadWrite"));
    /// let tools = guards.tools();
    /// assert_eq!((tools[0].0, tools[1].0), ("approve", "whoami"));
    /// assert_eq!(tools[0].1.to_string(), "scope `Todo.ReadWrite`");
    /// assert!(tools[1].1.alternatives()[0].scopes().is_empty());
    /// ```
    #[must_use]
    pub fn tools(&self) -> Vec<(&str, Requirements)> {
        let mut tools: Vec<_> = self
            .tools
            .iter()
            .filter_map(|(name, place)| Some((name.as_str(), self.guards.get(*place)?.describe())))
            .collect();
        tools.sort_by_key(|(name, _)| *name);
        tools
    }

    fn add(
        guards: &mut Vec<SharedGuard>,
        names: &mut HashMap<String, usize>,
        name: String,
        guard: impl Guard + Send + Sync + 'static,
    ) {
        tell_mistakes(&guard);
        let first = names
            .get(&name)
            .and_then(|place| guards.get(*place))
            .cloned();
        let guard: SharedGuard = match first {
            Some(first) => Arc::new(first.and(guard)),
            None => Arc::new(guard),
        };
        names.insert(name, guards.len());
        guards.push(guard);
    }
}

impl fmt::Debug for ToolGuards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tools = self.tools();
        let tools = tools.iter().map(|(name, needs)| (name, needs.to_string()));
        f.debug_struct("ToolGuards")
            .field("tools", &tools.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Lets every caller with a valid token pass: for tools that need no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct AnyToken;

impl Guard for AnyToken {
    fn check(&self, _: &Caller<'_>) -> Result<(), Denied<'_>> {
        Ok(())
    }

    fn describe(&self) -> Requirements {
        Requirements::none()
    }
}
