//! Bound tokens: signed HTTP requests and client certificates, as data; each attack spoils one
//! thing of a request that is accepted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test stops at the first surprise"
)]

mod certificates;
mod key;
#[cfg(feature = "metrics")]
#[path = "../observability/log.rs"]
mod log;
mod modes;
mod proxies;
mod signed;
#[cfg(feature = "metrics")]
mod told;
mod world;
