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

/// A string, and the function that reads it.
pub(super) struct Form<T> {
    pub(super) expected: &'static str,
    pub(super) read: fn(&str) -> Option<T>,
}

impl<T> ValueType for Form<T> {
    type Value = T;
    fn expected(&self) -> String {
        self.expected.to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<T> {
        (self.read)(quoted(given)?)
    }
}

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

/// Text that is compared exactly later on, so that spaces at its ends are a mistake.
pub(super) const TEXT: Form<String> = Form {
    expected: "a string that is not empty, without spaces at its ends",
    read: |text| {
        let is_sound = text.trim() == text && !text.contains(char::is_control);
        kept(text, !text.is_empty() && is_sound)
    },
};

/// Names of permissions with spaces between; an empty string is none.
pub(super) const SCOPES: Form<Vec<String>> = Form {
    expected: "a string with spaces between its words",
    read: |text| {
        let words = text.split_whitespace();
        words.map(|word| kept(word, is_permission(word))).collect()
    },
};

/// The name of one permission, an element of a list.
pub(super) const WORD: Form<String> = Form {
    expected: "one word",
    read: |word| kept(word, !word.is_empty() && is_permission(word)),
};

/// Whether signed HTTP requests are accepted.
pub(super) const POP_TOKENS: Form<PopTokens> = Form {
    expected: "refuse, accept or require",
    read: |text| match text {
        "refuse" => Some(PopTokens::Refuse),
        "accept" => Some(PopTokens::Accept),
        "require" => Some(PopTokens::Require),
        _ => None,
    },
};

/// The path of a file; the reader finds out whether the file exists.
pub(super) const FILE_PATH: Form<PathBuf> = Form {
    expected: "the path of a file",
    read: |text| (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text)),
};

/// A GUID in 8-4-4-4-12 form.
pub(super) const GUID: Form<Uuid> = Form {
    expected: "a GUID like 11111111-1111-4111-8111-111111111111",
    read: parse_guid,
};

/// A GUID, letter for letter.
pub(super) const GUID_TEXT: Form<String> = Form {
    expected: GUID.expected,
    read: |text| kept(text, parse_guid(text).is_some()),
};

/// A tenant's id in a list, or `any` in place of the list.
pub(super) const ALLOWED_TENANT: Form<Uuid> = Form {
    expected: "a list of GUIDs, or \"any\"",
    read: parse_guid,
};

/// A tenant: by id, by domain, or one of the three words for many.
pub(super) const TENANT: Form<Tenant> = Form {
    expected: "a GUID, a domain like contoso.onmicrosoft.com, common, organizations or consumers",
    read: |text| text.parse().ok(),
};

/// A DNS name with at least one dot.
pub(super) const DOMAIN: Form<String> = Form {
    expected: "a domain like contoso.onmicrosoft.com",
    read: |text| kept(text, is_domain(text)),
};

/// The name of a B2C policy, which becomes a part of addresses.
pub(super) const POLICY: Form<String> = Form {
    expected: "a policy like B2C_1_susi, of letters, digits, `_`, `-` and `.`",
    read: |text| kept(text, is_policy_name(text)),
};

/// Which tokens pass while revocations cannot be followed.
pub(super) const ON_LOSS: Form<StoreFailurePolicy> = Form {
    expected: "fail_closed, allow_younger_than:SECONDS or allow",
    read: |text| match text {
        "fail_closed" => Some(StoreFailurePolicy::Deny),
        "allow" => Some(StoreFailurePolicy::DangerAllow),
        _ => {
            let seconds = text.strip_prefix("allow_younger_than:")?;
            let digits = seconds.bytes().all(|byte| byte.is_ascii_digit());
            let seconds = seconds.parse::<u32>().ok().filter(|_| digits)?;
            let age = Duration::from_secs(seconds.into());
            Some(StoreFailurePolicy::AllowIssuedWithin(age))
        }
    },
};

/// What a scope is made of (RFC 6749, 3.3): printable ASCII without `"` and `\`.
fn is_permission(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// The text itself, where it has the form.
pub(super) fn kept(text: &str, has_form: bool) -> Option<String> {
    has_form.then(|| text.to_owned())
}

/// The text of a string; a bare number or `true` is none.
pub(super) fn quoted(given: &Scalar) -> Option<&str> {
    (!given.bare).then_some(given.text.as_str())
}
