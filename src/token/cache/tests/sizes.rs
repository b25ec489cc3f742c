//! What a cache makes of its bytes, and whether it counts them right.

use super::*;
use crate::token::cache::shard::Shard;

#[test]
fn places_are_made_for_two_kibibytes_each_and_a_writer_for_each_mebibyte() {
    for (most, sets, writers) in [
        (20_000, 1, 1),
        (28_671, 1, 1),
        (28_672, 2, 1),
        (100_000, 4, 1),
        (1 << 20, 64, 1),
        (3 << 20, 128, 2),
        (8 << 20, 512, 8),
        (32 << 20, 2_048, 32),
        (64 << 20, 4_096, 64),
        (256 << 20, 16_384, 64),
    ] {
        let cache = TokenCache::new(most).unwrap();
        assert_eq!((cache.sets.len(), cache.writers.len()), (sets, writers));
        assert_eq!(cache.sets_per_writer.get(), sets / writers);
    }
}

/// What its writers may fill.
fn for_entries(cache: &TokenCache) -> usize {
    let writers = (0..cache.writers.len()).filter_map(|shard| cache.shard(shard).1);
    writers.map(|writer| writer.most_bytes()).sum()
}

#[test]
fn tables_entries_and_copies_are_the_bytes_that_were_given() {
    for most in [20_000, 100_000, 1 << 20, 3 << 20, 64 << 20] {
        let cache = TokenCache::new(most).unwrap();
        let sets = cache.sets.len() * (size_of::<Set>() + size_of::<[u32; WAYS]>());
        let writers = cache.writers.len() * size_of::<Mutex<Shard>>();
        assert_eq!(cache.room().left(), most / 16);
        let all = sets + writers + cache.room().left() + for_entries(&cache);
        let lost = most - all;
        assert!(lost < cache.writers.len(), "{lost} of {most}");
    }
}

#[test]
fn the_least_cache_is_one_that_an_entry_fits_into() {
    let least = (0..10_000).find_map(TokenCache::new).unwrap();
    assert_eq!(for_entries(&least), size_of::<Entry>());
}

#[tokio::test]
async fn an_entry_counts_what_its_allocations_take() {
    let claims = claims().await;
    for length in [24, 1_000, 1_500, 4_000] {
        let (token, signing_key) = ("x".repeat(length), signing_key());
        let mut kept = None;
        let counted = allocation_counter::measure(|| {
            let own = claims.duplicate();
            kept = Some(Arc::new(Entry::new(token.as_bytes(), own, signing_key, 0)));
        });
        let asked_for = usize::try_from(counted.bytes_current).unwrap();
        let allocations = usize::try_from(counted.count_current).unwrap();
        let bytes = kept.unwrap().bytes();
        // A word beside each, and up to fifteen bytes to a multiple of sixteen.
        let most = asked_for + allocations * (size_of::<usize>() + 15);
        assert!(
            (asked_for..=most).contains(&bytes),
            "{bytes}: {asked_for} to {most}"
        );
    }
}
