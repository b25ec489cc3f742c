//! Tokens that were verified before: found by a hash, believed by the whole text.
//!
//! `docs/design.md`, "Why the cache is safe", has the attacks that were considered.

mod bucket;
mod entry;
mod hash;
mod per_thread;
mod shard;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::BuildHasher;
use std::num::NonZeroUsize;
use std::sync::PoisonError;

use crate::claims::AccountId;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, RandomState};

use bucket::{Set, WAYS};
pub(super) use entry::{Entry, KeyState, SigningKeyRef};
use hash::TokenHash;
use per_thread::ByteBudget;
use shard::Shard;

/// Verified tokens, within a number of bytes.
///
/// Reading takes no lock and writes nothing that another core reads; writing locks one of up to
/// 64 shards. What is in here was accepted once; whether it still is, is for
/// [`Validator::revalidate`](super::Validator) to say, every time.
pub(super) struct TokenCache {
    hash: TokenHash,
    accounts: RandomState,
    /// All shards' sets, one shard's beside each other.
    sets: Box<[Set]>,
    writers: Box<[Mutex<Shard>]>,
    sets_per_writer: NonZeroUsize,
    /// How often an account was forgotten.
    forgotten: AtomicU64,
    room: ByteBudget,
}

/// A moment before a token was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidationEpoch(u64);

/// Bytes per writer: with fewer, great tokens would not fit.
const SHARD_BYTES: usize = 1 << 20;

/// More writers than cores that verify at the same time.
const MOST_SHARDS: usize = 64;

/// Sets are made for entries of this size; twice as many of half the size fit as well.
const BYTES_PER_WAY: usize = 2_048;

impl TokenCache {
    /// A cache that takes `most_bytes` of memory, its tables included; `None` if nothing fits.
    pub(super) fn new(most_bytes: usize) -> Option<Self> {
        Self::hashing(most_bytes, TokenHash::random())
    }

    fn hashing(most_bytes: usize, hash: TokenHash) -> Option<Self> {
        let sets = power_of_two_below(most_bytes / (BYTES_PER_WAY * WAYS)).max(1);
        let shards = power_of_two_below(most_bytes / SHARD_BYTES)
            .clamp(1, MOST_SHARDS)
            .min(sets);
        let shards = NonZeroUsize::new(shards)?;
        let sets_per_writer = NonZeroUsize::new(sets / shards)?;
        let tables = sets
            .checked_mul(size_of::<Set>().checked_add(size_of::<[u32; WAYS]>())?)?
            .checked_add(shards.get().checked_mul(size_of::<Mutex<Shard>>())?)?;
        // A sixteenth is kept for the copies of hot tokens.
        let for_copies = most_bytes / 16;
        let for_entries = most_bytes.checked_sub(tables)?.checked_sub(for_copies)?;
        if for_entries / shards < size_of::<Entry>() {
            return None;
        }
        let writer = || Mutex::new(Shard::new(for_entries / shards, sets_per_writer.get()));
        Some(Self {
            hash,
            accounts: RandomState::new(),
            sets: std::iter::repeat_with(Set::default).take(sets).collect(),
            writers: std::iter::repeat_with(writer).take(shards.get()).collect(),
            sets_per_writer,
            forgotten: AtomicU64::new(0),
            room: ByteBudget::of(for_copies),
        })
    }

    /// Looks at the entry of exactly this token, if there is one.
    pub(super) fn get_with<R>(&self, token: &[u8], look: impl FnOnce(&Entry) -> R) -> Option<R> {
        let hash = self.hash.of(token)?;
        self.sets.get(self.place(hash))?.get_with(hash, token, look)
    }

    /// To be called before a token is verified that shall be kept.
    pub(super) fn epoch(&self) -> InvalidationEpoch {
        InvalidationEpoch(self.forgotten.load(Ordering::SeqCst))
    }

    /// Keeps a token that was accepted, unless an account was forgotten in the meantime.
    pub(super) fn insert(&self, before: InvalidationEpoch, entry: Entry, now: u64) {
        let Some(hash) = self.hash.of(entry.token()) else {
            return;
        };
        let account = self.account(entry.account().as_ref());
        let place = self.place(hash);
        let (Some(sets), Some(mut writer)) = self.shard(place / self.sets_per_writer) else {
            return;
        };
        // Under the lock: every later removal will find the entry.
        if self.epoch() == before {
            writer.insert(
                sets,
                place % self.sets_per_writer,
                hash,
                account,
                entry,
                now,
            );
        }
    }

    /// Removes all tokens of accounts, with one look at the tables for all of them.
    pub(super) fn forget(&self, accounts: &[AccountId]) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        let mut tags: Vec<_> = accounts
            .iter()
            .map(|account| (self.account(Some(account)), account))
            .collect();
        tags.sort_unstable_by_key(|(tag, _)| *tag);
        for shard in 0..self.writers.len() {
            if let (Some(sets), Some(mut writer)) = self.shard(shard) {
                writer.forget(sets, &tags);
            }
        }
    }

    /// Removes all tokens.
    pub(super) fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        for shard in 0..self.writers.len() {
            if let (Some(sets), Some(mut writer)) = self.shard(shard) {
                writer.forget_all(sets);
            }
        }
    }

    /// The bytes that the entries take, as the writers count them.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        let writers = (0..self.writers.len()).filter_map(|shard| self.shard(shard).1);
        writers.map(|writer| writer.bytes()).sum()
    }

    /// The same, counted anew.
    #[cfg(test)]
    fn counted(&self) -> usize {
        let ways = self
            .sets
            .iter()
            .flat_map(|set| (0..WAYS).map(|way| set.entry(way).unwrap()));
        ways.map(|entry| entry.as_deref().map_or(0, Entry::bytes))
            .sum()
    }

    pub(super) const fn room(&self) -> &ByteBudget {
        &self.room
    }

    /// The sets of a shard, and the right to write to them.
    fn shard(&self, shard: usize) -> (Option<&[Set]>, Option<MutexGuard<'_, Shard>>) {
        let start = shard.saturating_mul(self.sets_per_writer.get());
        (
            self.sets
                .get(start..start.saturating_add(self.sets_per_writer.get())),
            self.writers
                .get(shard)
                .map(|writer| writer.lock().unwrap_or_else(PoisonError::into_inner)),
        )
    }

    fn place(&self, hash: u64) -> usize {
        // The lower bits; the highest eight are the tag.
        usize::try_from(hash & u64::from(u32::MAX)).unwrap_or_default()
            & self.sets.len().saturating_sub(1)
    }

    /// The hash that finds an account; 0 means no account.
    fn account(&self, user: Option<&AccountId>) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "half a hash is a hash")]
        user.map_or(0, |user| self.accounts.hash_one(user) as u32 | 1)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("sets", &self.sets.len())
            .field("shards", &self.writers.len())
            .finish_non_exhaustive()
    }
}

/// The greatest power of two that is not above `number`; 0 for 0.
const fn power_of_two_below(number: usize) -> usize {
    match number.checked_ilog2() {
        Some(exponent) => 1 << exponent,
        None => 0,
    }
}
