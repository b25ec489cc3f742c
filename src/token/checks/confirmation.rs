//! What the token is meant to be used with.

use super::CheckContext;
use crate::claims::raw::Name;
use crate::token::invalid_token::InvalidToken;

/// A token bound to a key (`cnf`, RFC 7800) is no bearer token: an API that takes it for one takes
/// it from thieves as well.
///
/// Every member of `cnf` would have to be proved, and `xms_ksl` proves nothing, so a `cnf` of any
/// form, an empty one too, leaves something unproved.
pub(super) fn check(presented: &CheckContext<'_>) -> Result<(), InvalidToken> {
    if presented.claims.has(Name::Confirmation) {
        return Err(InvalidToken::SenderConstrained);
    }
    Ok(())
}
