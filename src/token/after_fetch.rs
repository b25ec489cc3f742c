//! A token whose key had to be fetched, validated again when the fetch is done.

use crate::claims::Claims;
use crate::jwks::snapshot::{FetchOutcome, PendingFetch, patience};

use super::invalid_token::InvalidToken;
use super::possession::Possession;
use super::validator::Validator;
use super::verdict::{ValidationFailure, Verdict};

impl Validator {
    /// Validates a token again after what it waited for; two seconds in all.
    pub(crate) async fn validate_after_fetch(
        &self,
        mut awaited: PendingFetch,
        token: &str,
        possession: &Possession,
        now: impl Fn() -> u64,
    ) -> Result<Claims, ValidationFailure> {
        let deadline = patience();
        loop {
            let first = awaited.is_first();
            if awaited.arrival(deadline).await == FetchOutcome::Failed {
                return Err(ValidationFailure::KeysUnavailable);
            }
            awaited = match self.validate_with(token, now(), possession) {
                Verdict::Valid(claims) => return Ok(claims),
                Verdict::Refused(refusal) => return Err(refusal),
                // The first fetch of each document comes once, and the key may be a newer one.
                Verdict::Wait(next) if first => next,
                // Asking once is enough; a rollover just now is the next request's affair.
                Verdict::Wait(_) => return Err(InvalidToken::UnknownKey.into()),
            };
        }
    }
}
