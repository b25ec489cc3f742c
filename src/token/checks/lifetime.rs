//! `exp`, `nbf`, `iat`: when the token is good.

use super::Presented;
use crate::token::invalid::InvalidToken;

/// Not yet over, and begun; clocks may be apart by the skew. How long it lasts is not judged.
pub(super) fn check(presented: &Presented<'_>) -> Result<(), InvalidToken> {
    let skew = seconds(presented.trust.clock_skew);
    let now = seconds(presented.now);
    let claims = presented.claims;
    if has_expired(claims.expires_at(), now, skew) {
        return Err(InvalidToken::Expired {
            expired_at: claims.whole_expiry(),
            now: presented.now,
        });
    }
    let begins_later = claims
        .not_before()
        .is_some_and(|not_before| now < not_before - skew);
    let issued_later = claims
        .issued_at()
        .is_some_and(|issued_at| issued_at > now + skew);
    if begins_later || issued_later {
        return Err(InvalidToken::NotYetValid { now: presented.now });
    }
    Ok(())
}

fn has_expired(expires_at: f64, now: f64, skew: f64) -> bool {
    now >= expires_at + skew
}

/// Whole seconds as a number with room for fractions; exact up to 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "times are below 2^53, far beyond any clock"
)]
fn seconds(whole: u64) -> f64 {
    whole as f64
}
