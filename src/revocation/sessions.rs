//! Sessions by the hash of their tenant and id: those that may have ended, and those that valid
//! tokens were seen of.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::PoisonError;

use uuid::Uuid;

use crate::claims::Claims;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, OnceLock, RandomState};

/// A random key: 64 bits that agree by chance make two sessions one.
#[derive(Debug, Default)]
struct SessionHasher(RandomState);

impl SessionHasher {
    fn hash(&self, tenant: Uuid, session: &str) -> u64 {
        self.0.hash_one((tenant, session))
    }

    /// The session of a token; `None` where it names none.
    fn hash_of(&self, claims: &Claims) -> Option<u64> {
        Some(self.hash(claims.tenant_id()?, claims.session_id()?))
    }
}

/// A Bloom filter of ended sessions, without a lock: most tokens are of others. Its "no" is
/// certain; its "yes" can be a false positive.
///
/// Nothing is ever taken out of it: a session that was forgotten costs its tokens a look-up.
#[derive(Debug, Default)]
pub(super) struct EndedSessions {
    hasher: SessionHasher,
    /// Not there before a session ends.
    words: OnceLock<Box<[AtomicU64]>>,
}

impl EndedSessions {
    pub(super) fn add(&self, tenant: Uuid, session: &str) {
        let words = self.words.get_or_init(|| {
            let empty = std::iter::repeat_with(|| AtomicU64::new(0));
            empty.take(WORDS).collect()
        });
        for (word, bit) in bits(self.hasher.hash(tenant, session)) {
            if let Some(word) = words.get(word) {
                word.fetch_or(bit, Ordering::Release);
            }
        }
    }

    /// Whether the session of a token may have ended; not for a token that names none.
    pub(super) fn may_hold_that_of(&self, claims: &Claims) -> bool {
        let Some(words) = self.words.get() else {
            return false;
        };
        let Some(hash) = self.hasher.hash_of(claims) else {
            return false;
        };
        bits(hash).iter().all(|(word, bit)| {
            words
                .get(*word)
                .is_some_and(|word| word.load(Ordering::Acquire) & bit != 0)
        })
    }
}

/// The places of a hash in the filter: words and bits.
fn bits(hash: u64) -> [(usize, u64); 2] {
    let [a, b, c, d, e, f, ..] = hash.to_le_bytes();
    let place = |low: u8, high: u8, bit: u8| {
        let word = usize::from(u16::from_le_bytes([low, high])) % WORDS;
        (word, 1_u64 << (bit % 64))
    };
    [place(a, b, c), place(d, e, f)]
}

/// A bounded record of sessions that valid tokens were seen of. A browser's logout proves only that
/// its sender knows a session's id; with this record, invented ids take no room.
#[derive(Debug, Default)]
pub(super) struct SeenSessions {
    hasher: SessionHasher,
    seen: Mutex<Seen>,
}

/// Two generations: the older one is dropped when the younger one is full, so that sessions in use
/// stay and those that were left go.
#[derive(Debug, Default)]
struct Seen {
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl SeenSessions {
    /// Records the session of a valid token, if it names one.
    pub(super) fn see(&self, claims: &Claims) {
        let Some(hash) = self.hasher.hash_of(claims) else {
            return;
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.young.len() >= MOST && !seen.young.contains(&hash) {
            seen.old = std::mem::take(&mut seen.young);
        }
        seen.young.insert(hash);
    }

    /// Whether a token of that session was seen.
    pub(super) fn has(&self, tenant: Uuid, session: &str) -> bool {
        let hash = self.hasher.hash(tenant, session);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.young.contains(&hash) || seen.old.contains(&hash)
    }
}

/// 2^20 bits, 128 KiB: with 100,000 ended sessions one token of thirty is looked up unnecessarily.
const WORDS: usize = 1 << 14;

/// The most sessions of a generation; both take some 10 MB.
const MOST: usize = 250_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::raw::RawClaims;

    const TENANT: Uuid = Uuid::from_u128(7);

    fn claims(session: &str) -> Claims {
        let json = format!("{{\"exp\":1{session}}}");
        let draft = RawClaims::parse(json.as_bytes()).unwrap();
        draft
            .interpret()
            .unwrap()
            .into_claims(Some(TENANT), None, None)
    }

    fn of(session: impl std::fmt::Display) -> Claims {
        claims(&format!(",\"sid\":\"{session}\""))
    }

    #[test]
    fn no_ended_session_is_missed_and_few_others_are_looked_up() {
        let ended = EndedSessions::default();
        assert!(!ended.may_hold_that_of(&of("0")));
        for number in 0..10_000 {
            ended.add(TENANT, &number.to_string());
        }
        let may = |number: &u32| ended.may_hold_that_of(&of(number));
        assert!((0..10_000).all(|number| may(&number)));
        assert!(!ended.may_hold_that_of(&claims("")));
        // 20,000 of 1,048,576 bits, twice: about one of 2,700.
        let unnecessary = (10_000..20_000).filter(may).count();
        assert!(unnecessary < 100, "{unnecessary}");
    }

    #[test]
    fn a_session_is_known_by_its_tenant_and_id() {
        let sessions = SeenSessions::default();
        sessions.see(&claims(""));
        sessions.see(&of("a"));
        assert!(sessions.has(TENANT, "a"));
        assert!(!sessions.has(TENANT, "b") && !sessions.has(TENANT, ""));
        assert!(!sessions.has(Uuid::from_u128(8), "a"));
    }

    #[test]
    fn the_record_is_bounded_and_keeps_those_in_use() {
        let sessions = SeenSessions::default();
        let see = |number: usize| sessions.see(&of(number));
        {
            let mut seen = sessions.seen.lock().unwrap();
            seen.young.extend(0..MOST as u64 - 1);
        }
        see(1);
        see(2);
        assert_eq!(sessions.seen.lock().unwrap().old.len(), MOST);
        assert!(sessions.has(TENANT, "1") && sessions.has(TENANT, "2"));
        see(1);
        {
            let mut seen = sessions.seen.lock().unwrap();
            seen.young.extend(0..MOST as u64 - 2);
        }
        see(3);
        let seen = sessions.seen.lock().unwrap();
        assert!(seen.young.len() + seen.old.len() <= 2 * MOST);
        drop(seen);
        assert!(sessions.has(TENANT, "1") && sessions.has(TENANT, "3"));
    }
}
