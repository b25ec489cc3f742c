//! Pieces of a text that stay valid when the text moves.

use super::raw::Malformed;

/// A piece of the text that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    /// Spans keep offsets in 31 bits, with room for the decoded copies of escaped strings.
    pub(super) const LONGEST_TEXT: usize = (u32::MAX / 4) as usize;

    /// A span in a text that is no longer than the longest.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "LONGEST_TEXT is 30 bits")]
    pub(super) const fn between(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    #[inline]
    pub(super) fn at(start: usize, length: usize) -> Result<Self, Malformed> {
        let end = u32::try_from(start.saturating_add(length)).map_err(|_| Malformed)?;
        Ok(Self {
            start: u32::try_from(start).map_err(|_| Malformed)?,
            end,
        })
    }

    /// A span within the text of this one, as a span of the text of both.
    pub(super) fn part(self, within: Self) -> Result<Self, Malformed> {
        Ok(Self {
            start: self.start.checked_add(within.start).ok_or(Malformed)?,
            end: self.start.checked_add(within.end).ok_or(Malformed)?,
        })
    }

    /// The span in what stands behind so many bytes; `None` if it begins before.
    pub(super) fn behind(self, bytes: usize) -> Option<Self> {
        let bytes = u32::try_from(bytes).ok()?;
        Some(Self {
            start: self.start.checked_sub(bytes)?,
            end: self.end.checked_sub(bytes)?,
        })
    }

    #[inline]
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    #[inline]
    pub(super) fn bytes_of(self, text: &str) -> &[u8] {
        let bytes = text.as_bytes();
        bytes
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// Whether it spans exactly this; `text` is its own.
    #[inline]
    pub(super) fn is(self, text: &str, piece: &str) -> bool {
        self.length() == piece.len() && self.bytes_of(text) == piece.as_bytes()
    }

    pub(super) const fn length(self) -> usize {
        (self.end as usize).saturating_sub(self.start as usize)
    }

    /// The string that a span's text stands in, its quotes included.
    pub(super) const fn with_quotes(self) -> Self {
        Self {
            start: self.start.saturating_sub(1),
            end: self.end.saturating_add(1),
        }
    }

    /// Copies what it spans to the end of another text, and is the span of the copy.
    pub(super) fn move_to(&mut self, from: &str, to: &mut String) -> Result<(), Malformed> {
        let piece = self.of(from);
        let span = Self::at(to.len(), piece.len())?;
        to.push_str(piece);
        *self = span;
        Ok(())
    }
}
