//! Whose account a question is about, and who asks.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use uuid::Uuid;

use crate::claims::{AccountId, Claims, Principal};

/// An account of the directory: a user's, or an application's service principal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    pub(crate) tenant: Uuid,
    pub(crate) object: Uuid,
    pub(crate) is_app: bool,
}

impl Account {
    /// The account of a token's bearer; `None` without `tid` and `oid`.
    ///
    /// A bearer who is neither user nor app for certain is looked for among the users.
    pub(crate) fn of(claims: &Claims) -> Option<Self> {
        match claims.account_id()? {
            AccountId::Entra {
                tenant_id: tenant,
                object_id: object,
            } => Some(Self {
                tenant,
                object,
                is_app: claims.principal() == Principal::App,
            }),
            AccountId::Subject { .. } => None,
        }
    }

    /// As revocations name it.
    pub(super) const fn id(&self) -> AccountId {
        AccountId::Entra {
            tenant_id: self.tenant,
            object_id: self.object,
        }
    }

    /// Where Graph has it, below the version.
    pub(super) fn path(&self) -> [String; 2] {
        let kind = if self.is_app {
            "servicePrincipals"
        } else {
            "users"
        };
        [kind.to_owned(), self.object.hyphenated().to_string()]
    }
}

impl fmt::Debug for Account {
    /// Object ids name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(…)")
    }
}

/// Who asks: an account, with the token that it showed where it is a user's.
#[derive(Debug, Clone)]
pub(crate) struct Requester {
    pub(crate) account: Account,
    pub(crate) token: Option<Arc<SecretString>>,
}
