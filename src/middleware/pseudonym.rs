//! Accounts in the log, under names that tell nothing without a key.

use std::fmt;

use crate::claims::{AccountId, Claims};
use crate::jwks::HashKey;

/// Bytes of a pseudonym: enough that two accounts do not share one.
const BYTES: usize = 12;

/// Makes an account's name for the log.
#[derive(Clone)]
pub(crate) struct Pseudonyms(HashKey);

impl Pseudonyms {
    pub(crate) fn keyed(key: &[u8]) -> Self {
        Self(HashKey::new(key))
    }

    /// One event for an admitted request.
    pub(super) fn log(&self, claims: &Claims) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        // The field is absent where no agent is known to act.
        let blueprint = claims.agent().and_then(|agent| agent.blueprint_id());
        match claims.account_id() {
            Some(account) => {
                tracing::debug!(account = self.of(&account), blueprint, "request admitted");
            }
            None => tracing::debug!(blueprint, "request admitted, without an identity"),
        }
    }

    pub(super) fn of(&self, account: &AccountId) -> String {
        let hash = match account {
            AccountId::Entra {
                tenant_id: tenant,
                object_id: object,
            } => self
                .0
                .hash(&[b"object", tenant.as_bytes(), object.as_bytes()]),
            AccountId::Subject { issuer, subject } => {
                self.0
                    .hash(&[b"subject", issuer.as_bytes(), subject.as_bytes()])
            }
        };
        let bytes = hash.as_ref().get(..BYTES).unwrap_or_default();
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms(key not shown)")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn account(object: u128) -> AccountId {
        AccountId::Entra {
            tenant_id: Uuid::from_u128(1),
            object_id: Uuid::from_u128(object),
        }
    }

    #[test]
    fn one_account_has_one_pseudonym_under_one_key() {
        let names = Pseudonyms::keyed(b"key");
        assert_eq!(names.of(&account(2)), names.of(&account(2)));
        assert_ne!(names.of(&account(2)), names.of(&account(3)));
        let others = Pseudonyms::keyed(b"another key");
        assert_ne!(names.of(&account(2)), others.of(&account(2)));
    }

    #[test]
    fn nothing_of_the_account_stands_in_it() {
        let name = Pseudonyms::keyed(b"key").of(&account(2));
        assert_eq!(name.len(), 16);
        assert!(!name.contains(&Uuid::from_u128(2).simple().to_string()[..8]));
    }
}
