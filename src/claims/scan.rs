//! Walks over one JSON text (RFC 8259), strictly, and copies nothing.

use std::borrow::Cow;

use memchr::memchr2;
use serde_json::value::RawValue;

use super::raw::Malformed;
use super::span::Span;

/// Where in the text the walk is: before `rest`, which is its end.
pub(crate) struct Scanner<'t> {
    text: &'t str,
    rest: &'t [u8],
}

/// A value and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// What a value is, by how much work it still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    /// A string without escapes; the span is what is between its quotes.
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

impl Scanned {
    /// What is between a string's quotes, where that is all there is to it.
    #[inline]
    pub(crate) fn plain(self, text: &str) -> Option<&[u8]> {
        let piece = self.span.bytes_of(text);
        (self.kind == Kind::Plain).then_some(piece)
    }
}

impl<'t> Scanner<'t> {
    /// Calls `member` with the name and the value of each member, in their order.
    ///
    /// Does not check for duplicate names.
    pub(crate) fn object(
        text: &'t str,
        mut member: impl FnMut(Scanned, Scanned) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut walk = Self::at_start_of(text)?;
        walk.expect(b'{')?;
        walk.space();
        if walk.take(b'}') {
            return walk.end();
        }
        loop {
            walk.expect(b'"')?;
            let name = walk.string()?;
            walk.expect(b':')?;
            let value = walk.value()?;
            member(name, value)?;
            if walk.is_next(b',') {
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
        let mut walk = Self::at_start_of(text)?;
        walk.expect(b'[')?;
        walk.space();
        if walk.take(b']') {
            return walk.end();
        }
        loop {
            element(walk.value()?)?;
            if walk.is_next(b',') {
                continue;
            }
            walk.expect(b']')?;
            return walk.end();
        }
    }

    fn at_start_of(text: &'t str) -> Result<Self, Malformed> {
        // So that every offset fits into a span.
        if text.len() > Span::LONGEST_TEXT {
            return Err(Malformed);
        }
        Ok(Self {
            text,
            rest: text.as_bytes(),
        })
    }

    fn end(&mut self) -> Result<(), Malformed> {
        self.space();
        self.rest.first().map_or(Ok(()), |_| Err(Malformed))
    }

    #[inline]
    const fn at(&self) -> usize {
        self.text.len().wrapping_sub(self.rest.len())
    }

    #[inline]
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes a byte, before which there may be space; a token's payload has none.
    #[inline]
    fn is_next(&mut self, byte: u8) -> bool {
        if self.take(byte) {
            return true;
        }
        self.space();
        self.take(byte)
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.is_next(byte) {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    #[inline]
    fn space(&mut self) {
        while let [b'\t' | b'\n' | b'\r' | b' ', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    #[inline]
    fn since(&self, start: usize, kind: Kind) -> Scanned {
        Scanned {
            kind,
            span: Span::between(start, self.at()),
        }
    }

    /// Skips what is before the next quote, backslash or control character.
    #[inline]
    fn skip_plain(&mut self) {
        // Most strings are short: eight bytes at a time.
        for _ in 0..SHORT {
            let Some((word, rest)) = self.rest.split_first_chunk() else {
                break;
            };
            let specials = specials(u64::from_le_bytes(*word));
            if specials != 0 {
                self.skip((specials.trailing_zeros() / 8) as usize);
                return;
            }
            self.rest = rest;
        }
        self.skip_long();
    }

    /// The same for a long text; of one with a control character in it, which is an error, nothing
    /// is left.
    #[inline(never)]
    fn skip_long(&mut self) {
        let length = memchr2(b'"', b'\\', self.rest);
        let parts = length.and_then(|length| self.rest.split_at_checked(length));
        self.rest = match parts {
            Some((plain, rest)) if !has_controls(plain) => rest,
            _ => &[],
        };
    }

    /// A string behind its first quote.
    #[inline]
    fn string(&mut self) -> Result<Scanned, Malformed> {
        let start = self.at();
        self.skip_plain();
        let plain = self.since(start, Kind::Plain);
        if self.take(b'"') {
            return Ok(plain);
        }
        self.escaped(start)
    }

    /// The rest of a string that began at `start`, from its first escape on.
    #[cold]
    fn escaped(&mut self, start: usize) -> Result<Scanned, Malformed> {
        while self.take(b'\\') {
            self.skip(1);
            self.skip_plain();
        }
        if self.take(b'"') {
            Ok(self.since(start.saturating_sub(1), Kind::Escaped))
        } else {
            Err(Malformed)
        }
    }

    #[inline]
    fn value(&mut self) -> Result<Scanned, Malformed> {
        if self.is_next(b'"') {
            return self.string();
        }
        match self.rest.first() {
            Some(b'[') => {
                let (before, start) = (self.rest, self.at());
                if self.simple_array()? {
                    return Ok(self.since(start, Kind::Simple));
                }
                self.rest = before;
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
            if self.is_next(b'"') {
                if self.string()?.kind != Kind::Plain {
                    return Ok(false);
                }
            } else if let Some(b'[' | b'{') = self.rest.first() {
                return Ok(false);
            } else {
                self.atom()?;
            }
            if self.is_next(b',') {
                continue;
            }
            self.expect(b']')?;
            return Ok(true);
        }
    }

    /// The rare values, which the library reads.
    #[cold]
    fn nested(&mut self) -> Result<Scanned, Malformed> {
        let start = self.at();
        let rest = self.text.get(start..).ok_or(Malformed)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        values.next().ok_or(Malformed)?.map_err(|_| Malformed)?;
        self.skip(values.byte_offset());
        Ok(self.since(start, Kind::Nested))
    }

    /// `true`, `false`, `null` or a number.
    fn atom(&mut self) -> Result<Scanned, Malformed> {
        let start = self.at();
        let (word, kind) = match self.rest.first() {
            Some(b'n') => ("null", Kind::Null),
            Some(b't') => ("true", Kind::Simple),
            Some(b'f') => ("false", Kind::Simple),
            _ => {
                self.number()?;
                return Ok(self.since(start, Kind::Simple));
            }
        };
        self.rest = self.rest.strip_prefix(word.as_bytes()).ok_or(Malformed)?;
        Ok(self.since(start, kind))
    }

    fn number(&mut self) -> Result<(), Malformed> {
        let start = self.at();
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        let has_exponent = self.take(b'e') || self.take(b'E');
        if has_exponent {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        // Readers say different things of a number that is beyond their greatest.
        if has_exponent || self.at().saturating_sub(start) > LONG_NUMBER {
            let text = self.text.get(start..self.at()).ok_or(Malformed)?;
            let number: f64 = text.parse().map_err(|_| Malformed)?;
            return if number.is_finite() {
                Ok(())
            } else {
                Err(Malformed)
            };
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let before = self.rest.len();
        while let [b'0'..=b'9', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if self.rest.len() == before {
            Err(Malformed)
        } else {
            Ok(())
        }
    }
}

/// With so many characters a number is far from the greatest there is.
const LONG_NUMBER: usize = 100;

/// Words of eight bytes before the library, which is quicker with long strings, takes over.
const SHORT: usize = 6;

/// One byte repeated, to look at all eight of a word at once.
const ONES: u64 = 0x0101_0101_0101_0101;

/// The highest bit of the first of eight bytes that is a quote, a backslash or a control character;
/// 0 where there is none. Bits above it mean nothing.
#[inline]
const fn specials(word: u64) -> u64 {
    // 0x22 becomes 0x20, just above the control characters, and the space goes out of the way.
    let control_or_quote = word ^ (ONES * 2);
    let backslash = word ^ ONES.wrapping_mul(b'\\' as u64);
    let found = control_or_quote.wrapping_sub(ONES * 0x21) & !control_or_quote
        | backslash.wrapping_sub(ONES) & !backslash;
    found & (ONES << 7)
}

/// Without a branch for each byte, so that sixteen are looked at together.
fn has_controls(text: &[u8]) -> bool {
    text.iter().fold(false, |any, byte| any | (*byte < b' '))
}

#[cfg(test)]
mod tests;
