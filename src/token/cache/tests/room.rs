//! Eviction order for a new entry: expired entries, unused entries, then any entry.

use super::*;
use crate::token::cache::shard::Shard;

const LONG: u64 = 1_000_000;

/// A writer with its sets; what is kept in them is known by a number.
struct TestShard {
    sets: Vec<Set>,
    writer: Shard,
    claims: Claims,
}

impl TestShard {
    /// Sets, and room for so many entries in them.
    fn new(claims: &Claims, sets: usize, room: usize) -> Self {
        let claims = claims.clone();
        let bytes = room * numbered(0, &claims, LONG).bytes();
        Self {
            sets: std::iter::repeat_with(Set::default).take(sets).collect(),
            writer: Shard::new(bytes, sets),
            claims,
        }
    }

    fn insert(&mut self, set: usize, number: u64) {
        self.keep_until(set, number, LONG, 0);
    }

    /// With as many seconds to live behind its end, and where to begin to look for a place.
    fn keep_until(&mut self, set: usize, number: u64, skew: u64, first: u64) {
        let entry = numbered(number, &self.claims, skew);
        let (now, hash) = (self.now(), number << 56 | first << 48);
        self.writer.insert(&self.sets, set, hash, 1, entry, now);
        assert!(self.writer.bytes() <= self.writer.most_bytes());
    }

    /// When entries with no seconds behind their end are dead.
    fn now(&self) -> u64 {
        self.claims.expires_at().as_secs() + 1
    }

    /// A request looks it up.
    fn uses(&self, set: usize, number: u64) {
        let room = super::super::per_thread::ByteBudget::of(0);
        let token = format!("{number:024}");
        let found = self.sets[set].get_with(number << 56, token.as_bytes(), |entry| {
            entry.clone_claims(&room, NOW);
        });
        assert!(found.is_some(), "{number}");
    }

    /// The numbers in a set's places; `-` for an empty one.
    fn set(&self, set: usize) -> String {
        let places = (0..WAYS).map(|way| {
            let loaded = self.sets[set].entry(way).unwrap();
            let entry = loaded.as_deref();
            assert_eq!(entry.is_none(), self.sets[set].is_empty(way));
            entry.map_or("-".to_owned(), |entry| {
                let token = std::str::from_utf8(entry.token()).unwrap();
                token.parse::<u64>().unwrap().to_string()
            })
        });
        places.collect::<Vec<_>>().join(" ")
    }
}

fn numbered(number: u64, claims: &Claims, skew: u64) -> Entry {
    Entry::new(
        format!("{number:024}").as_bytes(),
        claims.clone(),
        signing_key(),
        skew,
    )
}

#[tokio::test]
async fn the_clock_hand_goes_round_and_evicts_unused_entries() {
    let mut shard = TestShard::new(&claims().await, 2, 10);
    for number in 0..10 {
        shard.insert(usize::from(number >= 7), number);
    }
    assert_eq!(
        (&*shard.set(0), &*shard.set(1)),
        ("0 1 2 3 4 5 6", "7 8 9 - - - -")
    );
    shard.insert(1, 10);
    shard.insert(1, 11);
    assert_eq!(
        (&*shard.set(0), &*shard.set(1)),
        ("- - 2 3 4 5 6", "7 8 9 10 11 - -")
    );
    // Both are spared this time.
    shard.uses(0, 2);
    shard.uses(0, 3);
    shard.insert(0, 12);
    assert_eq!(shard.set(0), "12 - 2 3 - 5 6");
    for number in [13, 14, 15] {
        shard.insert(0, number);
    }
    // Empty places are taken in their order; the hand is in the other set by now.
    assert_eq!(
        (&*shard.set(0), &*shard.set(1)),
        ("12 13 2 3 14 15 -", "- 8 9 10 11 - -")
    );
    for number in 16..20 {
        shard.insert(1, number);
    }
    assert_eq!(
        (&*shard.set(0), &*shard.set(1)),
        ("12 13 2 3 14 15 -", "16 17 18 19 - - -")
    );
    shard.insert(1, 20);
    assert_eq!(
        (&*shard.set(0), &*shard.set(1)),
        ("- 13 2 3 14 15 -", "16 17 18 19 20 - -")
    );
}

#[tokio::test]
async fn the_hand_begins_anew_behind_the_last_place() {
    let mut shard = TestShard::new(&claims().await, 2, 14);
    for number in 0..14 {
        shard.insert(usize::from(number >= 7), number);
    }
    // Each takes the place of one in its own set, and the hand need not move.
    shard.insert(1, 20);
    assert_eq!(shard.set(1), "20 8 9 10 11 12 13");
    for number in 0..7 {
        shard.uses(0, number);
    }
    for number in [20, 8, 9, 10, 11, 12, 13] {
        shard.uses(1, number);
    }
    // Greater by some bytes, so that one more has to go: everybody is asked for, so the hand goes round
    // once, and the first is the first to go.
    let token = format!("{}{:024}", "0".repeat(64), 30);
    let entry = Entry::new(token.as_bytes(), shard.claims.clone(), signing_key(), LONG);
    let now = shard.now();
    shard.writer.insert(&shard.sets, 1, 30 << 56, 1, entry, now);
    assert_eq!(
        (&*shard.set(0), &*shard.set(1)),
        ("- 1 2 3 4 5 6", "30 8 9 10 11 12 13")
    );
    // No entry was looked up since; the clock hand continues from its position.
    shard.insert(0, 40);
    shard.insert(0, 41);
    assert_eq!(shard.set(0), "40 41 - 3 4 5 6");
}

#[tokio::test]
async fn the_dead_have_to_go_though_they_were_asked_for() {
    let mut shard = TestShard::new(&claims().await, 1, 5);
    for number in 0..5 {
        shard.keep_until(0, number, if number == 3 { 0 } else { LONG }, 0);
    }
    for number in [0, 1, 2, 3] {
        shard.uses(0, number);
    }
    shard.insert(0, 5);
    assert_eq!(shard.set(0), "0 1 2 - 4 5 -");
    shard.insert(0, 6);
    assert_eq!(shard.set(0), "0 1 2 6 - 5 -");
}

#[tokio::test]
async fn a_great_token_has_its_room_though_everybody_is_asked_for() {
    let mut shard = TestShard::new(&claims().await, 2, 14);
    for number in 0..14 {
        shard.insert(usize::from(number >= 7), number);
        shard.uses(usize::from(number >= 7), number);
    }
    let most = shard.writer.most_bytes();
    let small = numbered(0, &shard.claims, LONG).bytes();
    // As great as all the room there is, and then greater.
    let great = |bytes: usize| {
        let token = format!("{}{:024}", "0".repeat(bytes - small), 99);
        Entry::new(token.as_bytes(), shard.claims.clone(), signing_key(), LONG)
    };
    let (fits, too_great) = (great(most), great(most + 16));
    assert_eq!((fits.bytes(), too_great.bytes()), (most, most + 16));
    let now = shard.now();
    shard
        .writer
        .insert(&shard.sets, 0, 99 << 56, 1, too_great, now);
    assert_eq!(
        (&*shard.set(0), &*shard.set(1)),
        ("0 1 2 3 4 5 6", "7 8 9 10 11 12 13")
    );
    shard.writer.insert(&shard.sets, 0, 99 << 56, 1, fits, now);
    assert_eq!(
        (&*shard.set(0), &*shard.set(1)),
        ("99 - - - - - -", "- - - - - - -")
    );
    assert_eq!(shard.writer.bytes(), most);
}

#[tokio::test]
async fn in_a_full_set_expired_entries_go_first_then_unused_ones_then_any() {
    let claims = claims().await;
    let full = |dead: &[u64], used: &[u64]| {
        let mut shard = TestShard::new(&claims, 1, 100);
        for number in 0..7 {
            let skew = if dead.contains(&number) { 0 } else { LONG };
            shard.keep_until(0, number, skew, 0);
        }
        for number in used {
            shard.uses(0, *number);
        }
        shard
    };
    for first in 0..=255 {
        let begin = (first % 7) as usize;
        let mut shard = full(&[3], &[0, 1, 2, 3, 4, 6]);
        shard.keep_until(0, 9, LONG, first);
        assert_eq!(shard.set(0), "0 1 2 9 4 5 6", "{first}: the dead one");
        shard.keep_until(0, 10, LONG, first);
        let expected = match begin {
            4 | 5 => "0 1 2 9 4 10 6",
            _ => "0 1 2 10 4 5 6",
        };
        assert_eq!(
            shard.set(0),
            expected,
            "{first}: an entry that was not used"
        );
        let mut shard = full(&[], &[0, 1, 2, 3, 4, 5, 6]);
        shard.keep_until(0, 11, LONG, first);
        let numbers = (0..7).map(|way| if way == begin { 11 } else { way });
        let expected: Vec<String> = numbers.map(|number| number.to_string()).collect();
        assert_eq!(shard.set(0), expected.join(" "), "{first}: any");
    }
    let mut shard = full(&[0], &[]);
    shard.keep_until(0, 5, LONG, 0);
    assert_eq!(shard.set(0), "0 1 2 3 4 5 6", "its own place before any");
    assert_eq!(
        shard.writer.bytes(),
        7 * numbered(0, &shard.claims, LONG).bytes()
    );
}
