//! The directory against a small Microsoft Graph: what is asked, and what comes of each answer.
#![cfg(feature = "settings")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod answers;
mod clouds;
mod credentials;
mod emulated;
#[allow(dead_code, reason = "the tests of the samples' routes use all of it")]
mod fake;
mod groups;
mod handlers;
mod limits;
#[path = "../observability/log.rs"]
mod log;
mod on_behalf_of;
mod refusals;
mod sessions;
mod settings;
