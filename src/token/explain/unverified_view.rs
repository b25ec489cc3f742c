//! A look at a token that proves nothing, for hints and for showing what was found.

use serde_json::Value;

use crate::claims::Confirmation;

/// What stands in a token, as far as it can be read. Never decides anything.
#[derive(Default)]
pub(super) struct Peek {
    header: Value,
    claims: Value,
    header_bytes: Option<Vec<u8>>,
    pub(super) parts: usize,
}

/// The longest value that is shown.
const MOST_SHOWN: usize = 200;

impl Peek {
    pub(super) fn at(token: &str, most_bytes: usize) -> Self {
        if token.len() > most_bytes {
            return Self::default();
        }
        let mut parts = token.split('.');
        Self {
            header_bytes: decode(token.split('.').next()),
            header: read(parts.next()),
            claims: read(parts.next()),
            parts: token.split('.').count(),
        }
    }

    /// A member of the header, shortened.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.header.get(name).map(shown)
    }

    /// The header as it stands in the token.
    pub(super) fn header_bytes(&self) -> Option<&[u8]> {
        self.header_bytes.as_deref()
    }

    /// A claim, shortened.
    pub(super) fn claim(&self, name: &str) -> Option<String> {
        self.claims.get(name).map(shown)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.claims.get(name)?.as_u64()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.claims.get(name).is_some_and(|value| !value.is_null())
    }

    /// What the token says it is bound to; `None` also where no request can prove it.
    pub(super) fn confirmation(&self) -> Option<Confirmation> {
        Confirmation::parse(&self.claims.get("cnf")?.to_string())
    }

    pub(super) fn header_has(&self, name: &str) -> bool {
        self.header.get(name).is_some()
    }

    /// Several claims in a row, those that are there.
    pub(super) fn claims(&self, names: &[&str]) -> Option<String> {
        let found: Vec<String> = names
            .iter()
            .filter_map(|name| self.claim(name).map(|value| format!("{name} {value}")))
            .collect();
        (!found.is_empty()).then(|| found.join(", "))
    }
}

fn decode(part: Option<&str>) -> Option<Vec<u8>> {
    let base64 = base64_simd::URL_SAFE_NO_PAD;
    base64
        .decode_to_vec(part?.trim_end_matches('=').as_bytes())
        .ok()
}

fn read(part: Option<&str>) -> Value {
    decode(part)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// A value for the eye: short, and without control characters.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    cut(&text)
}

pub(super) fn cut(text: &str) -> String {
    let safe = text.chars().map(|character| {
        if character.is_control() {
            '\u{fffd}'
        } else {
            character
        }
    });
    let mut short: String = safe.clone().take(MOST_SHOWN).collect();
    if safe.count() > MOST_SHOWN {
        short.push('…');
    }
    short
}
