//! The healthy day of the alert rules is one that the schedule makes.

use std::time::Duration;

use crate::JwksRefresh;
use crate::jwks::schedule::Schedule;

const CASES: &str = include_str!("../../../deploy/prometheus-alerts.test.yml");

/// Minutes between fetches, at the slowest.
fn minutes(withdrawn: bool) -> u64 {
    let entra = Some(Duration::from_secs(86_400));
    let schedule = Schedule::new(&JwksRefresh::default());
    let wait = schedule.after_success(entra, withdrawn, 0.0).as_secs();
    assert_eq!(wait % 60, 0);
    wait / 60
}

/// The age of keys that are confirmed so often, reported each minute, for so long.
fn ages(every: u64, hours: u64) -> String {
    let teeth = 0..hours * 60 / every;
    let tooth = format!("0+60x{}", every - 1);
    teeth.map(|_| tooth.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_alert_rules_are_tested_with_the_ages_that_the_schedule_makes() {
    let has = |ages: String| CASES.contains(&format!("values: '{ages}'"));
    assert!(has(ages(minutes(false), 24)), "a healthy day");
    assert!(has(ages(minutes(true), 2)), "a key has vanished");
}
