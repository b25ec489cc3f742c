//! The side of one shard that changes it: who comes in, and who has to go for it.

use std::sync::Arc;

use super::bucket::{Set, WAYS};
use super::entry::Entry;
use crate::claims::AccountId;

/// What only the holder of a shard's lock sees.
pub(super) struct Shard {
    most_bytes: usize,
    bytes: usize,
    /// Where the last look around for room ended.
    hand: usize,
    /// The account in every place of every set, to be looked through quickly.
    accounts: Box<[u32]>,
}

impl Shard {
    pub(super) fn new(most_bytes: usize, sets: usize) -> Self {
        Self {
            most_bytes,
            bytes: 0,
            hand: 0,
            accounts: vec![0; sets.saturating_mul(WAYS)].into_boxed_slice(),
        }
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    #[cfg(test)]
    pub(super) const fn most_bytes(&self) -> usize {
        self.most_bytes
    }

    /// Puts an entry into a set; others have to go if there is no room.
    pub(super) fn insert(
        &mut self,
        sets: &[Set],
        set: usize,
        hash: u64,
        account: u32,
        entry: Entry,
        now: u64,
    ) {
        let bytes = entry.bytes();
        if bytes > self.most_bytes {
            return;
        }
        let Some(way) = sets.get(set).map(|set| place_in(set, hash, &entry, now)) else {
            return;
        };
        self.remove(sets, set, way);
        self.evict(sets, self.most_bytes.saturating_sub(bytes), now);
        if let Some(set) = sets.get(set) {
            set.replace(way, hash, Some(Arc::new(entry)));
            self.bytes = self.bytes.saturating_add(bytes);
        }
        if let Some(own) = self
            .accounts
            .get_mut(set.saturating_mul(WAYS).saturating_add(way))
        {
            *own = account;
        }
    }

    /// Removes all entries of accounts, which are given in the order of their tags.
    pub(super) fn forget(&mut self, sets: &[Set], accounts: &[(u32, &AccountId)]) {
        // A program that starts may hear of a million accounts before its first token.
        if self.bytes == 0 {
            return;
        }
        for place in 0..self.accounts.len() {
            let Some(tag) = self.accounts.get(place).filter(|tag| **tag != 0) else {
                continue;
            };
            let first = accounts.partition_point(|(other, _)| other < tag);
            let same_tag = accounts
                .iter()
                .skip(first)
                .take_while(|(other, _)| other == tag);
            let mut same_tag = same_tag.peekable();
            if same_tag.peek().is_none() {
                continue;
            }
            let (set, way) = (place / WAYS, place % WAYS);
            let entry = sets.get(set).and_then(|set| set.entry(way));
            let Some(account) = entry.as_deref().and_then(|entry| entry.as_ref()?.account()) else {
                continue;
            };
            drop(entry);
            if same_tag.any(|(_, other)| **other == account) {
                self.remove(sets, set, way);
            }
        }
    }

    /// Removes all entries.
    pub(super) fn forget_all(&mut self, sets: &[Set]) {
        for place in 0..self.accounts.len() {
            self.remove(sets, place / WAYS, place % WAYS);
        }
    }

    /// Goes round like the hand of a clock: who is dead or was not asked for since the last time
    /// has to go.
    fn evict(&mut self, sets: &[Set], most_bytes: usize, now: u64) {
        let places = self.accounts.len();
        // In the second round every entry can be evicted.
        for step in 0..places.saturating_mul(2) {
            if self.bytes <= most_bytes {
                return;
            }
            let (set, way) = (self.hand / WAYS, self.hand % WAYS);
            let next = self.hand.saturating_add(1);
            self.hand = if next < places { next } else { 0 };
            if sets.get(set).is_none_or(|set| set.is_empty(way)) {
                continue;
            }
            let spared = match sets.get(set).and_then(|set| set.entry(way)).as_deref() {
                Some(Some(entry)) => !entry.is_expired(now) && entry.was_used() && step < places,
                _ => continue,
            };
            if !spared {
                self.remove(sets, set, way);
            }
        }
    }

    fn remove(&mut self, sets: &[Set], set: usize, way: usize) {
        if sets.get(set).is_none_or(|set| set.is_empty(way)) {
            return;
        }
        let entry = sets.get(set).and_then(|set| set.replace(way, 0, None));
        if let Some(entry) = entry {
            self.bytes = self.bytes.saturating_sub(entry.bytes());
        }
        if let Some(account) = self
            .accounts
            .get_mut(set.saturating_mul(WAYS).saturating_add(way))
        {
            *account = 0;
        }
    }
}

/// The slot for an entry: its own, an empty, an expired or an unused one.
fn place_in(set: &Set, hash: u64, entry: &Entry, now: u64) -> usize {
    if let Some(way) = set
        .place_of(hash, entry.token())
        .or_else(|| set.empty_place())
    {
        return way;
    }
    let rank = |way: usize| match set.entry(way).as_deref() {
        Some(Some(other)) if other.is_expired(now) => 0,
        Some(Some(other)) if !other.is_used() => 1,
        _ => 2,
    };
    // Not always the first of equals.
    let first = usize::from(hash.to_le_bytes()[6]);
    (first..first + WAYS)
        .map(|way| way % WAYS)
        .min_by_key(|way| rank(*way))
        .unwrap_or_default()
}
