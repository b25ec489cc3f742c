//! Seven places for tokens in one line of the processor's cache.

use std::sync::Arc;

use super::entry::Entry;
use crate::snapshot::{Loaded, Slot};
use crate::sync::atomic::{AtomicU64, Ordering};

/// Places per set. Eight tags and seven pointers would be 64 bytes too; seven of each are simpler.
pub(super) const WAYS: usize = 7;

/// Places that a token with this hash may be in.
///
/// One byte of `tags` for each place says whether it is worth to follow the pointer; 0 is empty.
/// Only a writer with the shard's lock changes anything.
#[derive(Default)]
#[repr(align(64))]
pub(super) struct Set {
    tags: AtomicU64,
    ways: [Slot<Entry>; WAYS],
}

/// One byte repeated, to look at all tags at once.
const ONES: u64 = 0x0001_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

impl Set {
    #[inline]
    pub(super) fn get_with<R>(
        &self,
        hash: u64,
        token: &[u8],
        look: impl FnOnce(&Entry) -> R,
    ) -> Option<R> {
        let mut equal = candidates(self.tags.load(Ordering::Acquire), tag(hash));
        while equal != 0 {
            let way = (equal.trailing_zeros() / 8) as usize;
            equal &= equal.wrapping_sub(1);
            let entry = self.ways.get(way)?.load();
            let Some(entry) = entry.as_deref() else {
                continue;
            };
            entry.prefetch();
            if entry.token() == token {
                return Some(look(entry));
            }
        }
        None
    }

    /// The place of exactly this token.
    pub(super) fn place_of(&self, hash: u64, token: &[u8]) -> Option<usize> {
        let tags = self.tags.load(Ordering::Relaxed);
        (0..WAYS).find(|way| {
            byte(tags, *way) == tag(hash)
                && self.entry(*way).is_some_and(|entry| {
                    entry.as_deref().is_some_and(|entry| entry.token() == token)
                })
        })
    }

    /// The first empty place.
    pub(super) fn empty_place(&self) -> Option<usize> {
        let tags = self.tags.load(Ordering::Relaxed);
        (0..WAYS).find(|way| byte(tags, *way) == 0)
    }

    pub(super) fn is_empty(&self, way: usize) -> bool {
        byte(self.tags.load(Ordering::Relaxed), way) == 0
    }

    pub(super) fn entry(&self, way: usize) -> Option<Loaded<Option<Arc<Entry>>>> {
        self.ways.get(way).map(Slot::load)
    }

    /// Puts an entry in its place and gives what was there. Needs the shard's lock.
    pub(super) fn replace(
        &self,
        way: usize,
        hash: u64,
        entry: Option<Arc<Entry>>,
    ) -> Option<Arc<Entry>> {
        let tag = if entry.is_some() { tag(hash) } else { 0 };
        let before = self.ways.get(way)?.swap(entry);
        let shift = u32::try_from(way).unwrap_or_default().wrapping_mul(8);
        let others = self.tags.load(Ordering::Relaxed) & !(0xff << shift);
        self.tags.store(others | (tag << shift), Ordering::Release);
        before
    }
}

/// The highest bit of each place's byte where the tag is this one.
///
/// The lowest of these bits is right; one above it may be wrong, and costs a comparison.
#[inline]
const fn candidates(tags: u64, tag: u64) -> u64 {
    let differences = tags ^ ONES.wrapping_mul(tag);
    differences.wrapping_sub(ONES) & !differences & HIGHS
}

const fn byte(tags: u64, way: usize) -> u64 {
    tags.wrapping_shr((way as u32).wrapping_mul(8)) & 0xff
}

/// The highest eight bits of the hash, but never 0.
const fn tag(hash: u64) -> u64 {
    let tag = hash >> 56;
    if tag == 0 { 1 } else { tag }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_the_highest_byte_of_the_hash_and_never_that_of_an_empty_place() {
        assert_eq!((tag(0), tag((1 << 56) - 1)), (1, 1));
        for byte in 1..=255 {
            assert_eq!(tag(byte << 56), byte);
            assert_eq!(tag(byte << 56 | ((1 << 56) - 1)), byte);
        }
    }

    #[test]
    fn no_place_is_compared_unnecessarily_but_after_a_match() {
        // Each of three tags, or none, in each of the seven places.
        for number in 0..4_u64.pow(7) {
            let own = |way: u32| [0, 1, 0x7f, 0x80][number as usize >> (2 * way) & 3];
            let tags = (0..7).map(|way| own(way) << (8 * way)).sum();
            for tag in [1, 2, 0x7f, 0x80, 0x81, 0xff] {
                let found = candidates(tags, tag);
                let right: u64 = (0..7)
                    .filter(|way| own(*way) == tag)
                    .map(|way| 0x80 << (8 * way))
                    .sum();
                assert_eq!(found & right, right, "{tags:x} {tag:x}");
                assert_eq!(found.trailing_zeros(), right.trailing_zeros());
            }
        }
    }
}
