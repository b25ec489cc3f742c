//! The members of a payload object as they are read, one after the other, each of them once.

use std::borrow::Cow;
use std::collections::HashSet;

use super::form::deep_form;
use super::scan::Scanned;
use super::span::Span;
use super::values::{Name, Value, Values};
use super::wire::Malformed;

/// Collects the members of the payload object.
pub(super) struct Members<'t> {
    payload: &'t str,
    /// Strings that had escapes in them; they will stand behind the payload.
    pub(super) decoded: String,
    pub(super) values: Values,
    /// Names and values of the members that have no name of their own here.
    pub(super) others: Vec<(Span, Span)>,
    /// Known names that were there, `null` or not.
    seen: [bool; Name::COUNT],
    folded: [bool; FOLDED.len()],
    many: HashSet<String>,
}

impl<'t> Members<'t> {
    pub(super) fn of(payload: &'t str) -> Self {
        Self {
            payload,
            decoded: String::new(),
            values: Values::default(),
            others: Vec::new(),
            seen: [false; Name::COUNT],
            folded: [false; FOLDED.len()],
            many: HashSet::new(),
        }
    }

    /// Takes a member in.
    pub(super) fn member(
        &mut self,
        name: Scanned<'t>,
        value: Scanned<'t>,
    ) -> Result<(), Malformed> {
        let name = text_of(name)?;
        // They have three letters each.
        if name.len() == FOLDED_LENGTH {
            for (folded, seen) in FOLDED.iter().zip(&mut self.folded) {
                if name.eq_ignore_ascii_case(folded) && std::mem::replace(seen, true) {
                    return Err(Malformed);
                }
            }
        }
        match Name::known(&name) {
            Some(known) => {
                let seen = self.seen.get_mut(known as usize).ok_or(Malformed)?;
                if std::mem::replace(seen, true) {
                    return Err(Malformed);
                }
                let value = self.value(value)?;
                self.values.set(known, value)
            }
            None => self.other(name, value),
        }
    }

    fn other(&mut self, name: Cow<'t, str>, value: Scanned<'t>) -> Result<(), Malformed> {
        let twice = if self.others.len() < FEW {
            self.others.iter().any(|(span, _)| self.read(*span) == name)
        } else {
            // Ten thousand members must not cost ten thousand times ten thousand looks.
            if self.many.is_empty() {
                self.many = self
                    .others
                    .iter()
                    .map(|(span, _)| self.read(*span).to_owned())
                    .collect();
            }
            !self.many.insert(name.to_string())
        };
        if twice {
            return Err(Malformed);
        }
        let name = match name {
            Cow::Borrowed(text) => self.within(text)?,
            Cow::Owned(text) => self.keep(&text)?,
        };
        let raw = match value {
            Scanned::Null => self.keep("null")?,
            // With its quotes, for it is read as JSON.
            Scanned::Plain(text) => self.within(text)?.with_quotes(),
            Scanned::Escaped(raw) => {
                text_of(value)?;
                self.within(raw)?
            }
            Scanned::Simple(raw) => self.within(raw)?,
            Scanned::Nested(raw) => {
                deep_form(raw)?;
                self.within(raw)?
            }
        };
        self.others.push((name, raw));
        Ok(())
    }

    /// Looks at a value's form and says what it is.
    fn value(&mut self, value: Scanned<'t>) -> Result<Value, Malformed> {
        match value {
            Scanned::Null => Ok(Value::Absent),
            Scanned::Plain(text) => self.within(text).map(Value::Text),
            // Half of a surrogate pair fails here, as it should.
            Scanned::Escaped(_) => self.keep(&text_of(value)?).map(Value::Text),
            Scanned::Simple(raw) => self.within(raw).map(Value::Json),
            Scanned::Nested(raw) => {
                deep_form(raw)?;
                self.within(raw).map(Value::Json)
            }
        }
    }

    /// The span of a piece that was borrowed from the payload.
    fn within(&self, piece: &'t str) -> Result<Span, Malformed> {
        Span::within(self.payload, piece)
    }

    /// Keeps a decoded string behind the payload.
    fn keep(&mut self, text: &str) -> Result<Span, Malformed> {
        let span = Span::at(self.payload.len() + self.decoded.len(), text.len())?;
        self.decoded.push_str(text);
        Ok(span)
    }

    fn read(&self, span: Span) -> &str {
        let behind = self.payload.len();
        match (span.start as usize).checked_sub(behind) {
            None => span.of(self.payload),
            Some(start) => self
                .decoded
                .get(start..(span.end as usize).saturating_sub(behind))
                .unwrap_or_default(),
        }
    }
}

/// A string with its escapes resolved; anything else is no string.
pub(crate) fn text_of(scanned: Scanned<'_>) -> Result<Cow<'_, str>, Malformed> {
    match scanned {
        Scanned::Plain(text) => Ok(Cow::Borrowed(text)),
        Scanned::Escaped(raw) => serde_json::from_str(raw)
            .map(Cow::Owned)
            .map_err(|_| Malformed),
        Scanned::Null | Scanned::Simple(_) | Scanned::Nested(_) => Err(Malformed),
    }
}

/// Members whose twins in another letter case would let two readers see two tokens.
pub(super) const FOLDED: [&str; 6] = ["iss", "aud", "tid", "exp", "nbf", "ver"];

const FOLDED_LENGTH: usize = 3;

/// Other members that are looked through one by one before a set is built for them.
const FEW: usize = 16;
