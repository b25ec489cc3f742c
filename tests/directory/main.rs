//! The directory against a small Microsoft Graph: what is asked, and what comes of each answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../../examples/account_routes/mod.rs"]
mod account_routes;
mod answers;
mod clouds;
mod credentials;
mod emulated;
mod fake;
mod groups;
mod handlers;
mod limits;
#[path = "../observe/log.rs"]
mod log;
mod on_behalf_of;
mod refusals;
mod revoking;
mod sessions;
mod settings;
