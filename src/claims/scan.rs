//! Walks over one JSON text (RFC 8259), strictly, and copies nothing.

use std::borrow::Cow;

use memchr::memchr2;
use serde_json::value::RawValue;

use super::span::Span;
use super::wire::Malformed;

/// Where in the text the walk is.
pub(crate) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// Whether there are control characters, as in a text of several lines; a token's has none.
    has_controls: bool,
}

/// A value and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// What a value is, by how much work it still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    /// A string without escapes; the span is what stands between its quotes.
    Plain,
    /// A string with escapes, quotes and all; whether the escapes are right is not known.
    Escaped,
    /// A number, `true`, `false`, or an array of these and of strings without escapes.
    Simple,
    /// An object, or an array with more in it: well-formed, but its members were not looked at.
    Nested,
}

impl Scanned {
    /// A string with its escapes resolved; anything else is no string.
    pub(crate) fn string(self, text: &str) -> Result<Cow<'_, str>, Malformed> {
        let piece = self.span.of(text);
        match self.kind {
            Kind::Plain => Ok(Cow::Borrowed(piece)),
            // Half of a surrogate pair fails here, as it should.
            Kind::Escaped => serde_json::from_str(piece)
                .map(Cow::Owned)
                .map_err(|_| Malformed),
            Kind::Null | Kind::Simple | Kind::Nested => Err(Malformed),
        }
    }
}

impl<'t> Scanner<'t> {
    /// Calls `member` with the name and the value of each member, in their order.
    ///
    /// Does not check that no name stands twice.
    pub(crate) fn object(
        text: &'t str,
        mut member: impl FnMut(Scanned, Scanned) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut walk = Self::at_start_of(text);
        walk.space();
        walk.expect(b'{')?;
        walk.space();
        if walk.take(b'}') {
            return walk.end();
        }
        loop {
            walk.space();
            let name = walk.string()?;
            walk.space();
            walk.expect(b':')?;
            walk.space();
            let value = walk.value()?;
            member(name, value)?;
            walk.space();
            if walk.take(b',') {
                continue;
            }
            walk.expect(b'}')?;
            return walk.end();
        }
    }

    /// Calls `element` with each element of an array, in their order.
    pub(crate) fn array(
        text: &'t str,
        mut element: impl FnMut(Scanned) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut walk = Self::at_start_of(text);
        walk.space();
        walk.expect(b'[')?;
        walk.space();
        if walk.take(b']') {
            return walk.end();
        }
        loop {
            walk.space();
            element(walk.value()?)?;
            walk.space();
            if walk.take(b',') {
                continue;
            }
            walk.expect(b']')?;
            return walk.end();
        }
    }

    fn at_start_of(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            has_controls: has_controls(text),
        }
    }

    fn end(&mut self) -> Result<(), Malformed> {
        self.space();
        self.peek().map_or(Ok(()), |_| Err(Malformed))
    }

    #[inline]
    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.skip(usize::from(there));
        there
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.skip(1);
        }
    }

    #[inline]
    fn since(&self, start: usize, kind: Kind) -> Result<Scanned, Malformed> {
        Ok(Scanned {
            kind,
            span: Span::at(start, self.at.saturating_sub(start))?,
        })
    }

    /// How many bytes stand before the next quote, backslash or control character.
    #[inline]
    fn plain_length(&self) -> usize {
        let rest = self.rest();
        let found = if self.has_controls {
            let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
            rest.iter().position(ends)
        } else {
            memchr2(b'"', b'\\', rest)
        };
        found.unwrap_or(rest.len())
    }

    #[inline]
    fn string(&mut self) -> Result<Scanned, Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        self.skip(self.plain_length());
        if self.peek() == Some(b'"') {
            let plain = self.since(start, Kind::Plain);
            self.skip(1);
            return plain;
        }
        self.escaped(start)
    }

    /// The rest of a string that began at `start`, from its first escape on.
    #[cold]
    fn escaped(&mut self, start: usize) -> Result<Scanned, Malformed> {
        loop {
            match self.peek() {
                Some(b'\\') => self.skip(2),
                Some(b'"') => break,
                _ => return Err(Malformed),
            }
            self.skip(self.plain_length());
        }
        self.skip(1);
        self.since(start.saturating_sub(1), Kind::Escaped)
    }

    #[inline]
    fn value(&mut self) -> Result<Scanned, Malformed> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'[') => {
                if self.simple_array()? {
                    return self.since(start, Kind::Simple);
                }
                self.at = start;
                self.nested()
            }
            Some(b'{') => self.nested(),
            _ => self.atom(),
        }
    }

    /// Whether an array is as simple as most; if not, where the walk stopped means nothing.
    fn simple_array(&mut self) -> Result<bool, Malformed> {
        self.expect(b'[')?;
        self.space();
        if self.take(b']') {
            return Ok(true);
        }
        loop {
            self.space();
            match self.peek() {
                Some(b'[' | b'{') => return Ok(false),
                Some(b'"') => {
                    if self.string()?.kind != Kind::Plain {
                        return Ok(false);
                    }
                }
                _ => {
                    self.atom()?;
                }
            }
            self.space();
            if self.take(b',') {
                continue;
            }
            self.expect(b']')?;
            return Ok(true);
        }
    }

    /// The rare values, which the library reads.
    #[cold]
    fn nested(&mut self) -> Result<Scanned, Malformed> {
        let start = self.at;
        let rest = self.text.get(start..).ok_or(Malformed)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        values.next().ok_or(Malformed)?.map_err(|_| Malformed)?;
        self.skip(values.byte_offset());
        self.since(start, Kind::Nested)
    }

    /// `true`, `false`, `null` or a number.
    fn atom(&mut self) -> Result<Scanned, Malformed> {
        let start = self.at;
        let (word, kind) = match self.peek() {
            Some(b'n') => ("null", Kind::Null),
            Some(b't') => ("true", Kind::Simple),
            Some(b'f') => ("false", Kind::Simple),
            _ => {
                self.number()?;
                return self.since(start, Kind::Simple);
            }
        };
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(Malformed);
        }
        self.skip(word.len());
        self.since(start, kind)
    }

    fn number(&mut self) -> Result<(), Malformed> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.skip(1);
        }
        if self.at == start {
            Err(Malformed)
        } else {
            Ok(())
        }
    }
}

/// Without a branch for each byte, so that sixteen are looked at together.
fn has_controls(text: &str) -> bool {
    text.bytes().fold(false, |any, byte| any | (byte < b' '))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn accepts(text: &str) -> bool {
        Scanner::object(text, |_, _| Ok(())).is_ok()
    }

    #[test]
    fn the_first_byte_that_ends_a_plain_run_is_found() {
        for special in ['"', '\\', '\0', '\u{1f}'] {
            for before in 0..40 {
                let text = format!("{}{special}\"\\{}", "é".repeat(before), "b".repeat(40));
                let walk = Scanner::at_start_of(&text);
                assert_eq!(walk.plain_length(), 2 * before, "{special:?}");
            }
        }
        assert_eq!(
            Scanner::at_start_of("ä\u{7f}\u{80}€ !#[]").plain_length(),
            13
        );
    }

    #[test]
    fn a_control_character_stands_outside_strings_alone() {
        for control in ["\n", "\t", "\r"] {
            assert!(accepts(&format!(
                "{{{control}\"a\"{control}:{control}1{control}}}"
            )));
        }
        for control in ["\n", "\t", "\r", "\0", "\u{1f}"] {
            assert!(!accepts(&format!("{{\"a{control}\":1}}")));
            assert!(!accepts(&format!("{{\"a\":\"b{control}\"}}")));
            assert!(!accepts(&format!("{{\"a\":[\"{control}b\"]}}")));
        }
    }

    #[test]
    fn values_are_told_apart() {
        let text = r#"{"a":"x","b":"\n","c":[1,"y",null],"d":["\n"],"e":{},"f":null,"g":-1.5e+3}"#;
        let mut found = Vec::new();
        Scanner::object(text, |name, value| {
            found.push((name, value));
            Ok(())
        })
        .unwrap();
        let expected = [
            (Kind::Plain, "x"),
            (Kind::Escaped, r#""\n""#),
            (Kind::Simple, r#"[1,"y",null]"#),
            (Kind::Nested, r#"["\n"]"#),
            (Kind::Nested, "{}"),
            (Kind::Null, "null"),
            (Kind::Simple, "-1.5e+3"),
        ];
        let values = found
            .iter()
            .map(|(_, value)| (value.kind, value.span.of(text)));
        assert!(values.eq(expected));
    }

    /// JSON, and JSON with something spoilt.
    fn json() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"\\n\"", "\"\\x\"", "\"ä", "\"", " ",
            "\n", "0", "-", "12", ".5", "e3", "E+1", "true", "null", "fals", "{\"a\":", "[1,",
            "]}", "\u{1}", "é",
        ]);
        prop::collection::vec(piece, 0..12)
            .prop_map(|pieces| format!("{{\"k\":{}}}", pieces.concat()))
    }

    proptest! {
        #[test]
        fn it_accepts_what_the_library_accepts(text in json()) {
            let library = serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(&text);
            // Escapes in strings and what nested values mean are looked at by others.
            let spelt = serde_json::from_str::<Value>(&text);
            if spelt.is_ok() {
                prop_assert!(accepts(&text), "{}", text);
            }
            if library.is_err() && !text.contains('\\') {
                prop_assert!(!accepts(&text), "{}", text);
            }
        }
    }
}
