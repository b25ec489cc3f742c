//! Why settings cannot be used, in one line that says what to change.

use std::fmt::{self, Write as _};

/// Settings that cannot be used; the program that reads them should stop before it opens a socket.
///
/// `Display` is one line, whatever the value looks like: it names the key, the value and what is
/// expected. Values that are secrets, and values of keys that are not known, are never in it.
/// `Debug` is the same line, since that is what a `main` shows that returns the error.
///
/// ```
/// use axum_entra::settings::{Settings, SettingsError};
///
/// let file = r#"{ "AzureAd": { "TenantID": "common", "ClientIdd": "x" } }"#;
/// let error = Settings::from_parts(Some(("appsettings.json", file)), []).unwrap_err();
/// assert!(matches!(&error, SettingsError::UnknownKey { suggestion, .. } if suggestion == "AzureAd:ClientId"));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The settings file is not there or may not be read.
    #[error("the settings file {file} cannot be read ({reason}): expected a readable JSON file")]
    #[non_exhaustive]
    Io {
        /// The file as it was named.
        file: String,
        /// What the operating system said.
        reason: String,
    },

    /// The settings file is no JSON, even with comments and trailing commas allowed.
    #[error(
        "the settings file {file} is broken at line {line}, column {column} ({reason}): expected a JSON object"
    )]
    #[non_exhaustive]
    Syntax {
        /// The file as it was named.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong there; no text of the file.
        reason: String,
    },

    /// A key holds a value that it cannot have.
    #[error("{key} = {value} ({origin}): expected {expected}")]
    #[non_exhaustive]
    InvalidValue {
        /// The key with its section, as `AzureAd:Keys:RefreshSeconds`.
        key: String,
        /// The value as it was written, on one line; not that of a secret.
        value: RedactedValue,
        /// Where the value came from: a file or an environment variable.
        origin: String,
        /// What would have been right.
        expected: String,
    },

    /// A key that is needed is not given.
    #[error("{key} is not given: expected {expected}")]
    #[non_exhaustive]
    Missing {
        /// The key with its section, as `AzureAd:ClientId`.
        key: String,
        /// What would have been right.
        expected: String,
    },

    /// A key means nothing here and nothing in Microsoft.Identity.Web either.
    #[error("{key} ({origin}) is not a known key: expected one like {suggestion}")]
    #[non_exhaustive]
    UnknownKey {
        /// The key with its section, as it was written.
        key: String,
        /// Where the key came from: a file or an environment variable.
        origin: String,
        /// The known key that looks most like it.
        suggestion: String,
    },

    /// One key is given twice in the same file, also in different letter case.
    #[error("{key} ({origin}) is given twice: expected each key once, whatever its letter case")]
    #[non_exhaustive]
    DuplicateKey {
        /// The key with its section, as it was written the second time.
        key: String,
        /// Where the key came from.
        origin: String,
    },
}

impl fmt::Debug for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A value made fit to be shown: quoted, on one line, not too long, and no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct RedactedValue(String);

impl RedactedValue {
    /// The text of a value, quoted.
    pub(super) fn text(text: &str) -> Self {
        Self(format!("\"{}\"", one_line(text)))
    }

    /// A word that stands for the value: what kind of thing it is.
    pub(super) fn word(word: &str) -> Self {
        Self(word.to_owned())
    }
}

impl fmt::Display for RedactedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RedactedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text from outside, fit for one line of a terminal.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST_SHOWN {
            line.push('…');
            break;
        }
        // A control or bidirectional character could make one line look like another.
        if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            let _ = write!(line, "{}", c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line
}

/// Long enough for every readable address and list of scopes.
const LONGEST_SHOWN: usize = 200;
