//! A token whose signature verified; its claims are not checked yet.

use std::sync::Arc;

use crate::claims::raw::RawClaims;
use crate::jwks::PublishedKey;

/// Made by [`UnverifiedToken::verify`](super::unverified::UnverifiedToken::verify) only.
#[derive(Debug)]
pub(crate) struct VerifiedToken<'t> {
    draft: RawClaims<'t>,
    key: Arc<PublishedKey>,
    /// The header's `nonce`.
    nonce: Option<Box<str>>,
}

impl<'t> VerifiedToken<'t> {
    pub(super) fn new(
        draft: RawClaims<'t>,
        key: Arc<PublishedKey>,
        nonce: Option<Box<str>>,
    ) -> Self {
        Self { draft, key, nonce }
    }

    pub(super) fn into_parts(self) -> (RawClaims<'t>, Arc<PublishedKey>, Option<Box<str>>) {
        (self.draft, self.key, self.nonce)
    }
}
