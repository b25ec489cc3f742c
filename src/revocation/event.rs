//! What replicas tell each other: that something was raised to a time.

#[cfg(any(feature = "redis", test))]
use serde_json::json;
use uuid::Uuid;

use crate::authority::issuer::first_guid;
use crate::claims::AccountId;
#[cfg(any(feature = "redis", test))]
use crate::guid::parse_guid;

/// What a time is kept for. Times are only ever raised, so that the order of news is no matter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum RevocationKey {
    /// Tokens of this account that were issued before the time are revoked.
    Account(AccountId),
    /// This session ended at the time, and all tokens of it are revoked.
    Session { tenant: Uuid, session: Box<str> },
    /// The account signed out at the time: what is kept of it is forgotten, nothing is revoked.
    SignedOut(AccountId),
    /// A revocation of the account at the time, or at an earlier one, no longer holds.
    Lifted(AccountId),
    /// Something of the account ended at the time: what is kept of it is forgotten, nothing is
    /// revoked, and what is open stays so.
    Forgotten(AccountId),
}

impl RevocationKey {
    /// Whether tokens are refused for it; the others only have things forgotten, or let through.
    pub(super) const fn refuses_tokens(&self) -> bool {
        matches!(self, Self::Account(_) | Self::Session { .. })
    }

    /// The account of which nothing is to be kept, if it has an object id.
    #[cfg(feature = "redis")]
    pub(super) const fn forgets(&self) -> Option<&AccountId> {
        match self {
            Self::Account(account) | Self::SignedOut(account) | Self::Forgotten(account) => {
                match account {
                    AccountId::Entra { .. } => Some(account),
                    AccountId::Subject { .. } => None,
                }
            }
            Self::Lifted(_) | Self::Session { .. } => None,
        }
    }
}

/// An account as marks are kept for it: `sub` names the same one in v1.0 and v2.0 tokens of a
/// tenant, whose issuers differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum AccountKey {
    Object { tenant: Uuid, object: Uuid },
    Subject { tenant: Uuid, subject: Box<str> },
    OfIssuer { issuer: Box<str>, subject: Box<str> },
}

impl From<&AccountId> for AccountKey {
    fn from(account: &AccountId) -> Self {
        match account {
            AccountId::Entra {
                tenant_id: tenant,
                object_id: object,
            } => Self::Object {
                tenant: *tenant,
                object: *object,
            },
            AccountId::Subject { issuer, subject } => match first_guid(issuer) {
                Some((_, tenant)) => Self::Subject {
                    tenant,
                    subject: subject.clone(),
                },
                None => Self::OfIssuer {
                    issuer: issuer.clone(),
                    subject: subject.clone(),
                },
            },
        }
    }
}

/// As the store spells them.
#[cfg(any(feature = "redis", test))]
impl RevocationKey {
    /// One text for one mark, the same on every replica.
    pub(super) fn to_text(&self) -> String {
        let user = |word: &str, account: &AccountId| match account {
            AccountId::Entra {
                tenant_id: tenant,
                object_id: object,
            } => {
                json!([word, "object", guid(tenant), guid(object)])
            }
            AccountId::Subject { issuer, subject } => json!([word, "subject", issuer, subject]),
        };
        match self {
            Self::Account(account) => user(ACCOUNT, account),
            Self::SignedOut(account) => user(SIGNED_OUT, account),
            Self::Forgotten(account) => user(FORGOTTEN, account),
            Self::Lifted(account) => user(LIFTED, account),
            Self::Session { tenant, session } => json!([SESSION, "sid", guid(tenant), session]),
        }
        .to_string()
    }

    /// Reads what another replica wrote; `None` for what only a newer one would understand.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Ok(parts) = serde_json::from_str::<[Borrowable<'_>; 4]>(text) else {
            return None;
        };
        let (word, account) = match parts.each_ref().map(|part| part.0.as_ref()) {
            [SESSION, "sid", tenant, session] => {
                return Some(Self::Session {
                    tenant: parse_guid(tenant)?,
                    session: session.into(),
                });
            }
            [word, "object", tenant, object] => (
                word,
                AccountId::Entra {
                    tenant_id: parse_guid(tenant)?,
                    object_id: parse_guid(object)?,
                },
            ),
            [word, "subject", issuer, subject] => (
                word,
                AccountId::Subject {
                    issuer: issuer.into(),
                    subject: subject.into(),
                },
            ),
            _ => return None,
        };
        match word {
            ACCOUNT => Some(Self::Account(account)),
            SIGNED_OUT => Some(Self::SignedOut(account)),
            FORGOTTEN => Some(Self::Forgotten(account)),
            LIFTED => Some(Self::Lifted(account)),
            _ => None,
        }
    }
}

/// A text that is copied only where it has escapes.
#[cfg(any(feature = "redis", test))]
#[derive(serde::Deserialize)]
struct Borrowable<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

#[cfg(any(feature = "redis", test))]
const ACCOUNT: &str = "account";
#[cfg(any(feature = "redis", test))]
const SESSION: &str = "session";
#[cfg(any(feature = "redis", test))]
const SIGNED_OUT: &str = "signed_out";
#[cfg(any(feature = "redis", test))]
const FORGOTTEN: &str = "forgotten";
#[cfg(any(feature = "redis", test))]
const LIFTED: &str = "lifted";

#[cfg(any(feature = "redis", test))]
fn guid(id: &Uuid) -> String {
    id.hyphenated().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let object = AccountId::Entra {
            tenant_id: Uuid::from_u128(1),
            object_id: Uuid::from_u128(2),
        };
        let subject = AccountId::Subject {
            issuer: "https://i/\"[".into(),
            subject: "a\nb\u{1f600}".into(),
        };
        for mark in [
            RevocationKey::Account(object.clone()),
            RevocationKey::Account(subject.clone()),
            RevocationKey::SignedOut(object.clone()),
            RevocationKey::SignedOut(subject.clone()),
            RevocationKey::Lifted(object.clone()),
            RevocationKey::Lifted(subject.clone()),
            RevocationKey::Forgotten(object),
            RevocationKey::Forgotten(subject),
            RevocationKey::Session {
                tenant: Uuid::from_u128(3),
                session: "s, \\".into(),
            },
        ] {
            assert_eq!(RevocationKey::parse(&mark.to_text()), Some(mark));
        }
    }

    #[test]
    fn one_subject_of_one_tenant_is_one_account_whatever_the_version() {
        let key = |issuer: &str, subject: &str| {
            AccountKey::from(&AccountId::Subject {
                issuer: issuer.into(),
                subject: subject.into(),
            })
        };
        let tenant = "fa15d692-e9c7-4460-a743-29f2956fd429";
        let v1 = format!("https://sts.windows.net/{tenant}/");
        let v2 = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        assert_eq!(key(&v1, "s"), key(&v2, "s"));
        assert_ne!(key(&v1, "s"), key(&v2, "t"));
        let elsewhere = v2.replace("fa15", "fa16");
        assert_ne!(key(&v2, "s"), key(&elsewhere, "s"));
        assert_ne!(
            key("https://a.example/", "s"),
            key("https://b.example/", "s")
        );
        assert_eq!(
            key("https://a.example/", "s"),
            key("https://a.example/", "s")
        );
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for other in [
            "",
            "[]",
            "{}",
            "[\"account\",\"object\",\"x\",\"y\"]",
            "[\"account\",\"subject\",\"i\",5]",
            "[\"other\",\"subject\",\"i\",\"s\"]",
            "[\"session\",\"sid\",\"no guid\",\"s\"]",
        ] {
            assert_eq!(RevocationKey::parse(other), None, "{other}");
        }
    }
}
