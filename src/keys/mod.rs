//! The authority's signing keys: read, prepared, kept fresh.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod board;
pub(crate) mod discovery;
mod fetch_error;
pub(crate) mod http_client;
pub(crate) mod jwk;
pub(crate) mod refresh;
pub(crate) mod remote;
mod roca;
mod schedule;
pub(crate) mod set;
mod signature;
pub(crate) mod store;
#[cfg(test)]
pub(crate) mod tests;
mod waiting;

pub use fetch_error::FetchError;
pub use http_client::{HttpClient, HttpClientBuilder};

pub(crate) use discovery::Endpoints;
pub(crate) use remote::retry_after;
pub(crate) use set::{KeySet, PublishedKey};
pub(crate) use signature::{HashKey, Padding, SigningKey, random, sha256};
pub(crate) use store::Generation;
