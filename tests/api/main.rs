//! What the crate promises, tried from outside: its public API, over tower and over loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it measured"
)]

mod acceptance;
mod authorities;
mod callers;
mod claims_model;
mod clock;
mod documents;
mod guards;
mod keys;
mod refusals;
mod samples;
mod service;
mod signer;
mod token;
#[path = "../../examples/whoami/mod.rs"]
mod whoami;
