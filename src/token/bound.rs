//! Bound tokens that were accepted before: known, and proved anew by each request.

use super::possession::{Possession, cache_key};
use super::validator::Validator;
use super::verdict::{ValidationFailure, Verdict};

impl Validator {
    /// As [`validate`](Validator::validate), for a token whose request proves something beside it.
    pub(crate) fn validate_with(&self, token: &str, now: u64, possession: &Possession) -> Verdict {
        let token = token.as_bytes();
        let known = match possession.is_any() {
            true => self.lookup_bound(token, now, possession),
            false => self.lookup_cached(token, now),
        };
        known.unwrap_or_else(|| self.validate_uncached(token, now, possession))
    }

    /// Judges a bound token that was accepted before: its binding is checked each time it comes. A
    /// token that is not bound is not found here.
    pub(crate) fn lookup_bound(
        &self,
        token: &[u8],
        now: u64,
        possession: &Possession,
    ) -> Option<Verdict> {
        self.lookup(&cache_key(token), now, |judged, claims| match judged {
            Err(ValidationFailure::Invalid(_)) => judged,
            other => {
                let fits = possession.fits(claims);
                fits.map_err(ValidationFailure::from).and(other)
            }
        })
    }
}
