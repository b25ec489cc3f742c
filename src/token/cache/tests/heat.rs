//! When a token is hot, and what its copies take.

use super::*;
use crate::token::cache::per_thread::{ByteBudget, PerThreadClaims};

/// One thread asks so often before it has a copy: 32 samples of 64 hits each.
const UNTIL_HOT: usize = 32 * 64;

/// What is given on a thread that has asked for nothing yet.
fn on_a_new_thread(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap());
}

#[tokio::test]
async fn a_thread_has_its_own_copy_after_so_many_hits_in_a_second_and_gives_its_room_back() {
    let claims = claims().await;
    on_a_new_thread(|| {
        let room = ByteBudget::of(1 << 20);
        let copies = PerThreadClaims::default();
        for hit in 1..=UNTIL_HOT {
            assert_eq!(room.left(), 1 << 20, "{hit}");
            assert!(
                copies.clone_claims(&claims, &room, NOW).is(&claims),
                "{hit}"
            );
        }
        let own = copies.clone_claims(&claims, &room, NOW);
        assert!(!own.is(&claims));
        let left = room.left();
        assert_eq!(
            (1 << 20) - left,
            claims.bytes() + PerThreadClaims::table_bytes()
        );
        assert!(
            PerThreadClaims::table_bytes() >= 2 * size_of::<Claims>(),
            "places for two"
        );
        for _ in 0..2 * UNTIL_HOT {
            assert!(copies.clone_claims(&claims, &room, NOW + 1).is(&own));
        }
        assert_eq!(room.left(), left, "one copy for a thread");
        drop(copies);
        assert_eq!(room.left(), 1 << 20);
        assert_eq!(own.object_id(), claims.object_id());
    });
}

#[tokio::test]
async fn hits_of_one_second_do_not_count_in_the_next() {
    let claims = claims().await;
    on_a_new_thread(|| {
        let room = ByteBudget::of(1 << 20);
        let copies = PerThreadClaims::default();
        for second in 0..4 {
            for _ in 0..UNTIL_HOT - 64 {
                assert!(
                    copies
                        .clone_claims(&claims, &room, NOW + second)
                        .is(&claims)
                );
            }
        }
        assert_eq!(room.left(), 1 << 20);
        for _ in 0..64 {
            assert!(copies.clone_claims(&claims, &room, NOW + 3).is(&claims));
        }
        assert!(!copies.clone_claims(&claims, &room, NOW + 3).is(&claims));
    });
}

#[tokio::test]
async fn without_room_nothing_is_copied() {
    let claims = claims().await;
    on_a_new_thread(|| {
        let room = ByteBudget::of(claims.bytes());
        let copies = PerThreadClaims::default();
        for _ in 0..2 * UNTIL_HOT {
            assert!(copies.clone_claims(&claims, &room, NOW).is(&claims));
        }
        assert_eq!(room.left(), claims.bytes());
    });
}

#[tokio::test]
async fn threads_have_copies_of_their_own() {
    let claims = claims().await;
    let (room, copies) = (ByteBudget::of(1 << 20), PerThreadClaims::default());
    let hot = || {
        let mut last = None;
        for _ in 0..2 * UNTIL_HOT {
            last = Some(copies.clone_claims(&claims, &room, NOW));
        }
        last.unwrap()
    };
    let (mut one, mut other) = (None, None);
    on_a_new_thread(|| one = Some(hot()));
    on_a_new_thread(|| other = Some(hot()));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(!one.is(&claims) && !other.is(&claims));
}
