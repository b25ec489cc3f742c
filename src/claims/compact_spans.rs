//! The values of claims that are kept: the same spans, in half the memory where the text is short.

use super::claim_name::{Name, Value, Values, value_of};
use super::groups::SpanRange;
use super::span::Span;

/// The values of the claims that have a name here, and every other span of the same text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompactSpans {
    /// As in [`Values`].
    places: [u8; Name::COUNT],
    spans: Spans,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Spans {
    Short(Box<[Short]>),
    Long(Box<[Span]>),
}

/// A span of a text of less than 32 KiB, which nearly all are. The highest bit of its start is the
/// highest bit of the span's: that it is JSON other than a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short {
    start: u16,
    end: u16,
}

const SHORT_MARK: u16 = 1 << 15;

impl Short {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "of a text of less than 32 KiB"
    )]
    const fn of(span: Span) -> Self {
        let mark = (span.start >> 16) as u16 & SHORT_MARK;
        Self {
            start: span.start as u16 | mark,
            end: span.end as u16,
        }
    }

    #[inline]
    fn span(self) -> Span {
        let mark = u32::from(self.start & SHORT_MARK) << 16;
        Span {
            start: u32::from(self.start & !SHORT_MARK) | mark,
            end: u32::from(self.end),
        }
    }
}

impl CompactSpans {
    /// The values of a text.
    pub(super) fn of(values: &Values, text: &str) -> Self {
        let spans = values.spans.iter().copied();
        Self {
            places: values.places,
            spans: if text.len() < usize::from(SHORT_MARK) {
                Spans::Short(spans.map(Short::of).collect())
            } else {
                Spans::Long(spans.collect())
            },
        }
    }

    #[inline]
    pub(super) fn value(&self, name: Name) -> Value {
        value_of(&self.places, name, |place| self.all().get(place))
    }

    #[inline]
    pub(super) fn list(&self, listing: SpanRange) -> List<'_> {
        let range = listing.range();
        match &self.spans {
            Spans::Short(spans) => List::Short(spans.get(range).unwrap_or_default()),
            Spans::Long(spans) => List::Long(spans.get(range).unwrap_or_default()),
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match &self.spans {
            Spans::Short(spans) => size_of_val::<[Short]>(spans),
            Spans::Long(spans) => size_of_val::<[Span]>(spans),
        }
    }

    #[inline]
    fn all(&self) -> List<'_> {
        match &self.spans {
            Spans::Short(spans) => List::Short(spans),
            Spans::Long(spans) => List::Long(spans),
        }
    }
}

/// Spans one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List<'c> {
    Short(&'c [Short]),
    Long(&'c [Span]),
}

impl<'c> List<'c> {
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Short(spans) => spans.len(),
            Self::Long(spans) => spans.len(),
        }
    }

    #[inline]
    pub(super) fn get(self, place: usize) -> Option<Span> {
        match self {
            Self::Short(spans) => spans.get(place).map(|short| short.span()),
            Self::Long(spans) => spans.get(place).copied(),
        }
    }

    #[inline]
    pub(super) fn iter(self) -> impl Iterator<Item = Span> + Clone + use<'c> {
        (0..self.len()).filter_map(move |place| self.get(place))
    }
}

impl Default for List<'_> {
    fn default() -> Self {
        Self::Short(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::super::raw::RawClaims;
    use super::*;

    /// Claims of which the texts take about so many bytes.
    fn claims(bytes: usize) -> super::super::Claims {
        let name = "ä".repeat(bytes / 2);
        let json = format!(
            r#"{{"exp":1,"name":"{name}","sub":"s","scp":"a b","roles":["r"],"other":[1],"oid":7}}"#
        );
        let draft = RawClaims::parse(json.as_bytes()).unwrap();
        draft.interpret().unwrap().into_claims(None, None, None)
    }

    #[test]
    fn long_texts_and_short_ones_are_read_alike() {
        for bytes in [
            0, 100, 32_600, 32_740, 32_766, 32_768, 65_530, 65_536, 200_000,
        ] {
            let claims = claims(bytes);
            let short = matches!(claims.0.values.spans, Spans::Short(_));
            assert_eq!(short, claims.0.text.len() < 32_768);
            assert_eq!(claims.subject(), Some("s"), "{bytes}");
            assert!(claims.has_scope("b") && claims.has_role("r") && !claims.has_role("a"));
            assert_eq!(claims.extra::<Vec<u8>>("other"), Some(vec![1]));
            assert_eq!(claims.object_id(), None, "a number is no id");
            let name = claims.profile().name().unwrap().chars().count();
            assert_eq!(name, bytes / 2);
        }
    }

    #[test]
    fn short_spans_take_half_the_memory() {
        let (short, long) = (claims(100), claims(100_000));
        let heap = |claims: &super::super::Claims| claims.0.values.heap_bytes();
        assert_eq!(2 * heap(&short), heap(&long));
    }
}
