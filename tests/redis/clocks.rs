//! Replicas whose clocks are wrong: none undoes what another one revoked.

use std::time::Duration;

use axum_entra::{Clock, RedisStore, StoreFailurePolicy, UnixTime};
use entra_emulator::{CONTOSO, Emulator};

use crate::replica::{Replica, account, at, eventually, now, object, token};
use crate::server::{Server, server};

const DAY: i64 = 86_400;

/// A replica whose clock is off by some seconds.
fn off_by(emulator: &Emulator, server: &Server, seconds: i64) -> Replica {
    let clock = Clock::from_fn(move || UnixTime::from_secs(now().saturating_add_signed(seconds)));
    let redis = RedisStore::new(server.url(), StoreFailurePolicy::Deny);
    Replica::built(emulator, redis, |builder| builder.clock(clock))
}

fn marks(server: &Server) -> i64 {
    match server.run(&["HLEN", "{axum-entra}:marks"]) {
        redis::Value::Int(count) => count,
        other => panic!("{other:?}"),
    }
}

fn mark(number: u128) -> String {
    format!(r#"["account","object","{CONTOSO}","{}"]"#, object(number))
}

#[tokio::test]
async fn a_replica_whose_clock_is_days_ahead_removes_nothing_and_says_so() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let early = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    early.follows().await;
    early.entra.revoke_tokens(&account(1)).await.unwrap();
    // That is old by any clock, and stays all the same: a replica to judge it by is not there.
    let old = (now() - 3 * 86_400).to_string();
    drop(early);
    server.run(&["HDEL", "{axum-entra}:place", "pruned"]);
    server.run(&["HSET", "{axum-entra}:marks", &mark(2), &old]);

    let ahead = off_by(&emulator, &server, 3 * DAY);
    ahead.follows().await;
    let offset = ahead.entra.store_status().clock_offset_seconds.unwrap();
    assert!((offset + 3 * DAY).abs() <= 5, "{offset}");
    assert_eq!(ahead.entra.store_status().revocation_count, 2);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(marks(&server), 2);

    // One whose clock is right removes what is old, and that alone.
    let right = off_by(&emulator, &server, 0);
    right.follows().await;
    eventually("the old one is gone", async || marks(&server) == 1).await;
    assert_eq!(right.reason(&token(&emulator, 1, 60)).await, "revoked");
    let offset = right.entra.store_status().clock_offset_seconds.unwrap();
    assert!(offset.abs() <= 5, "{offset}");
}

#[tokio::test]
async fn how_old_a_mark_is_the_stores_own_clock_decides() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let (now, kept) = (now(), 48 * 3_600);
    let rows = [
        (1, format!("{}", now - kept - 60), false),
        (2, format!("{} {}", now - 2 * kept, now - kept - 60), false),
        // Written of late, whatever its time; and one that is to come.
        (3, format!("{} {}", now - 2 * kept, now - kept + 60), true),
        (4, format!("{}", now + 3_600), true),
        (5, "what a newer replica writes".to_owned(), true),
    ];
    for (number, value, _) in &rows {
        server.run(&["HSET", "{axum-entra}:marks", &mark(*number), value]);
    }
    let replica = off_by(&emulator, &server, 0);
    replica.follows().await;
    eventually("the old ones are gone", async || marks(&server) == 3).await;
    for (number, _, stays) in &rows {
        let found = server.run(&["HEXISTS", "{axum-entra}:marks", &mark(*number)]);
        assert_eq!(found, redis::Value::Int(i64::from(*stays)), "{number}");
    }
}

/// A few replicas, each with its clock, and what they must all know.
struct Model {
    emulator: Emulator,
    server: Server,
    replicas: Vec<(i64, Replica)>,
    revoked: Vec<u128>,
    random: u64,
}

impl Model {
    /// The same numbers in each run.
    fn choose(&mut self, of: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.random >> 33).unwrap() % of
    }

    async fn step(&mut self) {
        let chosen = self.choose(self.replicas.len());
        match self.choose(10) {
            0..6 => {
                let number = u128::try_from(self.revoked.len()).unwrap() + 1;
                let (_, replica) = &self.replicas[chosen];
                // Told at once, or later where the store was away just now.
                let _ = replica
                    .entra
                    .revoke_tokens_issued_before(&account(number), at(now()))
                    .await;
                self.revoked.push(number);
            }
            6 | 7 => {
                let offset = self.replicas[chosen].0;
                self.replicas[chosen].1 = off_by(&self.emulator, &self.server, offset);
            }
            8 => {
                self.server.run(&["FLUSHALL"]);
            }
            _ => {
                self.server.stop();
                let number = u128::try_from(self.revoked.len()).unwrap() + 1;
                let (_, replica) = &self.replicas[chosen];
                assert!(
                    replica
                        .entra
                        .revoke_tokens_issued_before(&account(number), at(now()))
                        .await
                        .is_err()
                );
                self.revoked.push(number);
                self.server.start();
            }
        }
    }

    /// Every replica refuses every account that any of them revoked, and the store has them all.
    async fn agrees(&self) {
        let all = self.revoked.len();
        eventually("the store has all", async || {
            usize::try_from(marks(&self.server)) == Ok(all)
        })
        .await;
        for (offset, replica) in &self.replicas {
            eventually(&format!("the one off by {offset} knows all"), async || {
                replica.is_following() && replica.entra.store_status().revocation_count == all
            })
            .await;
        }
    }
}

#[tokio::test]
async fn no_replicas_clock_undoes_what_another_one_revoked() {
    let Some(server) = server() else { return };
    let emulator = Emulator::start().await.unwrap();
    let offsets = [-7_200, -290, 0, 290, DAY, 3 * DAY];
    let replicas = offsets.map(|offset| (offset, off_by(&emulator, &server, offset)));
    let mut model = Model {
        replicas: replicas.into(),
        emulator,
        server,
        revoked: Vec::new(),
        random: 11,
    };
    for _ in 0..40 {
        model.step().await;
        model.agrees().await;
    }
    // Tokens are checked against what they know, each by the right time.
    let right = &model.replicas[2].1;
    for number in &model.revoked {
        let token = token(&model.emulator, *number, 600);
        assert_eq!(right.reason(&token).await, "revoked");
        for (offset, replica) in &model.replicas {
            let refused = replica
                .entra
                .validate_at(&token, UnixTime::from_secs(now()))
                .unwrap_err();
            assert_eq!(refused.reason(), "revoked", "off by {offset}");
        }
    }
    assert_eq!(
        right.reason(&token(&model.emulator, 9_999, 600)).await,
        "in"
    );
}
