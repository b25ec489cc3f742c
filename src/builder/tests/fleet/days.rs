//! Two days and more: what is kept is let go, and nothing that still matters.

use std::time::Duration;

use tokio::time::sleep;

use super::redis::Seeded;
use super::world::{LAG, Settings, World};
use super::{elapsed, run};
use crate::JwksRefresh;

const CLOCKS: [i64; 2] = [0, 120];

/// How long a mark is kept, in hours.
const KEPT: u64 = 48;

/// Revocations each minute, of as many accounts: 48 hours of them are many times the number at
/// which a replica begins to look for old ones (1,024).
const EACH_MINUTE: u32 = 2;

/// Replicas for so many hours. The accounts that are revoked are never the same; a token of each
/// that is as old as tokens get (28 hours) is refused as long as it lives.
fn passes(replicas: usize, hours: u64, shared: bool) {
    let start = std::time::Instant::now();
    run(async move {
        let settings = Settings {
            seed: 1,
            replicas,
            seeded: Seeded::None,
            shared,
            refresh: JwksRefresh::default(),
            clocks: &CLOCKS,
        };
        let mut world = World::start(&settings).await;
        sleep(Duration::from_secs(5)).await;
        let mut made: u32 = 0;
        let mut most = 0;
        let mut refused = 0;
        for minute in 0..=hours * 60 {
            for _ in 0..EACH_MINUTE {
                world.revoke_number(made as usize % replicas, made).await;
                made += 1;
            }
            // The last pair is seconds old when marks are counted.
            if minute == hours * 60 {
                break;
            }
            sleep(Duration::from_secs(60)).await;
            if minute % 240 == 239 {
                world.load(8);
                // Revoked just now, an hour ago, and 27 hours ago: at every replica.
                for hours_ago in [0, 1, 27] {
                    let before = made.checked_sub(1 + hours_ago * 60 * EACH_MINUTE);
                    if let Some(account) = before {
                        refused += world.is_refused_everywhere(account).await;
                    }
                }
                for replica in &world.replicas {
                    most = most.max(replica.entra.store_status().revocation_count);
                }
                if minute / 60 == 7 {
                    let _ = world.endpoint.roll_over();
                }
            }
        }
        sleep(LAG).await;
        world.settle().await;
        let held: Vec<usize> = {
            let all = world.replicas.iter();
            all.map(|replica| replica.entra.store_status().revocation_count)
                .collect()
        };
        let stored = world.redis.marks();
        println!(
            "{replicas} replicas, {} virtual h in {:.0} s: {made} revocations, {most} held at most, {held:?} in \
             the end, {stored} in the store; {refused} tokens refused; {} commands",
            elapsed().as_secs() / 3_600,
            start.elapsed().as_secs_f64(),
            world.redis.commands(),
        );
        let violations = world.ledger.book().violations.clone();
        assert!(violations.is_empty(), "{violations:?}");
        // What is looked for only now and then is kept for longer, twice as much at most.
        let living = KEPT * 60 * u64::from(EACH_MINUTE);
        assert!(hours > KEPT && u64::from(made) > living + 60);
        for count in held {
            let count = count as u64;
            assert!(count >= living, "nothing is let go early");
            assert!(count <= 2 * living, "{count} held");
            assert!(count < u64::from(made) || made < 8_192, "{count} held");
        }
        assert!(most as u64 <= 2 * living, "{most} held at most");
        if shared {
            // Once an hour.
            let slack = 2 * 60 * u64::from(EACH_MINUTE);
            assert!((living..=living + slack).contains(&stored), "{stored}");
        }
    });
}

#[test]
fn three_days_pass_in_one_process() {
    passes(1, 72, false);
}

/// `.ci/fleet`
#[test]
#[ignore = "minutes: replicas ask the store every second"]
fn two_days_and_more_pass_at_replicas() {
    passes(2, 51, true);
}
