//! The gate behind real proxies, with the configurations of `deploy/gate`: verdict, status and
//! challenge are the same as without one, and nothing that a client sends passes for the gate's.
//!
//! A proxy that is not installed is skipped by name; `.ci/gate` installs them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a test stops at the first surprise and says what it measured"
)]

mod acceptance;
mod attacks;
mod h2;
mod outage;
mod program;
mod proxy;
mod replicas;
mod smuggling;
mod smuggling_h2;
mod upstream;
mod wire;

// Shared with the library's tests, which use all of each.
#[path = "../../../../tests/attacks/authority.rs"]
#[allow(dead_code, reason = "the library's tests use all of it")]
mod authority;
#[path = "../../../../tests/api/clock.rs"]
mod clock;
#[path = "../../../../tests/api/documents.rs"]
#[allow(dead_code, reason = "the library's tests use all of it")]
mod documents;
#[path = "../../../../tests/attacks/forge.rs"]
#[allow(dead_code, reason = "the library's tests use all of it")]
mod forge;
#[path = "../../../../tests/attacks/row.rs"]
#[allow(dead_code, reason = "the library's tests use all of it")]
mod row;
#[path = "../../../../tests/api/service.rs"]
#[allow(dead_code, reason = "the library's tests use all of it")]
mod service;
#[path = "../../../../tests/api/signer.rs"]
#[allow(dead_code, reason = "the library's tests use all of it")]
mod signer;
