//! What only Microsoft Graph knows of an account, and the tokens it is asked with.
//!
//! See `docs/directory.md` for the permissions this needs.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod access_token;
#[cfg(feature = "azure")]
mod azure;
mod backoff;
mod cache;
mod certificate;
mod check_member_groups;
mod client;
mod client_credentials;
mod config;
mod credential;
mod error;
mod http;
#[cfg(feature = "settings")]
mod managed_identity;
mod member_objects;
mod on_behalf_of;
mod place;
mod principal;
mod refusal;
mod request_error;
mod sessions;
mod shared_answers;
mod token_endpoint;
mod transport;

pub use access_token::AccessToken;
#[cfg(feature = "settings")]
pub(crate) use config::GraphOptions;
pub use config::{AuthorityWithGraph, GraphConfig};
pub use credential::{AssertionFuture, ClientAssertionProvider, ClientCredential};
pub use error::GraphError;
pub use request_error::GraphRequestError;
pub use sessions::SessionRevocation;

pub(crate) use cache::CacheLookup;
pub(crate) use client::Connection;
#[cfg(feature = "settings")]
pub(crate) use managed_identity::ManagedIdentity;
pub(crate) use principal::{Account, Requester};
pub(crate) use sessions::Sessions;
#[cfg(feature = "settings")]
pub(crate) use shared_answers::AnswerKey;
pub(crate) use token_endpoint::TokenEndpointClient;
pub(crate) use transport::{GraphTransport, LastFailure};
