//! The members of a payload object as they are read, one after the other, each of them once.

use std::borrow::Cow;
use std::collections::HashSet;

use super::claim_name::{Name, Value, Values};
use super::raw::Malformed;
use super::scan::{Kind, Scanned, Scanner};
use super::span::Span;
use super::strict_json::{deep_form, is_of_the_library};

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
    /// Which of `CASE_CHECKED_CLAIMS` were there in another letter case.
    case_variants: [bool; CASE_CHECKED_CLAIMS.len()],
    many: HashSet<Cow<'t, str>>,
}

impl<'t> Members<'t> {
    /// Reads them all.
    pub(super) fn read(payload: &'t str) -> Result<Self, Malformed> {
        let mut members = Self {
            payload,
            decoded: String::new(),
            values: Values::default(),
            others: Vec::with_capacity(FEW / 2),
            seen: [false; Name::COUNT],
            case_variants: [false; CASE_CHECKED_CLAIMS.len()],
            many: HashSet::new(),
        };
        Scanner::object(payload, |name, value| members.member(name, value))?;
        members.check_twins()?;
        Ok(members)
    }

    #[inline]
    fn member(&mut self, name: Scanned, value: Scanned) -> Result<(), Malformed> {
        let known = match name.plain(self.payload) {
            Some(name) => Name::known(name),
            None => Name::known(name.string(self.payload)?.as_bytes()),
        };
        let Some(known) = known else {
            return self.other(name, value);
        };
        let seen = self.seen.get_mut(known as usize).ok_or(Malformed)?;
        if std::mem::replace(seen, true) {
            return Err(Malformed);
        }
        let value = self.value(value)?;
        match known {
            // Opaque to resources, long, and not used here.
            Name::ReuseData | Name::ReuseHash => Ok(()),
            _ => self.values.set(known, value),
        }
    }

    fn other(&mut self, written: Scanned, value: Scanned) -> Result<(), Malformed> {
        let name = written.string(self.payload)?;
        if is_of_the_library(&name) {
            return Err(Malformed);
        }
        // The one letter beyond ASCII whose other case is a letter of these names.
        let plain = match name.is_ascii() {
            true => Cow::Borrowed(&*name),
            false => Cow::Owned(name.replace('\u{17f}', "s")),
        };
        for ((folded, _), twin) in CASE_CHECKED_CLAIMS.iter().zip(&mut self.case_variants) {
            if plain.eq_ignore_ascii_case(folded) && std::mem::replace(twin, true) {
                return Err(Malformed);
            }
        }
        let twice = if self.others.len() < FEW {
            self.others
                .iter()
                .any(|(span, _)| self.text_of(*span) == name)
        } else {
            // Ten thousand members must not cost ten thousand times ten thousand looks.
            if self.many.is_empty() {
                let name_of = |span: Span| match span.behind(self.payload.len()) {
                    None => Cow::Borrowed(span.of(self.payload)),
                    Some(span) => Cow::Owned(span.of(&self.decoded).to_owned()),
                };
                let names = self.others.iter();
                self.many = names.map(|(span, _)| name_of(*span)).collect();
            }
            !self.many.insert(name.clone())
        };
        if twice {
            return Err(Malformed);
        }
        let name = match name {
            Cow::Borrowed(_) => written.span,
            Cow::Owned(text) => self.keep(&text)?,
        };
        if value.kind == Kind::Escaped {
            value.string(self.payload)?;
        }
        self.check_nested(value)?;
        let raw = match value.kind {
            // With its quotes, for it is read as JSON.
            Kind::Plain => value.span.with_quotes(),
            _ => value.span,
        };
        self.others.push((name, raw));
        Ok(())
    }

    /// Looks at a value's form and says what it is.
    #[inline]
    fn value(&mut self, value: Scanned) -> Result<Value, Malformed> {
        match value.kind {
            Kind::Null => Ok(Value::Absent),
            Kind::Plain => Ok(Value::Text(value.span)),
            Kind::Escaped => {
                let text = value.string(self.payload)?;
                self.keep(&text).map(Value::Text)
            }
            Kind::Simple => Ok(Value::Json(value.span)),
            Kind::Nested => {
                self.check_nested(value)?;
                Ok(Value::Json(value.span))
            }
        }
    }

    fn check_nested(&self, value: Scanned) -> Result<(), Malformed> {
        match value.kind {
            Kind::Nested => deep_form(value.span.of(self.payload)),
            _ => Ok(()),
        }
    }

    /// No name that decides occurs in two letter cases.
    fn check_twins(&self) -> Result<(), Malformed> {
        let seen = |name: Name| self.seen.get(name as usize).copied().unwrap_or(true);
        let mut case_variants = CASE_CHECKED_CLAIMS.iter().zip(self.case_variants);
        match case_variants.any(|((_, name), twin)| twin && seen(*name)) {
            true => Err(Malformed),
            false => Ok(()),
        }
    }

    /// Keeps a decoded string behind the payload.
    fn keep(&mut self, text: &str) -> Result<Span, Malformed> {
        let start = self.payload.len().saturating_add(self.decoded.len());
        self.decoded.push_str(text);
        Span::at(start, text.len())
    }

    fn text_of(&self, span: Span) -> &str {
        span.behind(self.payload.len())
            .map_or_else(|| span.of(self.payload), |span| span.of(&self.decoded))
    }
}

/// Members whose case variants would make two readers see two tokens.
pub(super) const CASE_CHECKED_CLAIMS: [(&str, Name); 6] = [
    ("iss", Name::Issuer),
    ("aud", Name::Audience),
    ("tid", Name::Tenant),
    ("exp", Name::ExpiresAt),
    ("nbf", Name::NotBefore),
    ("ver", Name::Version),
];

/// Other members that are looked through one by one before a set is built for them.
const FEW: usize = 16;
