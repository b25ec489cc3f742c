//! An authority in every kind of trouble, and what becomes of the requests meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it measured"
)]

mod authority;
mod certificates;
#[allow(dead_code, reason = "the API's tests use all of it")]
#[path = "../api/clock.rs"]
mod clock;
mod lifetimes;
mod refresh;
#[allow(dead_code, reason = "the API's tests use all of it")]
#[path = "../api/signer.rs"]
mod signer;
mod start;
mod unknown_key;
