//! How old records are: what the wall clock says, but no more than has really passed.

use std::sync::OnceLock;

use tokio::time::Instant;

/// A clock that jumps ahead and comes back must not remove revocations that still hold.
///
/// What it costs: where a clock was set right after the first record, or a machine slept, records
/// stay for so much longer.
#[derive(Debug, Default)]
pub(super) struct MonotonicWallClock(OnceLock<(Instant, u64)>);

impl MonotonicWallClock {
    /// The time by which records are old: not after `wall`, and not after the first time there was
    /// and what has passed since.
    pub(super) fn now(&self, wall: u64) -> u64 {
        let (start, first) = *self.0.get_or_init(|| (Instant::now(), wall));
        // The first second may have been over already.
        let passed = start.elapsed().as_secs().saturating_add(1);
        wall.min(first.saturating_add(passed))
    }
}

/// Seconds since it was made: no clock that is set changes them.
#[derive(Debug)]
pub(super) struct Uptime(Instant);

impl Default for Uptime {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Uptime {
    pub(super) fn seconds(&self) -> u64 {
        self.0.elapsed().as_secs()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_record_is_older_than_the_time_that_passed() {
        let ageing = MonotonicWallClock::default();
        assert_eq!(ageing.now(1_000), 1_000);
        assert_eq!(ageing.now(1_000_000), 1_001, "a jump ahead");
        assert_eq!(ageing.now(900), 900, "and back");
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(ageing.now(1_100), 1_100);
        assert_eq!(ageing.now(2_000), 1_101);
        assert_eq!(ageing.now(1_050), 1_050);
    }
}
