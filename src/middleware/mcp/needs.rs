//! Which guards a body needs: those of the tools, prompts, resources and methods that it names.

use std::collections::HashSet;
use std::sync::Arc;

use crate::guard::{Caller, DenialReason, Denied, Every, Guard};

use super::ToolGuards;
use super::message::{Message, Messages};

impl ToolGuards {
    /// What the messages need, each guard once.
    pub(super) fn needed(&self, messages: &Messages<'_>) -> Every {
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
                needed.push(guard.unwrap_or_else(|| Arc::new(Unmapped)));
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

/// Methods that say what a server has, and those that keep a connection; they call nothing.
const OPEN_METHODS: [&str; 5] = [
    "initialize",
    "ping",
    "server/discover",
    "subscriptions/listen",
    "tools/list",
];

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
    use crate::middleware::mcp::AnyToken;
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
