//! The authority's signing keys: read, prepared, kept fresh.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod board;
mod crypto;
pub(crate) mod discovery;
pub(crate) mod fetch;
mod fetch_error;
pub(crate) mod jwk;
pub(crate) mod key_set;
pub(crate) mod refresh;
mod roca;
mod schedule;
pub(crate) mod snapshot;
#[cfg(test)]
pub(crate) mod tests;
mod waiting;

pub use fetch_error::JwksFetchError;

pub(crate) use crypto::{
    ClientPublicKey, ContentEncryption, ContentKey, DecryptingKey, HashKey, KeyEncryption, Padding,
    SigningKey, random, sha1_thumbprint, sha256,
};
pub(crate) use discovery::Endpoints;
pub(crate) use jwk::has_private_member;
pub(crate) use key_set::{KeySet, PublishedKey};
pub(crate) use snapshot::Generation;
