//! Walks over one JSON object (RFC 8259), strictly, and copies nothing.

use serde_json::value::RawValue;

use super::wire::Malformed;

/// Where in the text the walk is.
pub(crate) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

/// A value, by how much work it still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scanned<'t> {
    Null,
    /// A string without escapes: what stands between its quotes.
    Plain(&'t str),
    /// A string with escapes, quotes and all; whether the escapes are right is not known.
    Escaped(&'t str),
    /// A number, `true`, `false`, or an array of these and of strings without escapes.
    Simple(&'t str),
    /// An object, or an array with more in it: well-formed, but its members were not looked at.
    Nested(&'t str),
}

impl<'t> Scanner<'t> {
    /// Calls `member` with the name and the value of each member, in their order.
    ///
    /// Does not check that no name stands twice.
    pub(crate) fn object(
        text: &'t str,
        mut member: impl FnMut(Scanned<'t>, Scanned<'t>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut walk = Self { text, at: 0 };
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
        mut element: impl FnMut(Scanned<'t>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut walk = Self { text, at: 0 };
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

    fn end(&mut self) -> Result<(), Malformed> {
        self.space();
        self.peek().map_or(Ok(()), |_| Err(Malformed))
    }

    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn since(&self, start: usize) -> Result<&'t str, Malformed> {
        self.text.get(start..self.at).ok_or(Malformed)
    }

    fn string(&mut self) -> Result<Scanned<'t>, Malformed> {
        let quote = self.at;
        self.expect(b'"')?;
        let start = self.at;
        self.skip(plain_length(self.rest()));
        if self.peek() == Some(b'"') {
            let plain = self.since(start)?;
            self.skip(1);
            return Ok(Scanned::Plain(plain));
        }
        loop {
            match self.peek() {
                Some(b'\\') => self.skip(2),
                Some(b'"') => break,
                _ => return Err(Malformed),
            }
            self.skip(plain_length(self.rest()));
        }
        self.skip(1);
        self.since(quote).map(Scanned::Escaped)
    }

    fn value(&mut self) -> Result<Scanned<'t>, Malformed> {
        let start = self.at;
        match self.peek().ok_or(Malformed)? {
            b'"' => self.string(),
            b'[' => {
                if self.simple_array()? {
                    return self.since(start).map(Scanned::Simple);
                }
                self.at = start;
                self.nested()
            }
            b'{' => self.nested(),
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
            match self.peek().ok_or(Malformed)? {
                b'[' | b'{' => return Ok(false),
                b'"' => {
                    if !matches!(self.string()?, Scanned::Plain(_)) {
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
    fn nested(&mut self) -> Result<Scanned<'t>, Malformed> {
        let rest = self.text.get(self.at..).ok_or(Malformed)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&'t RawValue>();
        let raw = values.next().ok_or(Malformed)?.map_err(|_| Malformed)?;
        self.skip(values.byte_offset());
        Ok(Scanned::Nested(raw.get()))
    }

    /// `true`, `false`, `null` or a number.
    fn atom(&mut self) -> Result<Scanned<'t>, Malformed> {
        let start = self.at;
        for (literal, value) in [("null", true), ("true", false), ("false", false)] {
            if self.rest().starts_with(literal.as_bytes()) {
                self.skip(literal.len());
                return if value {
                    Ok(Scanned::Null)
                } else {
                    self.since(start).map(Scanned::Simple)
                };
            }
        }
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
        self.since(start).map(Scanned::Simple)
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let digits = self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.skip(digits);
        if digits == 0 { Err(Malformed) } else { Ok(()) }
    }
}

/// One byte eight times.
const fn eight(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// How many bytes stand before the first quote, backslash or control character.
fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let is_zero = |word: u64| word.wrapping_sub(eight(1)) & !word;
        let found = is_zero(word ^ eight(b'"'))
            | is_zero(word ^ eight(b'\\'))
            | word.wrapping_sub(eight(b' ')) & !word;
        // The lowest bit is right, whatever the borrow did to those above it.
        let found = found & eight(0x80);
        if found != 0 {
            return index * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
    let within = rest.iter().position(special).unwrap_or(rest.len());
    words.len() * 8 + within
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
        for special in [b'"', b'\\', 0, 0x1f] {
            for before in 0..20 {
                let mut text = vec![b'a'; before];
                text.push(special);
                text.extend_from_slice("\"\\\u{1}bbbbbbbbbbbbbbbbbbb".as_bytes());
                assert_eq!(plain_length(&text), before);
            }
        }
        assert_eq!(plain_length("ä\u{7f}\u{80}€ !#[]".as_bytes()), 13);
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
            Scanned::Plain("x"),
            Scanned::Escaped(r#""\n""#),
            Scanned::Simple(r#"[1,"y",null]"#),
            Scanned::Nested(r#"["\n"]"#),
            Scanned::Nested("{}"),
            Scanned::Null,
            Scanned::Simple("-1.5e+3"),
        ];
        assert!(found.iter().map(|(_, value)| *value).eq(expected));
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
