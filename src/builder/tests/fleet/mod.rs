//! Fleets: replicas of the real library under paused time, on a network and a store in memory, and
//! what must hold whatever happens to them. Everything is drawn from a seed; a failure prints it.
//!
//! `AXUM_ENTRA_FLEET_SEED=7 cargo test -p axum-entra --lib --all-features -- fleet` replays one run.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a test stops at the first surprise"
)]

mod authority;
mod awaits;
mod chaos;
mod days;
mod fetches;
mod memberships;
mod redis;
mod world;

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// When every run begins, in seconds since 1970.
const BASE: u64 = 1_800_000_000;

/// How long a key that is gone from the documents verifies.
const GRACE: Duration = Duration::from_secs(7_200);

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

fn begin() {
    START.with(|start| start.set(Some(Instant::now())));
}

/// How long the run has lasted.
fn elapsed() -> Duration {
    START.with(Cell::get).expect("a run").elapsed()
}

fn true_millis() -> u64 {
    BASE * 1_000 + elapsed().as_millis() as u64
}

fn true_seconds() -> u64 {
    true_millis() / 1_000
}

/// Runs on one thread, with time that passes as soon as nothing else happens.
fn run<R>(scenario: impl Future<Output = R>) -> R {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(scenario)
}

/// The seed that the environment names, or these.
fn seeds(usual: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    let named = std::env::var("AXUM_ENTRA_FLEET_SEED").ok();
    match named.map(|text| text.parse().expect("AXUM_ENTRA_FLEET_SEED: a number")) {
        Some(seed) => vec![seed],
        None => usual.collect(),
    }
}
