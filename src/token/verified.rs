//! A token whose signature verified; its claims are not checked yet.

use std::sync::Arc;

use crate::claims::wire::Draft;
use crate::keys::PublishedKey;

/// Made by [`UnverifiedToken::verify`](super::unverified::UnverifiedToken::verify) alone.
#[derive(Debug)]
pub(crate) struct VerifiedToken {
    draft: Draft,
    key: Arc<PublishedKey>,
}

impl VerifiedToken {
    pub(super) fn new(draft: Draft, key: Arc<PublishedKey>) -> Self {
        Self { draft, key }
    }

    pub(super) fn into_parts(self) -> (Draft, Arc<PublishedKey>) {
        (self.draft, self.key)
    }
}
