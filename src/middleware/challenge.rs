//! `WWW-Authenticate: Bearer …` (RFC 6750 section 3), and `PoP …` for signed HTTP requests.

use std::sync::OnceLock;

use http::HeaderValue;

use super::resources::Challenged;

/// A challenge, parameter by parameter; values that could break out of their quotes are left out.
#[derive(Debug)]
pub(super) struct Challenge(String);

/// The recipient of a challenge, where all recipients get the same text.
#[derive(Debug, Clone, Copy)]
pub(super) enum ChallengeKind {
    NoToken,
    /// A header that holds no token.
    NoHeader,
    /// A token that is not accepted.
    BadToken,
}

/// What is said to everybody of one resource, made when it is first needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Challenges {
    no_token: OnceLock<HeaderValue>,
    no_header: OnceLock<HeaderValue>,
    bad_token: OnceLock<HeaderValue>,
}

impl Challenges {
    const fn slot(&self, to: ChallengeKind) -> &OnceLock<HeaderValue> {
        match to {
            ChallengeKind::NoToken => &self.no_token,
            ChallengeKind::NoHeader => &self.no_header,
            ChallengeKind::BadToken => &self.bad_token,
        }
    }
}

/// Room for a challenge with the address of the metadata and a scope.
const USUAL_LENGTH: usize = 160;

impl Challenge {
    pub(super) fn bearer() -> Self {
        Self::of_scheme("Bearer")
    }

    /// For signed HTTP requests. The nonce goes first: MSAL.js finds it nowhere else.
    pub(super) fn pop(nonce: Option<&str>) -> Self {
        Self::of_scheme("PoP").with_some("nonce", nonce)
    }

    fn of_scheme(name: &str) -> Self {
        let mut text = String::with_capacity(USUAL_LENGTH);
        text.push_str(name);
        Self(text)
    }

    /// The challenge to everybody of a kind, put together once.
    pub(super) fn usual(to: ChallengeKind, resource: Option<&Challenged>) -> HeaderValue {
        let make = || {
            let bearer = Self::bearer();
            // A client without a good token learns what to ask for (RFC 6750 section 3).
            let scope = resource.map(|resource| resource.scope.as_str());
            let challenge = match to {
                ChallengeKind::NoToken => bearer.with_some("scope", scope),
                ChallengeKind::NoHeader => bearer.with("error", "invalid_request"),
                ChallengeKind::BadToken => bearer
                    .with("error", "invalid_token")
                    .with_some("scope", scope),
            };
            let metadata = resource.and_then(|resource| resource.metadata.as_deref());
            challenge
                .with_some("resource_metadata", metadata)
                .into_header()
        };
        match resource {
            Some(resource) => resource.usual.slot(to).get_or_init(make).clone(),
            None => make(),
        }
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
        let is_first = !self.0.contains(' ');
        self.0.push_str(if is_first { " " } else { ", " });
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
    fn what_is_said_to_everybody_is_said_alike_each_time() {
        let resource = Challenged {
            scope: "api://x/read".into(),
            metadata: Some("https://x/meta".into()),
            ..Challenged::default()
        };
        for (to, expected) in [
            (
                ChallengeKind::NoToken,
                r#"Bearer scope="api://x/read", resource_metadata="https://x/meta""#,
            ),
            (
                ChallengeKind::NoHeader,
                r#"Bearer error="invalid_request", resource_metadata="https://x/meta""#,
            ),
            (
                ChallengeKind::BadToken,
                r#"Bearer error="invalid_token", scope="api://x/read", resource_metadata="https://x/meta""#,
            ),
        ] {
            assert_eq!(Challenge::usual(to, Some(&resource)), expected);
            assert_eq!(Challenge::usual(to, Some(&resource)), expected);
        }
        assert_eq!(Challenge::usual(ChallengeKind::NoToken, None), "Bearer");
    }

    #[test]
    fn a_value_that_could_break_out_is_left_out() {
        for bad in ["a\"b", "a\\b", "a\r\nX: y", "ü", "\u{7f}", "a\tb"] {
            let challenge = Challenge::bearer().with("scope", bad).into_header();
            assert_eq!(challenge, "Bearer", "{bad:?}");
        }
    }
}
