//! How fresh an authority's keys are kept.

use std::time::Duration;

use crate::config_error::ConfigError;

const DAY: Duration = Duration::from_secs(86_400);

/// How often keys are fetched, and how long they may be used when that fails.
///
/// Defaults follow Microsoft, "Signing key rollover in the Microsoft identity platform": look
/// hourly, and when a key is unknown; keep good keys for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwksRefresh {
    pub(crate) refresh: Duration,
    pub(crate) cooldown: Duration,
    /// `None`: a day, or twice `refresh` where that is more.
    max_stale: Option<Duration>,
    pub(crate) withdrawal_grace: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_bytes: usize,
}

impl Default for JwksRefresh {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(3_600),
            cooldown: Duration::from_secs(30),
            max_stale: None,
            withdrawal_grace: Duration::from_secs(7_200),
            timeout: Duration::from_millis(5_000),
            max_bytes: 1_048_576,
        }
    }
}

impl JwksRefresh {
    /// Time between two fetches in the background, less up to a tenth: 60 s to 24 h, 1 h by default.
    #[must_use]
    pub fn refresh(mut self, every: Duration) -> Self {
        self.refresh = every;
        self
    }

    /// Least time between two fetches caused by unknown key ids: 1 s to 1 h, 30 s by default.
    /// Failed fetches count. A `Retry-After` of the authority lengthens it, up to 5 min.
    #[must_use]
    pub fn cooldown(mut self, least: Duration) -> Self {
        self.cooldown = least;
        self
    }

    /// How long keys are used after the last good fetch: from twice [`refresh`](Self::refresh) to
    /// 7 d; by default 24 h, or twice `refresh` where that is more.
    #[must_use]
    pub fn max_stale(mut self, most: Duration) -> Self {
        self.max_stale = Some(most);
        self
    }

    /// How long a key verifies tokens after the first answer that lacks it: up to 24 h, 2 h by
    /// default, 0 for not at all.
    ///
    /// Entra's key endpoint flaps: a key vanishes from one answer and is back in a later one. A key
    /// id that is in the new answer has no grace, whatever became of its key.
    /// [`Entra::forget_withdrawn_keys`](crate::Entra::forget_withdrawn_keys) ends it for all keys.
    #[must_use]
    pub fn withdrawal_grace(mut self, time: Duration) -> Self {
        self.withdrawal_grace = time;
        self
    }

    /// How old keys may be.
    pub(crate) fn most_stale(&self) -> Duration {
        self.max_stale
            .unwrap_or_else(|| DAY.max(self.refresh.saturating_mul(2)))
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
            self.most_stale(),
            self.refresh.as_secs().saturating_mul(2),
            604_800,
            "twice RefreshSeconds to 604800",
        )?;
        seconds(
            "Keys:WithdrawalGraceSeconds",
            self.withdrawal_grace,
            0,
            86_400,
            "0 to 86400",
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
