//! The directory against a small Microsoft Graph: what is asked, and what comes of each answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod answers;
mod credentials;
mod emulated;
mod fake;
mod groups;
mod handlers;
mod on_behalf_of;
mod sessions;
mod settings;
