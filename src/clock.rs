//! The time of day, which only the outermost call reads.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the time of day comes from: the system's clock, or a fake clock in tests.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    ClaimsBuilder(Arc<dyn Fn() -> u64 + Send + Sync>),
}

impl Clock {
    /// The clock of the system.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that answers what `now` returns: whole seconds since 1970-01-01 UTC.
    ///
    /// ```
    /// use axum_entra::Clock;
    /// assert_eq!(Clock::from_fn(|| 1_537_233_200).now(), 1_537_233_200);
    /// ```
    #[must_use]
    pub fn from_fn(now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Source::ClaimsBuilder(Arc::new(now)))
    }

    /// Whole seconds since 1970-01-01 UTC; 0 for a system clock that is set before that, at which
    /// no token is valid.
    #[must_use]
    pub fn now(&self) -> u64 {
        match &self.0 {
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            Source::ClaimsBuilder(now) => now(),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock::system",
            Source::ClaimsBuilder(_) => "Clock::made_up",
        })
    }
}
