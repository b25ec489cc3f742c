//! What the token is meant to be used with.

use super::CheckContext;
use crate::token::invalid_token::InvalidToken;

/// A token bound to a key or a certificate (`cnf`, RFC 7800) is no bearer token: an API that takes
/// it for one takes it from thieves as well. Every member of `cnf` has to be proved.
pub(super) fn check(presented: &CheckContext<'_>) -> Result<(), InvalidToken> {
    let confirmation = presented.claims.confirmation_json();
    presented.possession.fits_json(confirmation)
}
