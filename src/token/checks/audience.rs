//! `aud`: the API that the token was issued for.

use super::CheckContext;
use crate::token::invalid_token::InvalidToken;

/// Microsoft Graph, as v2.0 and v1.0 tokens name it.
const GRAPH: [&str; 3] = [
    "00000003-0000-0000-c000-000000000000",
    "https://graph.microsoft.com",
    "https://graph.microsoft.com/",
];

/// One of the audiences must be one of ours, byte for byte.
pub(super) fn check(presented: &CheckContext<'_>) -> Result<(), InvalidToken> {
    let ours = |audience: &str| presented.trust.audiences.iter().any(|own| own == audience);
    if presented.claims.audiences().any(ours) {
        return Ok(());
    }
    if presented
        .claims
        .audiences()
        .any(|audience| GRAPH.contains(&audience))
    {
        return Err(InvalidToken::IssuedForGraph);
    }
    Err(InvalidToken::InvalidAudience)
}
