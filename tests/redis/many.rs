//! Very many marks in the store: no request waits for the old ones.

use std::time::{Duration, Instant};

use axum_entra::StoreFailurePolicy;
use entra_emulator::{CONTOSO, Emulator};

use crate::replica::{Replica, account, eventually, now, token};
use crate::server::{Server, server};

/// Fills the store with marks of a time, as replicas of long ago left them.
fn fill(server: &Server, from: u64, to: u64, time: u64) {
    let script = format!(
        r#"for i = ARGV[1], ARGV[2] do
             redis.call('HSET', KEYS[1], string.format(
               '["account","object","{CONTOSO}","00000000-0000-4000-9000-%012x"]', i), ARGV[3])
           end"#
    );
    let step = 10_000;
    for first in (from..to).step_by(step) {
        let last = to.min(first + u64::try_from(step).unwrap()) - 1;
        let numbers = [first, last, time].map(|number| number.to_string());
        let mut command = vec!["EVAL", &script, "1", "{axum-entra}:marks"];
        command.extend(numbers.iter().map(String::as_str));
        server.run(&command);
    }
}

fn info(server: &Server, section: &str) -> String {
    match server.run(&["INFO", section]) {
        redis::Value::BulkString(text) => String::from_utf8_lossy(&text).into_owned(),
        redis::Value::VerbatimString { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

/// The microseconds that a call of a command took on average.
fn average(server: &Server, command: &str) -> f64 {
    let stats = info(server, "commandstats");
    let line = stats
        .lines()
        .find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    let figure = line.unwrap().split("usec_per_call=").nth(1).unwrap();
    figure.split(',').next().unwrap().parse().unwrap()
}

fn left(server: &Server) -> i64 {
    match server.run(&["HLEN", "{axum-entra}:marks"]) {
        redis::Value::Int(count) => count,
        other => panic!("{other:?}"),
    }
}

/// How long the store was held up by one command at the most, of those over a millisecond.
fn longest(server: &Server) -> Duration {
    let redis::Value::Array(entries) = server.run(&["SLOWLOG", "GET", "-1"]) else {
        panic!("no list");
    };
    let micros = entries.iter().filter_map(|entry| match entry {
        redis::Value::Array(fields) => match fields.get(2) {
            Some(redis::Value::Int(micros)) => u64::try_from(*micros).ok(),
            _ => None,
        },
        _ => None,
    });
    Duration::from_micros(micros.max().unwrap_or(0))
}

/// Starts a replica on so many old and so many new marks; how long it took to follow, and how long
/// the store was held up at the most.
async fn start_among(old: u64, new: u64) -> (Duration, Duration) {
    let Some(server) = server() else {
        return (Duration::ZERO, Duration::ZERO);
    };
    let emulator = Emulator::start().await.unwrap();
    let early = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    early.follows().await;
    early.entra.revoke_tokens(&account(1)).await.unwrap();
    drop(early);
    fill(&server, 0, old, now() - 7 * 86_400);
    fill(&server, old, old + new, now());
    server.run(&["HDEL", "{axum-entra}:place", "pruned"]);
    server.run(&["CONFIG", "SET", "slowlog-log-slower-than", "1000"]);
    server.run(&["CONFIG", "SET", "slowlog-max-len", "100000"]);
    server.run(&["SLOWLOG", "RESET"]);
    server.run(&["CONFIG", "RESETSTAT"]);

    let start = Instant::now();
    let replica = Replica::new(&emulator, &server.url(), StoreFailurePolicy::Deny);
    eventually("it follows", async || replica.is_following()).await;
    let took = start.elapsed();
    assert_eq!(replica.reason(&token(&emulator, 1, 600)).await, "revoked");
    let known = u64::try_from(replica.entra.store_status().revocation_count).unwrap();
    assert_eq!(known, new + 1, "what is old is not even taken over");
    // It follows while the old ones are removed, a few at a time.
    replica.entra.revoke_tokens(&account(2)).await.unwrap();
    let two = token(&emulator, 2, 600);
    assert_eq!(replica.reason(&two).await, "revoked");
    let start = Instant::now();
    while u64::try_from(left(&server)).unwrap() != new + 2 {
        assert!(start.elapsed() < Duration::from_secs(60), "not pruned");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let longest = longest(&server);
    println!(
        "{old} old and {new} new marks: followed after {took:?}, pruned {:?} later; the store was \
         held up for {longest:?} at the most, {:.0} µs by a page, {:.0} µs by a script",
        start.elapsed(),
        average(&server, "hscan"),
        average(&server, "evalsha"),
    );
    // The average, since a busy machine may stop any process for a while.
    for command in ["hscan", "evalsha"] {
        assert!(average(&server, command) < 10_000.0, "{command}");
    }
    (took, longest)
}

#[tokio::test]
async fn a_replica_follows_at_once_among_very_many_old_marks() {
    let (took, _) = start_among(100_000, 1_000).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// `cargo test --release --test redis -- --ignored --nocapture a_million`
#[tokio::test]
#[ignore = "a minute, and a quarter of a gigabyte"]
async fn a_million_marks_keep_no_replica_from_following() {
    let old = start_among(1_000_000, 0).await;
    let new = start_among(0, 1_000_000).await;
    for (took, longest) in [old, new] {
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert!(longest < Duration::from_millis(50), "{longest:?}");
    }
}
