//! The times of a token that decide whether it is good.

use std::num::NonZeroU64;

/// `exp`, `nbf` and `iat`, in seconds since 1970-01-01 UTC, with their fractions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Times {
    pub(crate) expires_at: f64,
    pub(crate) not_before: Option<Time>,
    pub(crate) issued_at: Option<Time>,
}

/// A time that takes no more room where it may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(NonZeroU64);

impl Time {
    /// From seconds, which are neither negative nor beyond all numbers.
    pub(crate) const fn at(seconds: f64) -> Self {
        // The bits of 0 are all 0, and no time has all of them set.
        Self(NonZeroU64::MIN.saturating_add(seconds.to_bits()))
    }

    #[inline]
    pub(crate) const fn seconds(self) -> f64 {
        f64::from_bits(self.0.get().wrapping_sub(1))
    }
}

impl Times {
    /// `exp` without its fraction.
    pub(crate) fn whole_expiry(&self) -> u64 {
        super::whole(self.expires_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_kept_to_its_last_bit() {
        for seconds in [
            0.0,
            -0.0,
            0.5,
            1_537_234_948.75,
            9_007_199_254_740_992.0,
            f64::MAX,
        ] {
            assert_eq!(Time::at(seconds).seconds().to_bits(), seconds.to_bits());
        }
        assert_eq!(size_of::<Option<Time>>(), size_of::<f64>());
    }
}
