//! The forms of addresses: `https`, and `http` for this machine only.

use base64_simd::STANDARD;
use secrecy::zeroize::Zeroizing;
use url::Url;

use super::credential::Secret;
use super::forms::{Form, ValueType, kept, quoted};
use super::layers::Scalar;
use crate::authority::{is_address_with_policy, is_app_id_uri, web_address};
use crate::graph::AnswerKey;

/// A web address.
pub(super) const WEB_ADDRESS: Form<Url> = Form {
    expected: "an https URL without a query, http only for a loopback address",
    read: |text| web_address(text).filter(|url| url.query().is_none()),
};

/// The text of an issuer, which must be a web address and is compared byte for byte.
pub(super) const ISSUER: Form<String> = Form {
    expected: "an https URL without a query, http only for a loopback address, exactly as tokens state it",
    read: |text| kept(text, (WEB_ADDRESS.read)(text).is_some()),
};

/// A web address, letter for letter as it was given.
pub(super) const WEB_TEXT: Form<String> = Form {
    expected: "an https URL, http only for a loopback address",
    read: |text| kept(text, web_address(text).is_some()),
};

/// An identifier URI of the application, letter for letter: scopes get it in front of their names.
pub(super) const APP_ID_URI: Form<String> = Form {
    expected: "an identifier URI of the application like api://CLIENT_ID",
    read: |text| kept(text, is_app_id_uri(text)),
};

/// A web address in which `{policy}` may stand after the host.
pub(super) const WEB_PATTERN: Form<String> = Form {
    expected: "an https URL, http only for a loopback address, {policy} only after the host",
    read: |text| kept(text, is_address_with_policy(text)),
};

/// A key that replicas share.
pub(super) struct Base64Key;

impl ValueType for Base64Key {
    type Value = AnswerKey;
    const SECRET: bool = true;
    fn expected(&self) -> String {
        "the Base64 of at least 32 random bytes".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<AnswerKey> {
        let key = STANDARD.decode_to_vec(quoted(given)?.trim()).ok();
        key.map(|key| AnswerKey::new(&Zeroizing::new(key)))
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
