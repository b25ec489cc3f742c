//! Guards of Model Context Protocol (MCP) tools.

mod body;
mod failure;
mod headers;
mod member_names;
mod message;
mod service;
mod sessions;

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::guard::{Caller, DenialReason, Denied, Every, Guard, Requirements, SharedGuard};

use super::guard_layer::tell_mistakes;
use message::{Message, Messages};
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
/// Put it inside [`EntraLayer`](crate::EntraLayer) and directly around the server:
///
/// ```
/// use axum::Router;
/// use axum::routing::post;
/// use axum_entra::guard::{DenyAgents, Guard, RequireScope};
/// use axum_entra::mcp::{AnyToken, ToolGuards};
///
/// # fn app(entra: &axum_entra::Entra) -> Router {
/// let tools = ToolGuards::new()
///     .tool("whoami", AnyToken)
///     .tool("list_todos", RequireScope("Todo.Read"))
///     .tool("approve", RequireScope("Todo.ReadWrite").and(DenyAgents))
///     .resource("todo://list", RequireScope("Todo.Read"));
/// Router::new()
///     // Or the service of an SDK, by `route_service` or `nest_service`.
///     .route("/mcp", post(async |body: String| body))
///     .layer(tools)
///     .layer(entra.layer())
/// # }
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
}

/// Methods that say what a server has, and those that keep a connection; they call nothing.
const OPEN_METHODS: [&str; 5] = [
    "initialize",
    "ping",
    "server/discover",
    "subscriptions/listen",
    "tools/list",
];

impl Default for ToolGuards {
    fn default() -> Self {
        Self::new()
    }
}

impl ToolGuards {
    /// No tool may be called yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            guards: Vec::new(),
            tools: HashMap::new(),
            prompts: HashMap::new(),
            resources: HashMap::new(),
            methods: HashMap::new(),
            sessions: SessionIds::random(),
        }
    }

    /// Guards a tool (`tools/call`), by its name as it is, in this letter case.
    ///
    /// With several guards for one name a caller must pass all of them; so too below.
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
    #[must_use]
    pub fn session_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.sessions = SessionIds::keyed(key.as_ref());
        self
    }

    /// What each tool asks for, sorted by name: for documents.
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
        let guard = SharedGuard::new(guard);
        let first = names
            .get(&name)
            .and_then(|place| guards.get(*place))
            .cloned();
        let guard = match first {
            Some(first) => SharedGuard::new(first.and(guard)),
            None => guard,
        };
        names.insert(name, guards.len());
        guards.push(guard);
    }

    /// What the messages need, each guard once.
    fn needed(&self, messages: &Messages<'_>) -> Every {
        let mut seen = HashSet::new();
        let mut needed = Vec::new();
        for message in messages.all() {
            let place = match self.needed_by(message) {
                Need::AnyToken => continue,
                Need::Guard(place) => Some(place),
                Need::Unmapped => None,
            };
            if seen.insert(place) {
                let guard = place.and_then(|place| self.guards.get(place)).cloned();
                needed.push(guard.unwrap_or_else(|| SharedGuard::new(Unmapped)));
            }
        }
        Every(needed)
    }

    fn needed_by(&self, message: &Message<'_>) -> Need {
        let Some(method) = message.method() else {
            return Need::AnyToken;
        };
        let named = match method {
            "tools/call" => Some(&self.tools),
            "prompts/get" => Some(&self.prompts),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
                Some(&self.resources)
            }
            _ => None,
        };
        let own = named.and_then(|names| names.get(message.name()?.text()?));
        if let Some(place) = own.or_else(|| self.methods.get(method)) {
            return Need::Guard(*place);
        }
        // With an id it is a request, whatever it is called.
        let is_notification = method.starts_with("notifications/") && message.id.is_none();
        match is_notification || OPEN_METHODS.contains(&method) {
            true => Need::AnyToken,
            false => Need::Unmapped,
        }
    }
}

/// What a message needs.
enum Need {
    AnyToken,
    /// The guard at this place.
    Guard(usize),
    Unmapped,
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

/// Refuses what has no guard.
struct Unmapped;

impl Guard for Unmapped {
    fn check(&self, _: &Caller<'_>) -> Result<(), Denied<'_>> {
        Err(Denied::new(DenialReason::Tool))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixTime;
    use crate::guard::{RequireRole, RequireScope};
    use crate::testing;

    fn reason(guards: &ToolGuards, body: &str) -> Option<DenialReason> {
        let messages = Messages::read(body.as_bytes()).unwrap();
        let claims = testing::claims().scope("a").build();
        let needed = guards.needed(&messages);
        let denied = needed
            .check(&Caller::at(&claims, UnixTime::from_secs(0)))
            .err();
        denied.map(|denied| denied.reason())
    }

    fn call(method: &str, key: &str, name: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"{key}":"{name}"}}}}"#)
    }

    #[test]
    fn tools_prompts_and_resources_have_names_of_their_own() {
        let guards = ToolGuards::new()
            .tool("x", RequireScope("a"))
            .prompt("y", RequireScope("a"))
            .resource("z", RequireScope("a"));
        for (method, key, own) in [
            ("tools/call", "name", "x"),
            ("prompts/get", "name", "y"),
            ("resources/read", "uri", "z"),
            ("resources/subscribe", "uri", "z"),
            ("resources/unsubscribe", "uri", "z"),
        ] {
            for name in ["x", "y", "z", "X", ""] {
                let expected = (name != own).then_some(DenialReason::Tool);
                let body = call(method, key, name);
                assert_eq!(reason(&guards, &body), expected, "{body}");
            }
        }
        assert_eq!(
            reason(&guards, &call("tasks/get", "taskId", "x")),
            Some(DenialReason::Tool)
        );
    }

    #[test]
    fn a_method_opens_what_has_no_guard_of_its_own() {
        let guards = ToolGuards::new()
            .tool("x", RequireScope("b"))
            .method("tools/call", AnyToken)
            .method("tools/list", RequireRole("r"))
            .method("resources/list", AnyToken);
        let of = |method: &str, name: &str| reason(&guards, &call(method, "name", name));
        assert_eq!(of("tools/call", "x"), Some(DenialReason::Scope));
        assert_eq!(of("tools/call", "other"), None);
        assert_eq!(of("tools/list", ""), Some(DenialReason::Role));
        assert_eq!(of("resources/list", ""), None);
        assert_eq!(of("resources/templates/list", ""), Some(DenialReason::Tool));
    }

    #[test]
    fn two_guards_for_one_tool_are_both_needed() {
        let both = ToolGuards::new()
            .tool("x", RequireScope("a"))
            .tool("x", RequireRole("r"));
        let body = call("tools/call", "name", "x");
        assert_eq!(reason(&both, &body), Some(DenialReason::Role));
        let tools = both.tools();
        assert_eq!(tools.len(), 1);
        assert_eq!(tools[0].1.to_string(), "scope `a` and role `r`");
        assert!(format!("{both:?}").contains("role `r`"));
    }

    #[test]
    fn a_notification_has_its_prefix_and_no_id() {
        let guards = ToolGuards::new();
        for (body, expected) in [
            (
                r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
                None,
            ),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, None),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"notifications/initialized"}"#,
                Some(DenialReason::Tool),
            ),
            (
                r#"{"jsonrpc":"2.0","method":"resources/list"}"#,
                Some(DenialReason::Tool),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"Ping"}"#,
                Some(DenialReason::Tool),
            ),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, None),
        ] {
            assert_eq!(reason(&guards, body), expected, "{body}");
        }
    }

    #[test]
    fn a_guard_of_many_items_is_asked_once() {
        let guards = ToolGuards::new().tool("x", RequireScope("a"));
        let item = call("tools/call", "name", "x");
        let batch = format!("[{}]", vec![item; 10_000].join(","));
        let messages = Messages::read(batch.as_bytes()).unwrap();
        assert_eq!(guards.needed(&messages).0.len(), 1);
    }
}
