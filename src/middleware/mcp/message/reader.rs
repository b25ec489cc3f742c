//! Reads messages, once and from front to back.
//!
//! The text is read by the JSON library that Rust's MCP SDKs read it with, so that both see the same
//! members. No value is built: the walk keeps names, and the few strings that decide.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Member, Message, Messages, Params};
use crate::claims::{MemberName, NUMBER, is_of_the_library};
use crate::middleware::mcp::member_names::{MemberNames, is_twin};

/// What a body holds; `None` if it is no message and no batch.
pub(super) fn messages(body: &[u8]) -> Option<Messages<'_>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut json = serde_json::Deserializer::from_str(text);
    let messages = json.deserialize_any(Body).ok()?;
    json.end().ok()?;
    Some(messages)
}

/// Fails with a text that is not shown to anyone.
fn refuse<T, E: Error>() -> Result<T, E> {
    Err(E::custom("not JSON-RPC"))
}

/// The next name of an object, if it is neither a second one nor one of the library's own.
fn next_name<'t, A: MapAccess<'t>>(
    map: &mut A,
    names: &mut MemberNames<'t>,
) -> Result<Option<Cow<'t, str>>, A::Error> {
    let Some(name) = map.next_key_seed(MemberName)? else {
        return Ok(None);
    };
    let is_special = is_of_the_library(&name) && name != NUMBER;
    if is_special || !names.insert(name.clone()) {
        return refuse();
    }
    Ok(Some(name))
}

struct Body;

impl<'t> Visitor<'t> for Body {
    type Value = Messages<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message or a batch")
    }

    fn visit_map<A: MapAccess<'t>>(self, map: A) -> Result<Self::Value, A::Error> {
        OneMessage.visit_map(map).map(Messages::One)
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut messages = Vec::new();
        while let Some(message) = seq.next_element_seed(OneMessage)? {
            messages.push(message);
        }
        if messages.is_empty() {
            return refuse();
        }
        Ok(Messages::Batch(messages))
    }
}

struct OneMessage;

impl<'t> DeserializeSeed<'t> for OneMessage {
    type Value = Message<'t>;

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for OneMessage {
    type Value = Message<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut message = Message::default();
        let mut names = MemberNames::default();
        while let Some(name) = next_name(&mut map, &mut names)? {
            match &*name {
                "jsonrpc" => message.jsonrpc = map.next_value_seed(Walk::KEEP)?,
                "method" => message.method = map.next_value_seed(Walk::KEEP)?,
                "id" => message.id = Some(id(map.next_value()?)?),
                "params" => message.params = map.next_value_seed(ParamsWalk)?,
                "result" | "error" => {
                    map.next_value_seed(Walk::PASS)?;
                    message.results = message.results.saturating_add(1);
                }
                other if is_twin(other, &MEMBERS) => return refuse(),
                _ => {
                    map.next_value_seed(Walk::PASS)?;
                }
            }
        }
        if !message.is_well_formed() {
            return refuse();
        }
        Ok(message)
    }
}

/// The members of a message; names that differ from them only in letter case are refused, since
/// there are readers that take the one for the other.
const MEMBERS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// The members of parameters that decide.
const NAMES: [&str; 4] = ["name", "uri", "taskId", "_meta"];

/// An id is a string, a number or `null`.
fn id<E: Error>(raw: &RawValue) -> Result<&RawValue, E> {
    let is_id = match raw.get().as_bytes() {
        // The walk over raw JSON does not look at escapes.
        [b'"', ..] => serde_json::from_str::<String>(raw.get()).is_ok(),
        [b'-' | b'0'..=b'9', ..] => raw.get().parse::<f64>().is_ok_and(f64::is_finite),
        other => other == b"null",
    };
    if is_id { Ok(raw) } else { refuse() }
}

/// `params`: an object, an array, or `null`, which some clients write for none.
struct ParamsWalk;

impl<'t> DeserializeSeed<'t> for ParamsWalk {
    type Value = Params<'t>;

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for ParamsWalk {
    type Value = Params<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parameters")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Params::default())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Walk::PASS.visit_seq(seq)?;
        Ok(Params::default())
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut params = Params::default();
        let mut names = MemberNames::default();
        while let Some(name) = next_name(&mut map, &mut names)? {
            match &*name {
                "name" => params.name = map.next_value_seed(Walk::KEEP)?,
                "uri" => params.uri = map.next_value_seed(Walk::KEEP)?,
                "taskId" => params.task = map.next_value_seed(Walk::KEEP)?,
                "_meta" => params.version = map.next_value_seed(MetaWalk)?,
                other if is_twin(other, &NAMES) => return refuse(),
                _ => {
                    map.next_value_seed(Walk::PASS)?;
                }
            }
        }
        Ok(params)
    }
}

/// `_meta`: an object, in which a client may state the version of the protocol.
struct MetaWalk;

/// MCP 2026-07-28, "Per-request protocol version".
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

impl<'t> DeserializeSeed<'t> for MetaWalk {
    type Value = Member<'t>;

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for MetaWalk {
    type Value = Member<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Member::Absent)
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut version = Member::Absent;
        let mut names = MemberNames::default();
        while let Some(name) = next_name(&mut map, &mut names)? {
            match &*name {
                VERSION => version = map.next_value_seed(Walk::KEEP)?,
                _ => {
                    map.next_value_seed(Walk::PASS)?;
                }
            }
        }
        Ok(version)
    }
}

/// Walks over a value of any kind; the library counts the levels.
#[derive(Clone, Copy)]
struct Walk {
    keeps_text: bool,
}

impl Walk {
    const KEEP: Self = Self { keeps_text: true };
    const PASS: Self = Self { keeps_text: false };
}

impl<'t> DeserializeSeed<'t> for Walk {
    type Value = Member<'t>;

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Walk {
    type Value = Member<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Self::Value, E> {
        Ok(Member::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(match self.keeps_text {
            true => Member::Text(Cow::Owned(text.to_owned())),
            false => Member::Other,
        })
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element_seed(Self::PASS)?.is_some() {}
        Ok(Member::Other)
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut names = MemberNames::default();
        while next_name(&mut map, &mut names)?.is_some() {
            map.next_value_seed(Self::PASS)?;
        }
        Ok(Member::Other)
    }
}
