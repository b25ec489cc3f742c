//! When to fetch next: only arithmetic, without a clock or randomness of its own.

use std::time::Duration;

use crate::authority::JwksRefresh;

/// The shortest interval that `Cache-Control` can bring about, and the interval while a key that
/// has vanished from the document is in use.
const SHORTEST: Duration = Duration::from_secs(300);
/// The first and the last pause after failures.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// As long as an authority can ask for a pause.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// How long to wait after what happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    refresh: Duration,
    cooldown: Duration,
}

impl Schedule {
    pub(crate) fn new(freshness: &JwksRefresh) -> Self {
        Self {
            refresh: freshness.interval,
            cooldown: freshness.unknown_kid_cooldown,
        }
    }

    /// After a good fetch: the interval, less up to a tenth.
    ///
    /// The document's `max-age` can shorten the interval to five minutes and never lengthens it:
    /// Entra's is a day, and keys change without notice. While keys are `withdrawn`, the document
    /// is read every five minutes, less up to a tenth, for they may come back.
    ///
    /// `chance` is between 0 and 1.
    pub(crate) fn after_success(
        &self,
        max_age: Option<Duration>,
        withdrawn: bool,
        chance: f64,
    ) -> Duration {
        let least = SHORTEST.min(self.refresh);
        let shortened = max_age.map_or(self.refresh, |age| age.clamp(least, self.refresh));
        // Replicas that started together shall not ask together for ever.
        let usual = jittered(shortened, 0.1, chance).max(if shortened < self.refresh {
            least
        } else {
            Duration::ZERO
        });
        if withdrawn {
            let watched = SHORTEST.max(self.cooldown);
            // A rollover has every replica fetch at once; from then on they are to come apart.
            usual.min(jittered(watched, 0.1, chance).max(self.cooldown))
        } else {
            usual
        }
    }

    /// After the `failures`th failed fetch in a row: 1 s, doubled up to 60 s, less up to a half;
    /// at least as long as the authority asked for, up to five minutes.
    pub(crate) fn after_failure(
        &self,
        failures: u32,
        retry_after: Option<Duration>,
        chance: f64,
    ) -> Duration {
        let doublings = failures.saturating_sub(1).min(6);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LAST_PAUSE);
        // Replicas that failed together shall not come back together.
        jittered(pause, 0.5, chance)
            .max(FIRST_PAUSE)
            .max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
    }
}

/// A time, less up to a share of it.
fn jittered(time: Duration, share: f64, chance: f64) -> Duration {
    time.mul_f64(1.0 - share * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Option<Duration> = Some(Duration::from_secs(86_400));

    fn schedule(refresh: u64, cooldown: u64) -> Schedule {
        Schedule {
            refresh: Duration::from_secs(refresh),
            cooldown: Duration::from_secs(cooldown),
        }
    }

    #[test]
    fn the_interval_is_shortened_by_up_to_a_tenth_and_never_lengthened() {
        let hourly = schedule(3_600, 30);
        let wait = |chance| hourly.after_success(None, false, chance).as_secs();
        assert_eq!([wait(0.0), wait(0.5), wait(1.0)], [3_600, 3_420, 3_240]);
        // What Entra sends changes nothing.
        assert_eq!(hourly.after_success(DAY, false, 0.0).as_secs(), 3_600);
    }

    #[test]
    fn cache_control_shortens_the_interval_down_to_five_minutes() {
        let age = |schedule: Schedule, seconds, chance| {
            let max_age = Some(Duration::from_secs(seconds));
            schedule.after_success(max_age, false, chance).as_secs()
        };
        let hourly = schedule(3_600, 30);
        assert_eq!(age(hourly, 0, 1.0), 300);
        assert_eq!(age(hourly, 301, 1.0), 300);
        assert_eq!(age(hourly, 1_800, 0.0), 1_800);
        assert_eq!(age(hourly, 1_800, 1.0), 1_620);
        assert_eq!(age(hourly, 7_200, 0.0), 3_600);
        assert_eq!(age(hourly, u64::MAX, 0.0), 3_600);
        let every_minute = schedule(60, 30);
        assert_eq!(age(every_minute, 0, 0.0), 60);
        assert_eq!(age(every_minute, 0, 1.0), 54);
        assert_eq!(age(every_minute, 86_400, 0.0), 60);
    }

    #[test]
    fn a_withdrawn_key_is_looked_for_every_five_minutes_or_each_cooldown() {
        let wait =
            |schedule: Schedule, max_age| schedule.after_success(max_age, true, 0.0).as_secs();
        assert_eq!(wait(schedule(3_600, 30), DAY), 300);
        assert_eq!(wait(schedule(3_600, 600), DAY), 600);
        assert_eq!(wait(schedule(3_600, 30), None), 300);
        // Never later than without it.
        assert_eq!(wait(schedule(60, 30), DAY), 60);
        assert_eq!(wait(schedule(600, 3_600), DAY), 600);
    }

    /// Seen in a fleet: all replicas that a rollover had fetch in one second asked again together,
    /// every five minutes for two hours.
    #[test]
    fn replicas_that_watch_for_a_withdrawn_key_do_not_stay_together() {
        let wait = |schedule: Schedule, chance| schedule.after_success(DAY, true, chance).as_secs();
        let hourly = schedule(3_600, 30);
        assert_eq!(
            [wait(hourly, 0.0), wait(hourly, 0.5), wait(hourly, 1.0)],
            [300, 285, 270]
        );
        // Never within the cooldown.
        assert_eq!(wait(schedule(3_600, 600), 1.0), 600);
        assert_eq!(wait(schedule(3_600, 290), 1.0), 290);
    }

    #[test]
    fn failures_are_retried_from_1_second_to_60() {
        let hourly = schedule(3_600, 30);
        let pauses: Vec<u64> = (1..=9)
            .map(|failures| hourly.after_failure(failures, None, 0.0).as_secs())
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(hourly.after_failure(u32::MAX, None, 1.0).as_secs(), 30);
        assert!(hourly.after_failure(0, None, 1.0) >= FIRST_PAUSE);
    }

    #[test]
    fn an_authority_that_asks_to_be_left_alone_is_left_alone_for_five_minutes_at_most() {
        let hourly = schedule(3_600, 30);
        let pause = |failures, seconds| {
            let asked = Some(Duration::from_secs(seconds));
            hourly.after_failure(failures, asked, 0.0).as_secs()
        };
        assert_eq!(pause(1, 120), 120);
        assert_eq!(pause(9, 5), 60);
        assert_eq!(pause(1, u64::MAX), 300);
        assert_eq!(pause(1, 0), 1);
    }

    use proptest::prelude::*;

    fn schedules() -> impl Strategy<Value = Schedule> {
        (60..=86_400_u64, 1..=3_600_u64).prop_map(|(refresh, cooldown)| schedule(refresh, cooldown))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn after_a_success_there_is_neither_a_storm_nor_a_stop(
            schedule in schedules(), max_age in prop::option::of(any::<u64>()),
            withdrawn in any::<bool>(), chance in -1.0..2.0_f64
        ) {
            let max_age = max_age.map(Duration::from_secs);
            let wait = schedule.after_success(max_age, withdrawn, chance);
            // The least interval there is, less a tenth: 60 s less 6 s.
            prop_assert!(wait >= Duration::from_secs(54));
            prop_assert!(wait <= schedule.refresh);
        }

        #[test]
        fn after_failures_there_is_neither_a_storm_nor_a_stop(
            schedule in schedules(), failures in any::<u32>(), retry in prop::option::of(any::<u64>()),
            chance in -1.0..2.0_f64
        ) {
            let wait = schedule.after_failure(failures, retry.map(Duration::from_secs), chance);
            prop_assert!((FIRST_PAUSE..=LONGEST_RETRY_AFTER).contains(&wait));
        }

        /// A week of any luck: a fetch is never more than a second, nor less than a day, away.
        #[test]
        fn a_week_of_any_luck_is_lived_through(
            schedule in schedules(), luck in prop::collection::vec(any::<bool>(), 1..200)
        ) {
            let (mut now, mut failures, mut fetches) = (Duration::ZERO, 0_u32, 0_u32);
            for good in luck.iter().cycle() {
                let wait = if *good {
                    failures = 0;
                    schedule.after_success(None, false, 0.5)
                } else {
                    failures = failures.saturating_add(1);
                    schedule.after_failure(failures, None, 0.5)
                };
                now += wait;
                fetches += 1;
                if now > Duration::from_secs(604_800) || fetches == 20_000 {
                    break;
                }
            }
            prop_assert!(now >= Duration::from_secs(u64::from(fetches)));
        }
    }
}
