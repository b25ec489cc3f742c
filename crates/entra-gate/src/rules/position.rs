//! Places in the rules file, for messages.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A wrong rules file: where, and what is expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RulesError {
    file: PathBuf,
    /// Line and column, from 1; a file that cannot be read has none.
    place: Option<(usize, usize)>,
    message: String,
}

impl RulesError {
    pub(crate) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        Self {
            file: file.to_owned(),
            place: None,
            message: format!("expected a rules file that can be read: {error}"),
        }
    }

    /// At a byte offset of the file's text.
    pub(crate) fn at(file: &Path, text: &str, offset: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: Some(line_and_column(text, offset)),
            message: message.into(),
        }
    }

    #[cfg(test)]
    pub(crate) const fn place(&self) -> Option<(usize, usize)> {
        self.place
    }
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        // One line, whatever the parser's message holds.
        let words = self.message.split_whitespace();
        words.into_iter().try_for_each(|word| write!(f, " {word}"))
    }
}

impl std::error::Error for RulesError {}

/// Line and column of a byte offset, from 1; columns are counted in characters.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset = offset.saturating_sub(1);
    }
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    let in_line = before.rsplit('\n').next().unwrap_or_default();
    (line, in_line.chars().count().saturating_add(1))
}

/// Where a byte of a string's value is in the file: quotes and escapes take room there.
///
/// `span` is the place of the whole string, quotes included (TOML 1.0, "String").
pub(crate) fn offset_in_string(text: &str, span: &Range<usize>, index: usize) -> usize {
    let raw = text.get(span.clone()).unwrap_or_default();
    let is_basic = raw.starts_with('"');
    let quotes = match raw.starts_with("\"\"\"") || raw.starts_with("'''") {
        true => 3,
        false => 1,
    };
    let mut inner = raw.get(quotes..).unwrap_or_default();
    let mut at = span.start.saturating_add(quotes);
    if quotes == 3 {
        // A line break right after the quotes is no part of the value.
        let trimmed = inner.strip_prefix("\r\n").or(inner.strip_prefix('\n'));
        if let Some(trimmed) = trimmed {
            at = at.saturating_add(inner.len().saturating_sub(trimmed.len()));
            inner = trimmed;
        }
    }
    let mut value = 0_usize;
    let mut letters = inner.char_indices().peekable();
    while let Some((place, letter)) = letters.next() {
        let is_escape = is_basic && letter == '\\';
        let is_blank = |next: &(usize, char)| next.1.is_whitespace();
        // A line break after a backslash, and the blanks after it, are no part of the value.
        if is_escape && letters.peek().is_some_and(is_blank) {
            while letters.next_if(is_blank).is_some() {}
            continue;
        }
        if value >= index {
            return at.saturating_add(place);
        }
        if !is_escape {
            value = value.saturating_add(letter.len_utf8());
            continue;
        }
        let digits = match letters.next().map(|(_, letter)| letter) {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        let digits = letters.by_ref().take(digits).map(|(_, digit)| digit);
        let code = u32::from_str_radix(&digits.collect::<String>(), 16).ok();
        let letter = code.and_then(char::from_u32);
        value = value.saturating_add(letter.map_or(1, char::len_utf8));
    }
    at.saturating_add(inner.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_from_one_in_characters() {
        let text = "a\nbé c\n";
        for (offset, expected) in [(0, (1, 1)), (2, (2, 1)), (5, (2, 3)), (99, (3, 1))] {
            assert_eq!(line_and_column(text, offset), expected, "{offset}");
        }
        // In the middle of a character: the character.
        assert_eq!(line_and_column(text, 4), (2, 2));
    }

    #[test]
    fn a_place_in_a_value_is_found_in_the_file() {
        for (text, value) in [
            ("'a\"b X'", "a\"b X"),
            ("\"a\\\"b X\"", "a\"b X"),
            ("\"\\u00e9\\x41 X\"", "éA X"),
            ("'''\na X'''", "a X"),
            ("\"\"\"\r\na \\\n   X\"\"\"", "a X"),
        ] {
            let span = 0..text.len();
            let index = value.find('X').unwrap_or_default();
            let expected = text.find('X').unwrap_or_default();
            assert_eq!(offset_in_string(text, &span, index), expected, "{text}");
        }
    }
}
