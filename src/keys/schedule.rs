//! When to fetch next: arithmetic alone, no clock and no chance of its own.

use std::time::Duration;

use crate::authority::KeyFreshness;

/// The shortest interval that `Cache-Control` can bring about.
const SHORTEST: Duration = Duration::from_secs(300);
/// The longest interval that `Cache-Control` can bring about: Microsoft asks for a daily look.
const LONGEST: Duration = Duration::from_secs(86_400);
/// The first and the last pause after failures.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// How long to wait after what happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    refresh: Duration,
    max_stale: Duration,
}

impl Schedule {
    pub(crate) fn new(freshness: &KeyFreshness) -> Self {
        Self {
            refresh: freshness.refresh,
            max_stale: freshness.max_stale,
        }
    }

    /// After a good fetch: the interval, or the document's `max-age` within bounds, ±10 %.
    ///
    /// Before the keys are too old there is time left to try again: Entra's `max-age` is a day, as
    /// long as keys are kept by default, and one failed fetch must not cost the keys.
    ///
    /// `chance` is between 0 and 1.
    pub(crate) fn after_success(&self, max_age: Option<Duration>, chance: f64) -> Duration {
        let interval = max_age.map_or(self.refresh, |max_age| {
            max_age.clamp(SHORTEST.min(self.refresh), LONGEST)
        });
        let jitter = 0.9 + 0.2 * chance.clamp(0.0, 1.0);
        interval.mul_f64(jitter).min(self.max_stale.mul_f64(0.9))
    }

    /// After the `failures`th failed fetch in a row: 1 s, doubled up to 60 s, less up to a half.
    pub(crate) fn after_failure(&self, failures: u32, chance: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(6);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LAST_PAUSE);
        // Replicas that failed together shall not come back together.
        let share = 1.0 - 0.5 * chance.clamp(0.0, 1.0);
        pause.mul_f64(share).max(FIRST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(refresh: u64, max_stale: u64) -> Schedule {
        Schedule {
            refresh: Duration::from_secs(refresh),
            max_stale: Duration::from_secs(max_stale),
        }
    }

    #[test]
    fn the_interval_varies_by_a_tenth() {
        let hourly = schedule(3_600, 86_400);
        assert_eq!(hourly.after_success(None, 0.0), Duration::from_secs(3_240));
        assert_eq!(hourly.after_success(None, 0.5), Duration::from_secs(3_600));
        assert_eq!(hourly.after_success(None, 1.0), Duration::from_secs(3_960));
    }

    #[test]
    fn cache_control_moves_the_interval_within_bounds() {
        let hourly = schedule(3_600, 604_800);
        let age = |seconds| {
            hourly
                .after_success(Some(Duration::from_secs(seconds)), 0.5)
                .as_secs()
        };
        assert_eq!(age(0), 300);
        assert_eq!(age(7_200), 7_200);
        assert_eq!(age(u64::MAX), 86_400);
        let every_minute = schedule(60, 86_400);
        assert_eq!(
            every_minute
                .after_success(Some(Duration::ZERO), 0.5)
                .as_secs(),
            60
        );
        let short_lived = schedule(60, 120);
        assert_eq!(
            short_lived
                .after_success(Some(Duration::from_secs(9_999)), 1.0)
                .as_secs(),
            108
        );
    }

    #[test]
    fn a_failed_fetch_leaves_time_for_another_before_the_keys_are_too_old() {
        let usual = schedule(3_600, 86_400);
        let day = Some(Duration::from_secs(86_400));
        assert_eq!(usual.after_success(day, 1.0).as_secs(), 77_760);
        assert_eq!(schedule(60, 60).after_success(None, 1.0).as_secs(), 54);
    }

    #[test]
    fn failures_are_retried_from_1_second_to_60() {
        let hourly = schedule(3_600, 86_400);
        let pauses: Vec<u64> = (1..=9)
            .map(|failures| hourly.after_failure(failures, 0.0).as_secs())
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(hourly.after_failure(u32::MAX, 1.0).as_secs(), 30);
        assert!(hourly.after_failure(0, 1.0) >= FIRST_PAUSE);
    }
}
