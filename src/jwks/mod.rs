//! The authority's signing keys: read, prepared, kept fresh.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod board;
pub(crate) mod discovery;
mod fetch_error;
pub(crate) mod http_client;
pub(crate) mod jwk;
pub(crate) mod refresh;
pub(crate) mod fetch;
mod roca;
mod schedule;
pub(crate) mod key_set;
mod crypto;
pub(crate) mod snapshot;
#[cfg(test)]
pub(crate) mod tests;
mod waiting;

pub use fetch_error::FetchError;
pub use http_client::{HttpClient, HttpClientBuilder};

pub(crate) use discovery::Endpoints;
pub(crate) use fetch::retry_after;
pub(crate) use key_set::{KeySet, PublishedKey};
pub(crate) use crypto::{HashKey, Padding, SigningKey, random, sha256};
pub(crate) use snapshot::Generation;
