//! The sample, against section 8 of its contract: over HTTP, by the official SDK's client, and as a
//! program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod answers;
mod foreign;
mod program;
mod sdk;
#[path = "../../servers/mod.rs"]
mod servers;
mod sessions;
mod step_up;
mod world;
