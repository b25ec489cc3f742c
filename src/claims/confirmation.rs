//! `cnf`: what a token is bound to (RFC 7800).

use serde_json::{Map, Value};

use super::Claims;
use super::claim_name::Name;

/// What the client has to prove beside the token, by the token's `cnf` (RFC 7800).
///
/// From [`Claims::confirmation`](super::Claims::confirmation). A request whose claims have one has
/// proved all of it: the layer refuses a bound token that comes without its proof.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::testing;
/// use serde_json::json;
///
/// let bound = testing::claims().claim("cnf", json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }));
/// let confirmation = bound.build().confirmation().unwrap();
/// assert!(confirmation.certificate_thumbprint().is_some() && !confirmation.is_bound_to_key());
/// // A bearer token.
/// assert!(testing::claims().build().confirmation().is_none());
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmation {
    key_id: Option<String>,
    key: Option<Map<String, Value>>,
    certificate: Option<String>,
}

impl Claims {
    /// `cnf`: what the token is bound to, all of which this request has proved; `None` for a
    /// bearer token, which is accepted from any client that has it.
    ///
    /// A guard that asks for it: [`RequireBoundToken`](crate::guard::RequireBoundToken).
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    /// use serde_json::json;
    ///
    /// let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    /// let bound = claims().claim("cnf", json!({ "kid": thumbprint })).build();
    /// assert_eq!(bound.confirmation().unwrap().key_thumbprint(), Some(thumbprint));
    /// // A bearer token.
    /// assert!(claims().build().confirmation().is_none());
    /// # }
    /// ```
    #[must_use]
    pub fn confirmation(&self) -> Option<Confirmation> {
        Confirmation::parse(self.confirmation_json()?)
    }

    /// `cnf` as it is written; a string without its quotes.
    pub(crate) fn confirmation_json(&self) -> Option<&str> {
        self.json(Name::Confirmation)
    }
}

impl Confirmation {
    /// Reads the value of `cnf`; `None` where some of it can be proved by no request.
    ///
    /// `xms_ksl` says where the client keeps its key, which proves nothing. Every other member
    /// that is not known here could be one that has to be proved (RFC 7800 section 3.1 has several).
    pub(crate) fn parse(json: &str) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_str(json).ok()?;
        let mut found = Self {
            key_id: None,
            key: None,
            certificate: None,
        };
        for (name, value) in members {
            match (name.as_str(), value) {
                ("kid", Value::String(thumbprint)) => found.key_id = Some(thumbprint),
                ("jwk", Value::Object(key)) => found.key = Some(key),
                ("x5t#S256", Value::String(thumbprint)) => found.certificate = Some(thumbprint),
                ("xms_ksl", _) => {}
                _ => return None,
            }
        }
        (found.is_bound_to_key() || found.certificate.is_some()).then_some(found)
    }

    /// Whether the client has to sign requests with a key: `kid`, or `jwk`.
    #[must_use]
    pub const fn is_bound_to_key(&self) -> bool {
        self.key_id.is_some() || self.key.is_some()
    }

    /// `kid`: the SHA-256 thumbprint (RFC 7638, base64url) of the key that signs requests.
    #[must_use]
    pub fn key_thumbprint(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// `x5t#S256`: the SHA-256 (base64url) of the client's certificate (RFC 8705 section 3.1).
    #[must_use]
    pub fn certificate_thumbprint(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// `jwk`: the key itself, where the token holds it whole.
    pub(crate) const fn key(&self) -> Option<&Map<String, Value>> {
        self.key.as_ref()
    }

    /// The binding in one word, for metrics and spans: `key`, `certificate`, `key_and_certificate`.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    /// use serde_json::json;
    ///
    /// let binding = |cnf| claims().claim("cnf", cnf).build().confirmation().map(|found| found.binding());
    /// assert_eq!(binding(json!({ "kid": "0ZcO" })), Some("key"));
    /// assert_eq!(binding(json!({ "x5t#S256": "bwcK" })), Some("certificate"));
    /// let both = json!({ "kid": "0ZcO", "x5t#S256": "bwcK" });
    /// assert_eq!(binding(both), Some("key_and_certificate"));
    /// # }
    /// ```
    #[must_use]
    pub const fn binding(&self) -> &'static str {
        match (self.is_bound_to_key(), self.certificate.is_some()) {
            (true, true) => "key_and_certificate",
            (false, true) => "certificate",
            (_, false) => "key",
        }
    }
}

impl std::fmt::Debug for Confirmation {
    /// The kind of binding; thumbprints tell one client from another.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Confirmation")
            .field(&self.binding())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_proved_is_read_and_all_of_it_must_be_provable() {
        let binding = |json| Confirmation::parse(json).map(|found| found.binding());
        for (json, expected) in [
            (r#"{"kid":"k"}"#, "key"),
            (r#"{"kid":"k","xms_ksl":"sw"}"#, "key"),
            (r#"{"jwk":{}}"#, "key"),
            (r#"{"x5t#S256":"x"}"#, "certificate"),
            (r#"{"kid":"k","x5t#S256":"x"}"#, "key_and_certificate"),
        ] {
            assert_eq!(binding(json), Some(expected), "{json}");
        }
        for unprovable in [
            "{}",
            "[]",
            "\"k\"",
            "1",
            r#"{"xms_ksl":"sw"}"#,
            r#"{"kid":null}"#,
            r#"{"kid":1}"#,
            r#"{"jwk":"k"}"#,
            r#"{"x5t#S256":1}"#,
            r#"{"jku":"https://a","kid":"k"}"#,
            r#"{"jwe":"x"}"#,
            r#"{"jkt":"x"}"#,
            r#"{"kid":"k","other":null}"#,
            r#"{"x5t":"x"}"#,
        ] {
            assert_eq!(binding(unprovable), None, "{unprovable}");
        }
    }
}
