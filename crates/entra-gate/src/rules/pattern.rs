//! Paths in rules.

use std::fmt;

use crate::path::{check_segments, fold_case};

/// One path, or a prefix that ends in `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathPattern {
    Exact(String),
    /// `/todos/` of `/todos/*`: matches itself and what is below it.
    Below(String),
}

impl PathPattern {
    /// Reads a pattern; what no request path can be is an error, with what is expected.
    pub(super) fn parse(text: &str, ignores_case: bool) -> Result<Self, &'static str> {
        if !text.starts_with('/') {
            return Err("expected a path that begins with `/`");
        }
        let (path, is_prefix) = match text.strip_suffix('*') {
            Some(prefix) if prefix.ends_with('/') => (prefix, true),
            Some(_) => return Err("expected `*` only as the last segment, after `/`"),
            None => (text, false),
        };
        if path.contains('*') {
            return Err("expected `*` only as the last segment, after `/`");
        }
        if path.contains(['?', '#']) {
            return Err("expected a path without a query: this can never match");
        }
        if path.contains('%') {
            return Err("expected the decoded path, without `%`: this can never match");
        }
        if path.contains(['\\', ';']) || path.contains(char::is_control) {
            return Err(
                "expected a path without `\\`, `;` and control characters: this can never match",
            );
        }
        if check_segments(path).is_err() {
            return Err(
                "expected a path without empty segments, `.` and `..`: this can never match",
            );
        }
        let path = match ignores_case {
            true => fold_case(path),
            false => path.to_owned(),
        };
        Ok(match is_prefix {
            true => Self::Below(path),
            false => Self::Exact(path),
        })
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(own) => own == path,
            Self::Below(own) => path.starts_with(own.as_str()),
        }
    }

    /// Whether it matches whatever the other matches.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(other)) => self.matches(other),
            (Self::Below(own), Self::Below(other)) => other.starts_with(own.as_str()),
            (Self::Exact(_), Self::Below(_)) => false,
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => f.write_str(path),
            Self::Below(path) => write!(f, "{path}*"),
        }
    }
}
