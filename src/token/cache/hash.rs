//! A token's hash: a few instructions, for it only has to find.

use std::hash::{BuildHasher, RandomState};

/// Hashes the end of a token, with secrets of this process and this cache.
///
/// The end of a token is the end of its signature, which whoever sends tokens cannot choose: what
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
