//! `ver`: which rules the token was made by.

use super::CheckContext;
use crate::claims::raw::Name;
use crate::token::invalid_token::InvalidToken;
use crate::token_version::TokenVersion;

/// `ver` must be there and fit the form of the issuer; B2C's says nothing.
pub(super) fn check(presented: &CheckContext<'_>) -> Result<(), InvalidToken> {
    let Some(form) = presented.form else {
        return Ok(());
    };
    match presented
        .claims
        .text(Name::Version)
        .and_then(TokenVersion::parse)
    {
        Some(version) if version == form => Ok(()),
        // An issuer of a version that is off is no issuer of this API's.
        Some(_) if presented.trust.version(form).is_none() => Err(InvalidToken::InvalidIssuer),
        _ => Err(InvalidToken::InvalidVersion),
    }
}
