//! A token that was accepted once, and all that is needed to accept it again.

use std::fmt;
use std::sync::Arc;

use super::per_thread::{ByteBudget, PerThreadClaims};
use crate::claims::{AccountId, Claims, allocated};
use crate::jwks::snapshot::KeyReader;
use crate::jwks::{Generation, PublishedKey};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The key that signed a token: a key of one document of one authority.
#[derive(Debug)]
pub(in crate::token) struct SigningKeyRef {
    /// The authority's place in the validator, and its document's in the authority.
    authority: u32,
    document: u32,
    key: Arc<PublishedKey>,
    /// The last key set in which the key was found.
    generation: AtomicU64,
}

/// Whether the key is there at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::token) enum KeyState {
    Published,
    Withdrawn,
    /// There are no keys at all.
    Unavailable,
}

impl SigningKeyRef {
    pub(in crate::token) fn new(
        authority: usize,
        document: usize,
        key: Arc<PublishedKey>,
        generation: Generation,
    ) -> Self {
        // An index that does not fit its integer type belongs to no authority.
        let number = |place| u32::try_from(place).unwrap_or(u32::MAX);
        Self {
            authority: number(authority),
            document: number(document),
            key,
            generation: AtomicU64::new(generation.0),
        }
    }

    pub(in crate::token) const fn authority(&self) -> usize {
        self.authority as usize
    }

    pub(in crate::token) const fn document(&self) -> usize {
        self.document as usize
    }

    /// Looks for the key: one comparison, unless the key set is another one.
    #[inline]
    pub(in crate::token) fn key_is(&self, reader: &KeyReader) -> KeyState {
        match reader.generation() {
            Some(Generation(now)) if now == self.generation.load(Ordering::Relaxed) => {
                KeyState::Published
            }
            Some(_) => self.look_again(reader),
            None => KeyState::Unavailable,
        }
    }

    #[cold]
    fn look_again(&self, reader: &KeyReader) -> KeyState {
        let snapshot = reader.load();
        match snapshot.keys.as_deref() {
            Some(keys) if keys.contains(&self.key) => {
                self.generation
                    .store(keys.generation().0, Ordering::Relaxed);
                KeyState::Published
            }
            Some(_) => KeyState::Withdrawn,
            None => KeyState::Unavailable,
        }
    }
}

/// One token of the cache.
pub(in crate::token) struct Entry {
    token: Box<[u8]>,
    claims: Claims,
    signing_key: SigningKeyRef,
    /// From when on it is certainly of no use.
    evict_after: u64,
    /// Asked for since the last look around for room.
    used: AtomicBool,
    copies: PerThreadClaims,
}

impl Entry {
    pub(in crate::token) fn new(
        token: &[u8],
        claims: Claims,
        signing_key: SigningKeyRef,
        skew: u64,
    ) -> Self {
        Self {
            token: token.into(),
            evict_after: claims
                .expires_at()
                .as_secs()
                .saturating_add(skew)
                .saturating_add(1),
            claims,
            signing_key,
            used: AtomicBool::new(false),
            copies: PerThreadClaims::default(),
        }
    }

    pub(super) fn token(&self) -> &[u8] {
        &self.token
    }

    /// Touches what is looked at behind the comparison of the token, which takes the time that memory
    /// takes to come: with a thousand tokens in use little of it is near the processor.
    #[inline]
    pub(super) fn prefetch(&self) {
        std::hint::black_box(self.claims.touch());
    }

    pub(super) fn account(&self) -> Option<AccountId> {
        self.claims.account_id()
    }

    /// To be looked at; what is given away comes from [`give`](Self::clone_claims).
    pub(in crate::token) const fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(in crate::token) const fn signing_key(&self) -> &SigningKeyRef {
        &self.signing_key
    }

    /// The claims, for a request that is admitted.
    #[inline]
    pub(in crate::token) fn clone_claims(&self, room: &ByteBudget, now: u64) -> Claims {
        // Read before write: a cache line that is only read stays in every core's cache.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        self.copies.clone_claims(&self.claims, room, now)
    }

    /// Whether it was asked for since the last call.
    pub(super) fn was_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) const fn is_expired(&self, now: u64) -> bool {
        now >= self.evict_after
    }

    /// How many bytes of memory the entry takes, allocations and all.
    pub(super) fn bytes(&self) -> usize {
        allocated(size_of::<(Self, [usize; 2])>())
            .saturating_add(allocated(self.token.len()))
            .saturating_add(self.claims.bytes())
    }
}

impl fmt::Debug for Entry {
    /// Nothing of the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").finish_non_exhaustive()
    }
}
