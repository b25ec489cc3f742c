//! Pieces of a text that stay valid when the text moves.

use super::wire::Malformed;

/// A piece of the text that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(crate) fn at(start: usize, length: usize) -> Result<Self, Malformed> {
        Ok(Self {
            start: u32::try_from(start).map_err(|_| Malformed)?,
            end: u32::try_from(start.saturating_add(length)).map_err(|_| Malformed)?,
        })
    }

    /// The span of `piece`, which was borrowed from `whole`.
    pub(crate) fn within(whole: &str, piece: &str) -> Result<Self, Malformed> {
        let start = (piece.as_ptr() as usize)
            .checked_sub(whole.as_ptr() as usize)
            .ok_or(Malformed)?;
        Self::at(start, piece.len())
    }

    /// The span of `piece`, which was borrowed from `whole`, the text of this span.
    pub(crate) fn part(self, whole: &str, piece: &str) -> Result<Self, Malformed> {
        let within = Self::within(whole, piece)?;
        Ok(Self {
            start: self.start.checked_add(within.start).ok_or(Malformed)?,
            end: self.start.checked_add(within.end).ok_or(Malformed)?,
        })
    }

    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
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
