//! What is known of an account beside its token: revoked, signed out, used before.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod backdated;
mod house;
mod interrupted;
mod matrix;

mod open_streams;
mod replay;
mod revoked;
mod signed_out;
mod told;
mod when;
mod whose_clock;
