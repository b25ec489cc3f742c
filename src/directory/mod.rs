//! What only Microsoft Graph knows of an account, and the tokens it is asked with.
//!
//! See `docs/directory.md` for the permissions this needs.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod access;
mod access_token;
mod account;
mod answers;
mod app_only;
#[cfg(feature = "azure")]
mod azure;
mod backoff;
mod certificate;
mod connection;
mod credentials;
mod error;
mod failure;
mod graph;
#[cfg(feature = "settings")]
mod managed_identity;
mod member_objects;
mod memberships;
mod on_behalf_of;
mod place;
mod refusal;
mod sessions;
mod token_endpoint;

pub use access::DirectoryAccess;
pub use access_token::AccessToken;
pub use credentials::{AssertionFuture, AssertionSource, Credential};
pub use error::DirectoryError;
pub use failure::CallFailure;
pub use sessions::Revocation;

pub(crate) use account::{Account, Asker};
pub(crate) use answers::Look;
pub(crate) use connection::Connection;
pub(crate) use graph::Door;
#[cfg(feature = "settings")]
pub(crate) use managed_identity::ManagedIdentity;
pub(crate) use sessions::Sessions;
pub(crate) use token_endpoint::TokenDesk;
