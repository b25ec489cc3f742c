//! The time of day, which only the outermost call reads.

mod unix_time;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

pub use unix_time::UnixTime;

/// Where the time of day comes from: the system's clock, or a fake clock in tests.
///
/// ```
/// use axum_entra::{Clock, UnixTime};
///
/// let noon = UnixTime::from_secs(1_537_272_000);
/// let clock = Clock::from_fn(move || noon);
/// assert!(clock.now() < Clock::system().now());
/// ```
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Function(Arc<dyn Fn() -> UnixTime + Send + Sync>),
}

impl Clock {
    /// The clock of the system.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that answers what `now` returns.
    ///
    /// ```
    /// use axum_entra::{Clock, UnixTime};
    ///
    /// let noon = UnixTime::from_secs(1_537_272_000);
    /// assert_eq!(Clock::from_fn(move || noon).now(), noon);
    /// ```
    #[must_use]
    pub fn from_fn(now: impl Fn() -> UnixTime + Send + Sync + 'static) -> Self {
        Self(Source::Function(Arc::new(now)))
    }

    /// The time; that of 1970 for a system clock that is set before that, at which no token is valid.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        match &self.0 {
            Source::System => UnixTime::from(SystemTime::now()),
            Source::Function(now) => now(),
        }
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.now().as_secs()
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
            Source::Function(_) => "Clock::from_fn",
        })
    }
}
