//! The samples' routes that end sessions, against a small Microsoft Graph.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../../account_routes/mod.rs"]
mod account_routes;
#[allow(dead_code, reason = "the tests of Graph use all of it")]
#[path = "../../../tests/directory/fake.rs"]
mod fake;
mod revoking;
