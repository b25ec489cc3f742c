//! In place of tokio's clock where a model moves the time: it stands still unless a thread moves it on.

use std::time::Duration;

use super::base::atomic::{AtomicU64, Ordering};

#[cfg(feature = "loom")]
loom::lazy_static! { static ref SECONDS: AtomicU64 = AtomicU64::new(0); }
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
shuttle::lazy_static! { static ref SECONDS: AtomicU64 = AtomicU64::new(0); }
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
static SECONDS: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Self {
        Self(Duration::from_secs(SECONDS.load(Ordering::Acquire)))
    }

    pub(crate) fn checked_add(self, more: Duration) -> Option<Self> {
        self.0.checked_add(more).map(Self)
    }

    pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// So many seconds go by.
pub(crate) fn advance(seconds: u64) {
    SECONDS.fetch_add(seconds, Ordering::AcqRel);
}
