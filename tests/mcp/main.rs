//! Guards of MCP tools: every row of `tests/vectors/mcp_attacks.toml`, and what the layer does besides.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it measured"
)]

mod attacks;
mod placing;
mod server;
#[allow(dead_code, reason = "the API's tests use all of it")]
#[path = "../api/signer.rs"]
mod signer;
#[allow(dead_code, reason = "the API's tests use all of it")]
#[path = "../api/token.rs"]
mod token;
