//! JSON-RPC messages (JSON-RPC 2.0), as far as a guard has to know them.

mod reader;

use std::borrow::Cow;

use serde_json::value::RawValue;

/// The body is no JSON-RPC message and no batch of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotJsonRpc;

/// What a body holds.
#[derive(Debug)]
pub(super) enum Messages<'t> {
    One(Message<'t>),
    /// Of versions before 2026-07-28; never empty.
    Batch(Vec<Message<'t>>),
}

/// A member that decides, if it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Member<'t> {
    #[default]
    Absent,
    Text(Cow<'t, str>),
    /// Something other than a string.
    Other,
}

/// One message: a request, a notification or a response.
#[derive(Debug, Default)]
pub(super) struct Message<'t> {
    /// A request's id as it is written: a string, a number or `null`.
    pub(super) id: Option<&'t RawValue>,
    jsonrpc: Member<'t>,
    method: Member<'t>,
    params: Params<'t>,
    results: usize,
}

/// What the parameters of a message name.
#[derive(Debug, Default)]
struct Params<'t> {
    name: Member<'t>,
    uri: Member<'t>,
    task: Member<'t>,
    /// The protocol version in `_meta`.
    version: Member<'t>,
}

impl Member<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Other => None,
        }
    }
}

impl<'t> Messages<'t> {
    /// Reads a body: one JSON text, each member of each object once, not more than 128 levels.
    pub(super) fn read(body: &'t [u8]) -> Result<Self, NotJsonRpc> {
        reader::messages(body).ok_or(NotJsonRpc)
    }

    pub(super) fn all(&self) -> &[Message<'t>] {
        match self {
            Self::One(message) => std::slice::from_ref(message),
            Self::Batch(messages) => messages,
        }
    }

    /// The id to answer with: that of the one request.
    pub(super) fn id(&self) -> Option<&'t RawValue> {
        match self {
            Self::One(message) if message.method().is_some() => message.id,
            Self::One(_) | Self::Batch(_) => None,
        }
    }
}

impl Message<'_> {
    /// The method; `None` of a response.
    pub(super) fn method(&self) -> Option<&str> {
        self.method.text()
    }

    /// The protocol version that the message states (`_meta`).
    pub(super) const fn version(&self) -> &Member<'_> {
        &self.params.version
    }

    /// What the method is about: the name of a tool or prompt, the address of a resource, the id of
    /// a task; `None` where the method has no name.
    pub(super) fn name(&self) -> Option<&Member<'_>> {
        Some(match self.method()? {
            "tools/call" | "prompts/get" => &self.params.name,
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => &self.params.uri,
            "tasks/get" | "tasks/update" | "tasks/cancel" => &self.params.task,
            _ => return None,
        })
    }

    /// Whether it is a message at all, and a call that names its tool.
    fn is_well_formed(&self) -> bool {
        let is_call = self.method() == Some("tools/call");
        self.jsonrpc.text() == Some("2.0")
            && match self.method {
                Member::Text(_) => !is_call || self.params.name.text().is_some(),
                // A response has one of the two members.
                Member::Absent => self.results == 1,
                Member::Other => false,
            }
    }
}

#[cfg(test)]
mod tests;
