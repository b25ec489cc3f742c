//! The `claims` parameter: what a client says the token must carry (OpenID Connect Core §5.5).

use serde_json::Value;

/// The parts of a `claims` parameter that the emulator honours, all of the access token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ClaimsRequest {
    /// Authentication contexts, from `acrs`.
    pub(super) acrs: Vec<String>,
    /// The token must be issued at this time or later, from `nbf`.
    pub(super) not_before: Option<u64>,
    /// Client capabilities, from `xms_cc`.
    pub(super) capabilities: Vec<String>,
}

impl ClaimsRequest {
    /// Reads the parameter; `None` if it is no JSON object. Claims not named above are ignored.
    pub(super) fn read(text: &str) -> Option<Self> {
        let asked: Value = serde_json::from_str(text).ok()?;
        let access_token = match asked.as_object()?.get("access_token") {
            Some(Value::Object(claims)) => claims,
            Some(_) => return None,
            None => return Some(Self::default()),
        };
        let values = |name| access_token.get(name).map(values).unwrap_or_default();
        Some(Self {
            acrs: values("acrs"),
            not_before: values("nbf").first().and_then(|time| time.parse().ok()),
            capabilities: values("xms_cc"),
        })
    }

    /// Whether a sign-in that satisfied these contexts, and a token issued now, would do.
    pub(super) fn is_satisfied_by(&self, acrs: &[String], now: u64) -> bool {
        self.acrs.iter().all(|asked| acrs.contains(asked))
            && self.not_before.is_none_or(|earliest| earliest <= now)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.acrs.is_empty() && self.not_before.is_none()
    }
}

/// `{"value": …}` or `{"values": […]}`, numbers as text.
fn values(asked: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let one = asked.get("value").and_then(text);
    let many = asked.get("values").and_then(Value::as_array);
    one.into_iter()
        .chain(many.into_iter().flatten().filter_map(text))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::ClaimsRequest;

    #[test]
    fn the_three_claims_are_read_and_others_are_ignored() {
        let text = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"},
            "nbf":{"essential":true,"value":"1700000000"},"xms_cc":{"values":["cp1"]},
            "other":{"value":1}},"id_token":{}}"#;
        let asked = ClaimsRequest::read(text).unwrap();
        assert_eq!(asked.acrs, ["c1"]);
        assert_eq!(asked.not_before, Some(1_700_000_000));
        assert_eq!(asked.capabilities, ["cp1"]);
        assert!(asked.is_satisfied_by(&["c1".to_owned()], 1_700_000_000));
        assert!(!asked.is_satisfied_by(&["c1".to_owned()], 1_699_999_999));
        assert!(!asked.is_satisfied_by(&["c2".to_owned()], 1_700_000_000));
    }

    #[test]
    fn text_that_is_no_object_is_refused() {
        for text in ["", "[]", "1", "{", r#"{"access_token":1}"#] {
            assert_eq!(ClaimsRequest::read(text), None, "{text}");
        }
        assert!(ClaimsRequest::read("{}").unwrap().is_empty());
    }
}
