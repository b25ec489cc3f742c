//! How fresh an authority's keys are kept.

use std::time::Duration;

use crate::config_error::ConfigError;

/// How often keys are fetched, and how long they may be used when that fails.
///
/// Defaults follow Microsoft, "Signing key rollover in the Microsoft identity platform": look
/// hourly, at most every five minutes because of an unknown key, keep good keys for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFreshness {
    pub(crate) refresh: Duration,
    pub(crate) cooldown: Duration,
    pub(crate) max_stale: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_bytes: usize,
}

impl Default for KeyFreshness {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(3_600),
            cooldown: Duration::from_secs(300),
            max_stale: Duration::from_secs(86_400),
            timeout: Duration::from_millis(5_000),
            max_bytes: 1_048_576,
        }
    }
}

impl KeyFreshness {
    /// Time between two fetches in the background, ±10 %: 60 s to 24 h, 1 h by default.
    #[must_use]
    pub fn refresh(mut self, every: Duration) -> Self {
        self.refresh = every;
        self
    }

    /// Least time between two fetches caused by unknown key ids: 1 s to 1 h, 5 min by default.
    /// Failed fetches count.
    #[must_use]
    pub fn cooldown(mut self, least: Duration) -> Self {
        self.cooldown = least;
        self
    }

    /// How long keys are used after the last good fetch: up to 7 d, 24 h by default.
    #[must_use]
    pub fn max_stale(mut self, most: Duration) -> Self {
        self.max_stale = most;
        self
    }

    /// Longest time one document may take: 1 ms to 10 min, 5 s by default.
    #[must_use]
    pub fn timeout(mut self, most: Duration) -> Self {
        self.timeout = most;
        self
    }

    /// Greatest size of one document in bytes: up to 1 GiB, 1 MiB by default.
    #[must_use]
    pub fn max_bytes(mut self, most: usize) -> Self {
        self.max_bytes = most;
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let seconds = |text: &str, value: Duration, least: u64, most: u64, expected: &str| {
            if value < Duration::from_secs(least) || value > Duration::from_secs(most) {
                return Err(ConfigError::value(text, value.as_secs(), expected));
            }
            Ok(())
        };
        seconds(
            "Keys:RefreshSeconds",
            self.refresh,
            60,
            86_400,
            "60 to 86400",
        )?;
        seconds("Keys:CooldownSeconds", self.cooldown, 1, 3_600, "1 to 3600")?;
        seconds(
            "Keys:MaxStaleSeconds",
            self.max_stale,
            self.refresh.as_secs(),
            604_800,
            "RefreshSeconds to 604800",
        )?;
        if self.timeout.is_zero() || self.timeout > Duration::from_secs(600) {
            return Err(ConfigError::value(
                "Keys:TimeoutMillis",
                self.timeout.as_millis(),
                "1 to 600000",
            ));
        }
        if !(1..=1 << 30).contains(&self.max_bytes) {
            return Err(ConfigError::value(
                "Keys:MaxBytes",
                self.max_bytes,
                "1 to 1073741824",
            ));
        }
        Ok(())
    }
}
