//! The forms that one value can have: how each is written, and how its text is read.

use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use super::credential::Secret;
use super::layers::Scalar;
use crate::authority::{Tenant, is_domain, is_policy_name};
use crate::bounds::Bounds;
use crate::guid::parse_guid;
use crate::revocation::StoreFailurePolicy;
use crate::token::PopTokens;
use crate::token_version::TokenVersion;

/// The form of one value. An error says what was expected with `expected`.
pub(super) trait ValueType {
    /// What the text turns into.
    type Value;
    /// The value never appears in an error.
    const SECRET: bool = false;
    /// What would be right, to follow the word "expected".
    fn expected(&self) -> String;
    /// Reads a value; nothing if it does not have this form.
    fn read(&self, given: &Scalar) -> Option<Self::Value>;
}

/// A list of values of one form, given element by element and never as one string.
pub(super) struct List<F>(pub(super) F);

/// One value, or a list of values of the same form.
pub(super) struct OneOrList<F>(pub(super) F);

/// A whole number within bounds, and what it counts.
pub(super) struct Number<T> {
    bounds: Bounds,
    of: fn(u64) -> T,
}

impl Number<Duration> {
    pub(super) const fn seconds(bounds: Bounds) -> Self {
        let of = Duration::from_secs;
        Self { bounds, of }
    }

    pub(super) const fn millis(bounds: Bounds) -> Self {
        let of = Duration::from_millis;
        Self { bounds, of }
    }
}

impl Number<usize> {
    pub(super) const fn bytes(bounds: Bounds) -> Self {
        let of = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self { bounds, of }
    }
}

impl<T> ValueType for Number<T> {
    type Value = T;
    fn expected(&self) -> String {
        self.bounds.expected()
    }
    fn read(&self, given: &Scalar) -> Option<T> {
        let number = given.text.trim().parse().ok()?;
        self.bounds.allow(number).then(|| (self.of)(number))
    }
}

/// `true` or `false`, in any letter case as .NET reads it.
pub(super) struct Bool;

impl ValueType for Bool {
    type Value = bool;
    fn expected(&self) -> String {
        "true or false".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<bool> {
        match given.text.trim() {
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}

/// Text that is compared exactly later on, so that spaces at its ends are a mistake.
pub(super) struct Text;

impl ValueType for Text {
    type Value = String;
    fn expected(&self) -> String {
        "a string that is not empty, without spaces at its ends".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<String> {
        let text = quoted(given)?;
        (!text.is_empty() && text.trim() == text && !text.contains(char::is_control))
            .then(|| text.to_owned())
    }
}

/// Names of permissions with spaces between; an empty string is none.
pub(super) struct ScopeList;

impl ValueType for ScopeList {
    type Value = Vec<String>;
    fn expected(&self) -> String {
        "a string with spaces between its words".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<Vec<String>> {
        let words = quoted(given)?.split_whitespace();
        words
            .map(|word| is_permission(word).then(|| word.to_owned()))
            .collect()
    }
}

/// The name of one permission, an element of a list.
pub(super) struct Word;

impl ValueType for Word {
    type Value = String;
    fn expected(&self) -> String {
        "one word".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<String> {
        quoted(given)
            .filter(|word| !word.is_empty() && is_permission(word))
            .map(str::to_owned)
    }
}

/// What a scope is made of (RFC 6749, 3.3): printable ASCII without `"` and `\`.
fn is_permission(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// Whether signed HTTP requests are accepted.
pub(super) struct PopTokensForm;

impl ValueType for PopTokensForm {
    type Value = PopTokens;
    fn expected(&self) -> String {
        "refuse, accept or require".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<PopTokens> {
        match quoted(given)? {
            "refuse" => Some(PopTokens::Refuse),
            "accept" => Some(PopTokens::Accept),
            "require" => Some(PopTokens::Require),
            _ => None,
        }
    }
}

/// A secret.
pub(super) struct SecretText;

impl ValueType for SecretText {
    type Value = Secret;
    const SECRET: bool = true;
    fn expected(&self) -> String {
        "a string that is not empty".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<Secret> {
        let text = quoted(given)?;
        (!text.is_empty()).then(|| Secret::new(text))
    }
}

/// The path of a file; the reader finds out whether the file exists.
pub(super) struct FilePath;

impl ValueType for FilePath {
    type Value = PathBuf;
    fn expected(&self) -> String {
        "the path of a file".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<PathBuf> {
        let text = quoted(given)?;
        (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
    }
}

/// A GUID in 8-4-4-4-12 form.
pub(super) struct Guid;

impl ValueType for Guid {
    type Value = Uuid;
    fn expected(&self) -> String {
        "a GUID like 11111111-1111-4111-8111-111111111111".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<Uuid> {
        parse_guid(quoted(given)?)
    }
}

/// A GUID, letter for letter.
pub(super) struct GuidText;

impl ValueType for GuidText {
    type Value = String;
    fn expected(&self) -> String {
        Guid.expected()
    }
    fn read(&self, given: &Scalar) -> Option<String> {
        Guid.read(given).map(|_| given.text.clone())
    }
}

/// A tenant: by id, by domain, or one of the three words for many.
pub(super) struct TenantForm;

impl ValueType for TenantForm {
    type Value = Tenant;
    fn expected(&self) -> String {
        "a GUID, a domain like contoso.onmicrosoft.com, common, organizations or consumers"
            .to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<Tenant> {
        quoted(given)?.parse().ok()
    }
}

/// A DNS name with at least one dot.
pub(super) struct DomainName;

impl ValueType for DomainName {
    type Value = String;
    fn expected(&self) -> String {
        "a domain like contoso.onmicrosoft.com".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<String> {
        quoted(given)
            .filter(|text| is_domain(text))
            .map(str::to_owned)
    }
}

/// The name of a B2C policy, which becomes a part of addresses.
pub(super) struct PolicyName;

impl ValueType for PolicyName {
    type Value = String;
    fn expected(&self) -> String {
        "a policy like B2C_1_susi, of letters, digits, `_`, `-` and `.`".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<String> {
        quoted(given)
            .filter(|text| is_policy_name(text))
            .map(str::to_owned)
    }
}

/// The version of a token: a string, or the number that it looks like.
pub(super) struct Version;

impl ValueType for Version {
    type Value = TokenVersion;
    fn expected(&self) -> String {
        "\"1.0\" or \"2.0\"".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<TokenVersion> {
        TokenVersion::parse(&given.text)
    }
}

/// A tenant's id in a list, or `any` in place of the list.
pub(super) struct AllowedTenant;

impl ValueType for AllowedTenant {
    type Value = Uuid;
    fn expected(&self) -> String {
        "a list of GUIDs, or \"any\"".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<Uuid> {
        parse_guid(quoted(given)?)
    }
}

/// Which tokens pass while revocations cannot be followed.
pub(super) struct OnLossForm;

impl ValueType for OnLossForm {
    type Value = StoreFailurePolicy;
    fn expected(&self) -> String {
        "fail_closed, allow_younger_than:SECONDS or allow".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<StoreFailurePolicy> {
        match quoted(given)? {
            "fail_closed" => Some(StoreFailurePolicy::Deny),
            "allow" => Some(StoreFailurePolicy::DangerAllow),
            text => {
                let seconds = text.strip_prefix("allow_younger_than:")?;
                let digits =
                    !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
                let seconds = seconds.parse::<u32>().ok().filter(|_| digits)?;
                Some(StoreFailurePolicy::AllowIssuedWithin(Duration::from_secs(
                    seconds.into(),
                )))
            }
        }
    }
}

/// The text of a string; a bare number or `true` is none.
pub(super) fn quoted(given: &Scalar) -> Option<&str> {
    (!given.bare).then_some(given.text.as_str())
}
