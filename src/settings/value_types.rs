//! The forms of addresses: `https`, and `http` for this machine only.

use url::Url;

use super::credential::Secret;
use super::forms::{ValueType, quoted};
use super::layers::Scalar;
use crate::authority::{is_address_with_policy, is_app_id_uri, web_address};

/// A web address, in some places with a query.
pub(super) struct WebAddress {
    pub(super) query: bool,
}

impl ValueType for WebAddress {
    type Value = Url;
    fn expected(&self) -> String {
        let query = if self.query { "" } else { " without a query" };
        format!("an https URL{query}, http only for a loopback address")
    }
    fn read(&self, given: &Scalar) -> Option<Url> {
        web_address(quoted(given)?).filter(|url| self.query || url.query().is_none())
    }
}

/// The text of an issuer, which must be a web address and is compared byte for byte.
pub(super) struct IssuerText;

impl ValueType for IssuerText {
    type Value = String;
    fn expected(&self) -> String {
        "an https URL without a query, http only for a loopback address, exactly as tokens state it"
            .to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<String> {
        let text = quoted(given)?;
        web_address(text)
            .filter(|url| url.query().is_none())
            .map(|_| text.to_owned())
    }
}

/// A web address, letter for letter as it was given.
pub(super) struct WebText;

impl ValueType for WebText {
    type Value = String;
    fn expected(&self) -> String {
        WebAddress { query: true }.expected()
    }
    fn read(&self, given: &Scalar) -> Option<String> {
        let text = quoted(given)?;
        web_address(text).map(|_| text.to_owned())
    }
}

/// An identifier URI of the application, letter for letter: scopes get it in front of their names.
pub(super) struct AppIdUri;

impl ValueType for AppIdUri {
    type Value = String;
    fn expected(&self) -> String {
        "an identifier URI of the application like api://CLIENT_ID".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<String> {
        let text = quoted(given)?;
        is_app_id_uri(text).then(|| text.to_owned())
    }
}

/// A web address in which `{policy}` may stand after the host.
pub(super) struct WebPattern;

impl ValueType for WebPattern {
    type Value = String;
    fn expected(&self) -> String {
        "an https URL, http only for a loopback address, {policy} only after the host".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<String> {
        let text = quoted(given)?;
        is_address_with_policy(text).then(|| text.to_owned())
    }
}

/// The address of a Redis server. It may hold a password.
pub(super) struct RedisAddress;

impl ValueType for RedisAddress {
    type Value = Secret;
    const SECRET: bool = true;
    fn expected(&self) -> String {
        "a redis:// or rediss:// URL with a host".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<Secret> {
        let text = quoted(given)?;
        let url = Url::parse(text).ok()?;
        let sound = matches!(url.scheme(), "redis" | "rediss")
            && url.host_str().is_some_and(|host| !host.is_empty());
        sound.then(|| Secret::new(text))
    }
}
