//! A token's hash: a few instructions, for it only has to find.

use std::hash::BuildHasher;

use crate::sync::RandomState;

/// Hashes the end of a token, with secrets of this process and this cache.
///
/// The end of a token is the end of its signature, which the sender of a token cannot choose: what
/// is in the cache was signed by the authority. And whatever is found is compared as a whole.
#[derive(Clone, Copy)]
pub(super) struct TokenHash {
    secrets: [u64; 4],
}

impl TokenHash {
    pub(super) fn random() -> Self {
        // The standard library's source of random keys for hashing.
        let random = RandomState::new();
        Self {
            secrets: [0_u64, 1, 2, 3].map(|number| random.hash_one(number)),
        }
    }

    /// A hash that is the same for every token.
    #[cfg(test)]
    pub(super) const fn constant() -> Self {
        Self { secrets: [0; 4] }
    }

    /// One that is the same in every run.
    #[cfg(test)]
    pub(super) const fn keyed(secrets: [u64; 4]) -> Self {
        Self { secrets }
    }

    /// `None` for a text that is too short for a token with a signature.
    #[inline]
    pub(super) fn of(&self, token: &[u8]) -> Option<u64> {
        let end: &[u8; 24] = token.last_chunk()?;
        let (words, _) = end.as_chunks::<8>();
        let [a, b, c] = words else { return None };
        let [a, b, c] = [*a, *b, *c].map(u64::from_le_bytes);
        let [s, t, u, v] = self.secrets;
        #[cfg(test)]
        if self.secrets == [0; 4] {
            return Some(1 << 60);
        }
        Some(folded(folded(a ^ s, b ^ t) ^ c ^ u, v | 1))
    }
}

/// The two halves of a product over each other: every bit of both numbers reaches every other.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
    // Twice 64 bits: nothing is lost.
    let product = u128::from(a).wrapping_mul(u128::from(b));
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of it")]
    let halves = (product as u64, (product >> 64) as u64);
    halves.0 ^ halves.1
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Whether the last is even or odd, and the numbers that products do not like.
    const SECRETS: [[u64; 4]; 4] = [
        [
            0x243f_6a88_85a3_08d3,
            0x1319_8a2e_0370_7344,
            0xa409_3822_299f_31d0,
            0x082e_fa98_ec4e_6c89,
        ],
        [
            0x4528_21e6_38d0_1377,
            0xbe54_66cf_34e9_0c6c,
            0xc0ac_29b7_c97c_50dd,
            0x3f84_d5b5_b547_0917,
        ],
        [1, 2, 3, 0],
        [u64::MAX, u64::MAX - 1, 4, 1],
    ];

    #[test]
    fn every_bit_of_a_tokens_end_is_in_its_hash() {
        for secrets in SECRETS {
            let hash = TokenHash::keyed(secrets);
            let token = *b"eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw";
            let mut hashes = HashSet::from([hash.of(&token)]);
            for bit in 0..24 * 8 {
                let mut other = token;
                other[token.len() - 24 + bit / 8] ^= 1 << (bit % 8);
                assert!(hashes.insert(hash.of(&other)), "{bit} with {secrets:x?}");
            }
        }
    }

    #[test]
    fn what_stands_before_the_end_is_not_in_the_hash() {
        let hash = TokenHash::random();
        let end = "c2lnbmF0dXJlLXRoYXQtaXMt";
        assert_eq!(
            hash.of(format!("a{end}").as_bytes()),
            hash.of(end.as_bytes())
        );
        assert_eq!(hash.of(&end.as_bytes()[1..]), None);
    }

    #[test]
    fn tokens_that_hardly_differ_spread_over_places_and_tags() {
        const MANY: u64 = 16_384;
        for secrets in &SECRETS[..2] {
            let hash = TokenHash::keyed(*secrets);
            for shift in [0, 8, 48, 56] {
                let mut counts = [0; 256];
                for number in 0..MANY {
                    let hash = hash.of(format!("{number:024}").as_bytes()).unwrap();
                    counts[(hash >> shift & 0xff) as usize] += 1;
                }
                // 64 of each, give or take five times the root of it.
                let few = counts.iter().filter(|count| !(24..=104).contains(*count));
                assert_eq!(few.count(), 0, "{shift}: {counts:?}");
            }
        }
    }
}
