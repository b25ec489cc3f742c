//! Encrypted access tokens (JWE, RFC 7516): what is decrypted, what is refused, and where keys come
//! from.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it measured"
)]

mod accepted;
mod attacks;
#[path = "../attacks/authority.rs"]
#[allow(dead_code, reason = "the attacks on signed tokens use all of it")]
mod authority;
mod blocks;
mod interop;
mod jwe;
mod key_files;
mod leaky;
#[allow(dead_code, reason = "the API's tests use all of it")]
#[path = "../api/signer.rs"]
mod signer;
mod timing;
mod told;
mod vectors;
mod world;
