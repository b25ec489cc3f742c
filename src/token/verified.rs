//! A token whose signature verified; its claims are not checked yet.

use std::sync::Arc;

use crate::claims::raw::Draft;
use crate::jwks::PublishedKey;

/// Made by [`UnverifiedToken::verify`](super::unverified::UnverifiedToken::verify) alone.
#[derive(Debug)]
pub(crate) struct VerifiedToken<'t> {
    draft: Draft<'t>,
    key: Arc<PublishedKey>,
    /// The header's `nonce`.
    nonce: Option<Box<str>>,
}

impl<'t> VerifiedToken<'t> {
    pub(super) fn new(draft: Draft<'t>, key: Arc<PublishedKey>, nonce: Option<Box<str>>) -> Self {
        Self { draft, key, nonce }
    }

    pub(super) fn into_parts(self) -> (Draft<'t>, Arc<PublishedKey>, Option<Box<str>>) {
        (self.draft, self.key, self.nonce)
    }
}
