//! A token whose signature verified; its claims are not checked yet.

use std::sync::Arc;

use crate::authority::issuer::IssuerPattern;
use crate::claims::wire::Draft;
use crate::keys::VerifyingKey;

/// Made by [`UnverifiedToken::verify`](super::unverified::UnverifiedToken::verify) alone.
#[derive(Debug)]
pub(crate) struct VerifiedToken {
    draft: Draft,
    key: Arc<VerifyingKey>,
    /// The issuer that the document of the key states.
    stated: IssuerPattern,
    /// The header's `nonce`.
    nonce: Option<String>,
}

impl VerifiedToken {
    pub(super) fn new(
        draft: Draft,
        key: Arc<VerifyingKey>,
        stated: IssuerPattern,
        nonce: Option<String>,
    ) -> Self {
        Self {
            draft,
            key,
            stated,
            nonce,
        }
    }

    pub(super) fn into_parts(self) -> (Draft, Arc<VerifyingKey>, IssuerPattern, Option<String>) {
        (self.draft, self.key, self.stated, self.nonce)
    }
}
