//! A time as tokens carry it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

/// Whole seconds since 1970-01-01 00:00 UTC, leap seconds not counted: a `NumericDate` of RFC 7519
/// section 2 without its fraction.
///
/// ```
/// use std::time::Duration;
/// use axum_entra::UnixTime;
///
/// let issued = UnixTime::from_secs(1_537_231_048);
/// let expires = issued + Duration::from_secs(3_900);
/// assert_eq!(expires.duration_since(issued), Some(Duration::from_secs(3_900)));
/// // A time that lies ahead has no age.
/// assert_eq!(issued.duration_since(expires), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixTime(u64);

impl UnixTime {
    /// So many whole seconds after the beginning of 1970.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Whole seconds since the beginning of 1970.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// The time since an earlier one; `None` if that one is later.
    ///
    /// ```
    /// use std::time::Duration;
    /// use axum_entra::UnixTime;
    ///
    /// let (issued, now) = (UnixTime::from_secs(1_537_231_048), UnixTime::from_secs(1_537_231_108));
    /// assert_eq!(now.duration_since(issued), Some(Duration::from_secs(60)));
    /// // A clock that is behind: no age is better than a wrong one.
    /// assert_eq!(issued.duration_since(now), None);
    /// ```
    #[must_use]
    pub fn duration_since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_secs)
    }
}

impl std::ops::Add<Duration> for UnixTime {
    type Output = Self;

    /// Drops a fraction of a second, and stays at the greatest time.
    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time.as_secs()))
    }
}

impl From<SystemTime> for UnixTime {
    /// Drops the fraction of a second; a time before 1970 becomes 1970, at which no token is valid.
    fn from(time: SystemTime) -> Self {
        Self(
            time.duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        )
    }
}

impl From<UnixTime> for SystemTime {
    /// What the system cannot hold, some hundred billion years ahead, becomes 1970.
    fn from(time: UnixTime) -> Self {
        UNIX_EPOCH
            .checked_add(Duration::from_secs(time.0))
            .unwrap_or(UNIX_EPOCH)
    }
}

impl Serialize for UnixTime {
    /// The number of seconds, as tokens have it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl fmt::Display for UnixTime {
    /// The seconds in decimal, as tokens have them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_time_is_the_same_time() {
        let time = UnixTime::from_secs(1_537_231_048);
        assert_eq!(UnixTime::from(SystemTime::from(time)), time);
        let half = SystemTime::from(time) + Duration::from_millis(999);
        assert_eq!(UnixTime::from(half), time);
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(UnixTime::from(before), UnixTime::default());
        assert_eq!(
            SystemTime::from(UnixTime::from_secs(u64::MAX)),
            UNIX_EPOCH,
            "a time that cannot be held does not panic"
        );
        let last = UnixTime::from_secs(u64::MAX);
        assert_eq!(last + Duration::from_secs(1), last);
        assert_eq!(time.to_string(), "1537231048");
        assert_eq!(serde_json::to_string(&time).unwrap(), "1537231048");
    }
}
