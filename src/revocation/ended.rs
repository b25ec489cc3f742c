//! Which sessions may have ended, without a lock: most tokens are of others.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::claims::Claims;

/// A Bloom filter of ended sessions. Its "no" is certain; its "yes" can be a false positive.
///
/// Nothing is ever taken out of it: a session that was forgotten costs its tokens a look-up.
#[derive(Debug, Default)]
pub(super) struct EndedSessions {
    hasher: RandomState,
    /// Not there before a session ends.
    words: OnceLock<Box<[AtomicU64]>>,
}

/// 2^20 bits, 128 KiB: with 100,000 sessions one token of thirty is looked up unnecessarily.
const WORDS: usize = 1 << 14;

impl EndedSessions {
    pub(super) fn add(&self, tenant: Uuid, session: &str) {
        let words = self.words.get_or_init(|| {
            let empty = std::iter::repeat_with(|| AtomicU64::new(0));
            empty.take(WORDS).collect()
        });
        for (word, bit) in self.places(tenant, session) {
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
        let (Some(session), Some(tenant)) = (claims.session_id(), claims.tenant_id()) else {
            return false;
        };
        self.places(tenant, session).iter().all(|(word, bit)| {
            words
                .get(*word)
                .is_some_and(|word| word.load(Ordering::Acquire) & bit != 0)
        })
    }

    fn places(&self, tenant: Uuid, session: &str) -> [(usize, u64); 2] {
        let hash = self.hasher.hash_one((tenant, session)).to_le_bytes();
        let [a, b, c, d, e, f, ..] = hash;
        let place = |low: u8, high: u8, bit: u8| {
            let word = usize::from(u16::from_le_bytes([low, high])) % WORDS;
            (word, 1_u64 << (bit % 64))
        };
        [place(a, b, c), place(d, e, f)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::raw::RawClaims;

    const TENANT: Uuid = Uuid::from_u128(7);

    fn claims(session: &str) -> Claims {
        let json = format!("{{\"exp\":1,\"sid\":\"{session}\"}}");
        let draft = RawClaims::parse(json.as_bytes()).unwrap();
        draft
            .interpret()
            .unwrap()
            .into_claims(Some(TENANT), None, None)
    }

    #[test]
    fn no_ended_session_is_missed_and_few_others_are_looked_up() {
        let ended = EndedSessions::default();
        assert!(!ended.may_hold_that_of(&claims("s1")));
        for number in 0..10_000 {
            ended.add(TENANT, &format!("s{number}"));
        }
        let may = |number: &u32| ended.may_hold_that_of(&claims(&format!("s{number}")));
        assert!((0..10_000).all(|number| may(&number)));
        // 20,000 of 1,048,576 bits, twice: about one of 2,700.
        let in_vain = (10_000..20_000).filter(may).count();
        assert!(in_vain < 100, "{in_vain}");
    }
}
