//! What is kept is found again, wherever it was put.

use super::*;

/// A cache that is the same in every run.
fn cache(most_bytes: usize) -> TokenCache {
    let hash = TokenHash::keyed([
        0x243f_6a88_85a3_08d3,
        0x1319_8a2e_0370_7344,
        0xa409_3822_299f_31d0,
        0x082e_fa98_ec4e_6c89,
    ]);
    TokenCache::hashing(most_bytes, hash).unwrap()
}

fn token(number: usize) -> String {
    format!("{number:024}")
}

/// Keeps so many tokens, and counts those that are found afterwards.
fn found_again(cache: &TokenCache, claims: &Claims, many: usize) -> usize {
    for number in 0..many {
        cache.insert(cache.epoch(), entry(&token(number), claims), NOW);
    }
    let found = |number: &usize| cache.get_with(token(*number).as_bytes(), |_| ()).is_some();
    (0..many).filter(found).count()
}

#[tokio::test]
async fn tokens_that_the_cache_has_room_for_are_found_again() {
    let claims = claims().await;
    // A place in four is taken, a place in two; hardly a set has more than its seven.
    for (places, least) in [(4, 0.99), (2, 0.96)] {
        let cache = cache(8 << 20);
        let many = cache.sets.len() * WAYS / places;
        assert!(
            many * entry(&token(0), &claims).bytes() < 7 << 20,
            "there is room"
        );
        let found = found_again(&cache, &claims, many);
        assert!(found as f64 >= least * many as f64, "{found} of {many}");
    }
}

#[tokio::test]
async fn of_too_many_the_cache_keeps_as_many_as_it_has_room_for() {
    let claims = claims().await;
    let cache = cache(8 << 20);
    let many = 20_000;
    let found = found_again(&cache, &claims, many);
    // Its places are fewer than the entries that its bytes would hold, or the other way round.
    let bytes = (7 << 20) / entry(&token(0), &claims).bytes();
    let most = bytes.min(cache.sets.len() * WAYS);
    assert!(found * 10 >= most * 9 && found < many, "{found} of {most}");
}

#[tokio::test]
async fn every_writer_and_every_set_has_its_share() {
    let claims = claims().await;
    let cache = cache(8 << 20);
    let many = cache.sets.len() * WAYS / 2;
    found_again(&cache, &claims, many);
    let writers = (0..cache.writers.len()).filter_map(|shard| cache.shard(shard).1);
    let bytes: Vec<usize> = writers.map(|writer| writer.bytes()).collect();
    let mean = bytes.iter().sum::<usize>() / bytes.len();
    assert!(
        bytes
            .iter()
            .all(|own| (mean * 3 / 4..mean * 5 / 4).contains(own)),
        "{bytes:?}"
    );
    let empty = cache
        .sets
        .iter()
        .filter(|set| (0..WAYS).all(|way| set.is_empty(way)));
    // With three and a half to a set on average, one in thirty-three has none.
    assert!(empty.count() < cache.sets.len() / 16);
}

#[tokio::test]
async fn accounts_are_distinguished_by_their_numbers_and_each_has_one() {
    let cache = cache(1 << 20);
    assert_eq!(cache.account(None), 0);
    let tenant = uuid::Uuid::from_u128(1);
    let numbers: std::collections::HashSet<u32> = (0..10_000)
        .map(|number| {
            let object = uuid::Uuid::from_u128(number);
            cache.account(Some(&AccountId::Entra {
                tenant_id: tenant,
                object_id: object,
            }))
        })
        .collect();
    // Half of 32 bits: two of ten thousand seldom meet.
    assert!(numbers.len() > 9_980, "{}", numbers.len());
    assert!(
        numbers.iter().all(|number| number % 2 == 1),
        "never 0: 0 means no account"
    );
}
