//! `WWW-Authenticate: Bearer …` (RFC 6750 section 3).

use std::sync::OnceLock;

use http::HeaderValue;

/// A challenge, parameter by parameter; values that could break out of their quotes are left out.
#[derive(Debug)]
pub(super) struct Challenge(String);

/// The challenges of one edge that are the same for everybody, made when they are first needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Challenges {
    /// To a request without a token.
    pub(super) no_token: OnceLock<HeaderValue>,
    /// To a header that holds no token.
    pub(super) no_header: OnceLock<HeaderValue>,
    /// To a token that is not accepted.
    pub(super) bad_token: OnceLock<HeaderValue>,
}

/// Room for a challenge with the address of the metadata and a scope.
const USUAL_LENGTH: usize = 160;

impl Challenge {
    pub(super) fn bearer() -> Self {
        let mut text = String::with_capacity(USUAL_LENGTH);
        text.push_str("Bearer");
        Self(text)
    }

    /// Adds `name="value"`, if the value can stand in a quoted string as it is.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        // Printable ASCII without `"` and `\`: RFC 6750 section 3 allows no more, and a value
        // that needs no escapes is read alike by every client.
        let plain = value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
        if !plain {
            return self;
        }
        self.0.push_str(if self.0.len() == "Bearer".len() {
            " "
        } else {
            ", "
        });
        self.0.push_str(name);
        self.0.push_str("=\"");
        self.0.push_str(value);
        self.0.push('"');
        self
    }

    pub(super) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) if !value.is_empty() => self.with(name, value),
            _ => self,
        }
    }

    pub(super) fn into_header(self) -> HeaderValue {
        HeaderValue::try_from(self.0).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

/// The `claims` parameter: what to ask for, as JSON (Microsoft, "Claims challenges").
pub(super) fn claims_challenge(claim: &str, value: &str) -> String {
    serde_json::json!({
        "access_token": { claim: { "essential": true, "value": value } }
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_quoted_and_separated_by_commas() {
        let text = |challenge: Challenge| challenge.into_header().to_str().unwrap().to_owned();
        assert_eq!(text(Challenge::bearer()), "Bearer");
        assert_eq!(
            text(
                Challenge::bearer()
                    .with("error", "insufficient_scope")
                    .with("scope", "a b")
            ),
            r#"Bearer error="insufficient_scope", scope="a b""#
        );
    }

    #[test]
    fn a_value_that_could_break_out_is_left_out() {
        for bad in ["a\"b", "a\\b", "a\r\nX: y", "ü", "\u{7f}", "a\tb"] {
            let challenge = Challenge::bearer().with("scope", bad).into_header();
            assert_eq!(challenge, "Bearer", "{bad:?}");
        }
    }
}
