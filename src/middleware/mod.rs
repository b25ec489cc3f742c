//! Layers, services and extractors: what a request brings, and what it is answered.
//!
//! The crate's root has the types that most applications name: [`EntraLayer`], [`GuardLayer`],
//! [`Permit`], [`Rejection`], [`CallerToken`], [`GraphClient`], [`TokenExpiry`], [`TokenSource`].
//! Here are the others: services, futures, replay protection and asynchronous checks.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod auth_layer;
mod bearer;
mod caller_token;
mod cause;
mod challenge;
mod challenges;
mod check;
mod client_certificate;
mod context;
mod evaluate;
mod event_endpoints;
mod expiry;
mod extractors;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod graph;
mod guard_layer;
mod head;
mod mcp;
mod messages;
mod metadata;
mod patience;
mod pop;
mod problem;
mod protected_resource;
mod pseudonym;
mod rejection;
mod replay;
mod resource;
mod resources;
mod service;
mod session_check;
mod shared_signals;
mod sign_out;
mod span_fields;
mod store_error;
mod token_source;
mod trusted_proxies;
mod validate;
mod validate_error;

pub use auth_layer::{EntraLayer, EntraService};
pub use caller_token::CallerToken;
pub use check::{CheckError, CheckFn, CheckLayer, CheckService, check_fn, check_fn_with_state};
pub use client_certificate::ClientCertificate;
pub use event_endpoints::{
    BackChannelLogoutService, FrontChannelLogoutService, SecurityEventReceiver, SignOutService,
};
pub use expiry::TokenExpiry;
pub use extractors::{GuardFromState, Permit};
pub use graph::GraphClient;
pub use guard_layer::{GuardLayer, GuardService, tell_mistakes};
pub use mcp::{AnyToken, ToolGuards, ToolGuardsService};
pub use metadata::{MetadataService, ResourceMetadata};
pub use protected_resource::ProtectedResource;
pub use rejection::Rejection;
pub use replay::{ReplayProtectionLayer, ReplayProtectionService};
pub use service::ResponseFuture;
pub use store_error::StoreError;
pub use token_source::TokenSource;
pub use trusted_proxies::TrustedProxies;
pub use validate_error::ValidateError;

pub(crate) use context::{AuthorityContext, LayerContext};
pub(crate) use event_endpoints::ServiceState;
pub(crate) use pop::Nonces;
pub(crate) use protected_resource::ResourceConfig;
pub(crate) use pseudonym::Pseudonyms;
pub(crate) use resource::Resource;
pub(crate) use session_check::check_sessions;
