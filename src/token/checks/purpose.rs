//! What the token is meant to be used with.

use super::Presented;
use crate::claims::wire::Name;
use crate::token::invalid::InvalidToken;

/// A token bound to a key (`cnf`, RFC 7800) is no bearer token; whoever takes it for one takes it
/// from thieves as well.
pub(super) fn check(presented: &Presented<'_>) -> Result<(), InvalidToken> {
    if presented.claims.has(Name::Confirmation) {
        return Err(InvalidToken::SenderConstrained);
    }
    Ok(())
}
