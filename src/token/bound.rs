//! Bound tokens that were accepted before: known, and proved anew by each request.

use super::invalid_token::InvalidToken;
use super::outcome::{ValidationFailure, Verdict};
use super::possession::{Possession, cache_key};
use super::validator::Validator;

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
        let cache = self.cache.as_ref()?;
        let known = cache.get_with(&cache_key(token), |entry| {
            let judged = match self.revalidate(entry.claims(), entry.signing_key(), now) {
                Err(ValidationFailure::Invalid(invalid)) => Err(invalid.into()),
                other => {
                    let fits = possession.fits(entry.claims());
                    fits.map_err(ValidationFailure::from).and(other)
                }
            };
            match judged {
                Ok(()) => Some(Verdict::Valid(entry.clone_claims(cache.room(), now))),
                Err(
                    ValidationFailure::KeysUnavailable
                    | ValidationFailure::Invalid(InvalidToken::UnknownKey),
                ) => None,
                Err(refusal) => Some(Verdict::Refused(refusal)),
            }
        });
        let known = known.flatten();
        crate::metrics::token_looked_up(known.is_some());
        known
    }
}
