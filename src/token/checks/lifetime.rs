//! `exp`, `nbf`, `iat`: when the token is good.

use super::CheckContext;
use crate::claims::Times;
use crate::clock::UnixTime;
use crate::token::invalid_token::InvalidToken;

/// Not yet over, and begun; clocks may be apart by the skew. How long it lasts is not checked.
pub(super) fn check(presented: &CheckContext<'_>) -> Result<(), InvalidToken> {
    check_times(
        presented.claims.times(),
        presented.trust.clock_skew,
        presented.now,
    )
}

/// The same for a token that was checked before: the clock has gone on since, or back.
pub(in crate::token) fn check_times(
    times: &Times,
    skew: u64,
    now: u64,
) -> Result<(), InvalidToken> {
    // So says a clock that is set before 1970, or was never set; nothing can be checked by it.
    if now == 0 {
        return Err(InvalidToken::NotYetValid {
            now: UnixTime::from_secs(now),
        });
    }
    let (skew, at) = (seconds(skew), seconds(now));
    if at >= times.expires_at + skew {
        return Err(InvalidToken::Expired {
            expired_at: UnixTime::from_secs(times.whole_expiry()),
            now: UnixTime::from_secs(now),
        });
    }
    let begins_later = times
        .not_before
        .is_some_and(|not_before| at < not_before.seconds() - skew);
    let issued_later = times
        .issued_at
        .is_some_and(|issued_at| issued_at.seconds() > at + skew);
    if begins_later || issued_later {
        return Err(InvalidToken::NotYetValid {
            now: UnixTime::from_secs(now),
        });
    }
    Ok(())
}

/// Whole seconds as a number with room for fractions; exact up to 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "times are below 2^53, far beyond any clock"
)]
fn seconds(whole: u64) -> f64 {
    whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Time;

    #[test]
    fn a_clock_that_was_never_set_makes_no_token_valid() {
        let undated = Times {
            expires_at: 2_000_000_000.0,
            not_before: None,
            issued_at: None,
        };
        let refused = Err(InvalidToken::NotYetValid {
            now: UnixTime::from_secs(0),
        });
        assert_eq!(check_times(&undated, 300, 0), refused);
        assert_eq!(check_times(&undated, 300, 1), Ok(()));
        let dated = Times {
            issued_at: Some(Time::at(100.0)),
            ..undated
        };
        assert_eq!(check_times(&dated, 300, 0), refused, "within the skew");
    }
}
