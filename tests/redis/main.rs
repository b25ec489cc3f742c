//! Two replicas and a real Redis: what they agree on, and what happens when it goes away.
//!
//! Needs the program `redis-server`; without it every test says so and passes.
#![cfg(all(feature = "redis", feature = "settings"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod agreeing;
mod clocks;
#[path = "../bound/key.rs"]
#[allow(dead_code, reason = "one key of those")]
mod key;
mod lagging;
mod losing;
mod many;
#[cfg(feature = "metrics")]
mod memberships;
mod receiving;
mod replica;
mod server;
mod signed;
mod spending;
mod surviving;
