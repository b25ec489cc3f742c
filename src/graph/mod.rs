//! What only Microsoft Graph knows of an account, and the tokens it is asked with.
//!
//! See `docs/directory.md` for the permissions this needs.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod config;
mod access_token;
mod principal;
mod cache;
mod client_credentials;
#[cfg(feature = "azure")]
mod azure;
mod backoff;
mod certificate;
mod client;
mod credential;
mod error;
mod request_error;
mod http;
#[cfg(feature = "settings")]
mod managed_identity;
mod member_objects;
mod check_member_groups;
mod on_behalf_of;
mod place;
mod refusal;
mod sessions;
mod token_endpoint;

pub use config::DirectoryAccess;
pub use access_token::AccessToken;
pub use credential::{AssertionFuture, AssertionSource, Credential};
pub use error::DirectoryError;
pub use request_error::CallFailure;
pub use sessions::Revocation;

pub(crate) use principal::{Account, Asker};
pub(crate) use cache::Look;
pub(crate) use client::Connection;
pub(crate) use http::Door;
#[cfg(feature = "settings")]
pub(crate) use managed_identity::ManagedIdentity;
pub(crate) use sessions::Sessions;
pub(crate) use token_endpoint::TokenDesk;
