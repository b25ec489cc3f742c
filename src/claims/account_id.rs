//! The key of a user's data.

use std::fmt;

use uuid::Uuid;

use super::PLACEHOLDER_SUBJECT;
use crate::guid::parse_guid;

/// Under what to keep the data of a user or application; two keys are equal only for one account.
///
/// Never a name or an address: those change hands. The same person has another key in every
/// tenant, as the same `oid` in two tenants is two accounts.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AccountId {
    /// (`tid`,`oid`): the same for every application.
    Entra {
        /// `tid`.
        tenant: Uuid,
        /// `oid`.
        object: Uuid,
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
            return Some(Self::Entra { tenant, object });
        }
        let subject = subject.filter(|text| !text.is_empty() && *text != PLACEHOLDER_SUBJECT)?;
        Some(Self::Subject {
            issuer: issuer.into(),
            subject: subject.into(),
        })
    }
}

impl fmt::Debug for AccountId {
    /// Only its kind: object ids name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entra { .. } => "UserKey::Object(…)",
            Self::Subject { .. } => "UserKey::Subject(…)",
        })
    }
}

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

    #[test]
    fn the_placeholder_of_b2c_is_nobody() {
        assert_eq!(
            AccountId::of(Some(TENANT), None, "i", Some(PLACEHOLDER_SUBJECT)),
            None
        );
        assert_eq!(AccountId::of(None, Some(OBJECT), "i", None), None);
        assert_eq!(AccountId::of(None, None, "i", Some("")), None);
        assert!(AccountId::of(Some(TENANT), None, "i", Some("s")).is_some());
    }
}
