//! The key of a user's data.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64_simd::URL_SAFE_NO_PAD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::PLACEHOLDER_SUBJECT;
use crate::guid::parse_guid;

/// Under what to keep the data of a user or application; two keys are equal only for one account.
///
/// Never a name or an address: those change hands. The same person has another key in every
/// tenant, as the same `oid` in two tenants is two accounts.
///
/// ```
/// use axum_entra::AccountId;
///
/// let text = "11111111-1111-4111-8111-111111111111.690222be-ff1a-4d56-abd1-7e4f7d38e474";
/// let account: AccountId = text.parse().unwrap();
/// assert_eq!(account.to_string(), text);
/// // A name is no account.
/// assert!("alice@contoso.example".parse::<AccountId>().is_err());
/// // Logs do not show whose account it is.
/// assert_eq!(format!("{account:?}"), "Entra { .. }");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AccountId {
    /// (`tid`,`oid`): the same for every application.
    Entra {
        /// `tid`.
        tenant_id: Uuid,
        /// `oid`.
        object_id: Uuid,
    },
    /// (`iss`,`sub`): only for this application.
    Subject {
        /// `iss`.
        issuer: Box<str>,
        /// `sub`.
        subject: Box<str>,
    },
}

impl AccountId {
    pub(super) fn of(
        tenant: Option<Uuid>,
        object: Option<&str>,
        issuer: &str,
        subject: Option<&str>,
    ) -> Option<Self> {
        if let (Some(tenant), Some(object)) = (tenant, object.and_then(parse_guid)) {
            return Some(Self::Entra {
                tenant_id: tenant,
                object_id: object,
            });
        }
        let subject = subject.filter(|text| !text.is_empty() && *text != PLACEHOLDER_SUBJECT)?;
        Some(Self::Subject {
            issuer: issuer.into(),
            subject: subject.into(),
        })
    }
}

/// One text for one account, which [`FromStr`] reads: `{tid}.{oid}`, or `sub.` and issuer and
/// subject in base64url. Fit for a database key, a file name and a path segment.
///
/// It names a person: keep it out of logs.
impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entra {
                tenant_id,
                object_id,
            } => write!(f, "{tenant_id}.{object_id}"),
            Self::Subject { issuer, subject } => {
                let encoded = |text: &str| URL_SAFE_NO_PAD.encode_to_string(text);
                write!(f, "{SUBJECT}.{}.{}", encoded(issuer), encoded(subject))
            }
        }
    }
}

/// A text that is not the one of an account.
///
/// ```
/// use axum_entra::AccountId;
///
/// let error = "alice@contoso.example".parse::<AccountId>().unwrap_err();
/// assert!(error.to_string().contains("{tid}.{oid}"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account is `{{tid}}.{{oid}}`, or `sub.` with issuer and subject in base64url")]
#[non_exhaustive]
pub struct ParseAccountIdError;

impl FromStr for AccountId {
    type Err = ParseAccountIdError;

    fn from_str(text: &str) -> Result<Self, ParseAccountIdError> {
        let parts: Vec<&str> = text.split('.').collect();
        let found = match parts.as_slice() {
            [SUBJECT, issuer, subject] => decoded(issuer)
                .zip(decoded(subject))
                .map(|(issuer, subject)| Self::Subject { issuer, subject }),
            [tenant, object] => {
                parse_guid(tenant)
                    .zip(parse_guid(object))
                    .map(|(tenant_id, object_id)| Self::Entra {
                        tenant_id,
                        object_id,
                    })
            }
            _ => None,
        };
        found.ok_or(ParseAccountIdError)
    }
}

fn decoded(part: &str) -> Option<Box<str>> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(part).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty()).then(|| text.into())
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl fmt::Debug for AccountId {
    /// Only its kind: object ids name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Entra { .. } => "Entra",
            Self::Subject { .. } => "Subject",
        };
        f.debug_struct(kind).finish_non_exhaustive()
    }
}

/// Begins the text of an account that is known by its subject; no GUID does.
const SUBJECT: &str = "sub";

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: Uuid = Uuid::from_u128(1);
    const OBJECT: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e474";

    #[test]
    fn one_object_in_two_tenants_is_two_accounts() {
        let here = AccountId::of(Some(TENANT), Some(OBJECT), "i", Some("s"));
        let there = AccountId::of(Some(Uuid::from_u128(2)), Some(OBJECT), "i", Some("s"));
        assert!(here.is_some() && here != there);
        let upper = AccountId::of(Some(TENANT), Some(&OBJECT.to_uppercase()), "i", Some("s"));
        assert_eq!(here, upper);
    }

    /// Entra writes GUIDs. Another form is no object id, and the subject names the account: two
    /// spellings of one id would else be two accounts, of which one is not revoked.
    #[test]
    fn an_oid_of_another_form_is_no_object_id() {
        let subject = AccountId::of(Some(TENANT), None, "i", Some("s"));
        for odd in [
            "",
            "690222beff1a4d56abd17e4f7d38e474",
            "{690222be-ff1a-4d56-abd1-7e4f7d38e474}",
            "urn:uuid:690222be-ff1a-4d56-abd1-7e4f7d38e474",
            " 690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "690222be-ff1a-4d56-abd1-7e4f7d38e47",
            "alice",
        ] {
            let account = AccountId::of(Some(TENANT), Some(odd), "i", Some("s"));
            assert_eq!(account, subject, "{odd:?}");
            assert_eq!(AccountId::of(Some(TENANT), Some(odd), "i", None), None);
        }
    }

    #[test]
    fn the_placeholder_of_b2c_is_no_account() {
        assert_eq!(
            AccountId::of(Some(TENANT), None, "i", Some(PLACEHOLDER_SUBJECT)),
            None
        );
        assert_eq!(AccountId::of(None, Some(OBJECT), "i", None), None);
        assert_eq!(AccountId::of(None, None, "i", Some("")), None);
        assert!(AccountId::of(Some(TENANT), None, "i", Some("s")).is_some());
    }

    #[test]
    fn the_text_of_an_account_is_read_back_and_nothing_else_is() {
        let entra = AccountId::of(Some(TENANT), Some(OBJECT), "i", Some("s")).unwrap();
        let subject = AccountId::of(None, None, "https://i.example/?a=b#c", Some("a.b/ü")).unwrap();
        assert_eq!(
            entra.to_string(),
            format!("00000000-0000-0000-0000-000000000001.{OBJECT}")
        );
        for account in [entra, subject] {
            let text = account.to_string();
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            assert!(text.bytes().all(plain), "{text}");
            assert_eq!(text.parse(), Ok(account.clone()));
            let json = serde_json::to_string(&account).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<AccountId>(&json).unwrap(), account);
        }
        for bad in [
            "",
            ".",
            OBJECT,
            "alice@contoso.example",
            &format!("{OBJECT}.x"),
            &format!("{OBJECT}.{OBJECT}.{OBJECT}"),
            &format!("{{{OBJECT}}}.{OBJECT}"),
            "sub.aQ.",
            "sub..aQ",
            "sub.aQ==.aQ",
            "sub.aQ.aR",
            "sub._w._w",
        ] {
            assert_eq!(bad.parse::<AccountId>(), Err(ParseAccountIdError), "{bad}");
            assert!(
                serde_json::from_value::<AccountId>(bad.into()).is_err(),
                "{bad}"
            );
        }
        assert!(serde_json::from_str::<AccountId>("5").is_err());
    }
}
