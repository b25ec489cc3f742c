//! HTTP: what a request brings, and what it is answered.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod auth_layer;
mod guard_layer;
mod bearer;
mod caller_token;
mod cause;
mod challenge;
mod messages;
mod graph;
mod context;
mod expiry;
mod extractors;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod service;
mod head;
mod metadata;
mod replay;
mod patience;
mod problem;
mod pseudonym;
mod evaluate;
mod event_endpoints;
mod rejection;
mod resources;
mod session_check;
mod shared_signals;
mod sign_out;
mod span_fields;
mod token_source;

pub use auth_layer::{EntraLayer, EntraService};
pub use guard_layer::{GuardLayer, GuardService, Guarded, tell_mistakes};
pub use caller_token::CallerToken;
pub use graph::Directory;
pub use expiry::{Expiry, UntilExpiry};
pub use extractors::Permit;
pub use metadata::{MetadataService, ResourceMetadata};
pub use event_endpoints::Receiver;
pub use rejection::Rejection;
pub use token_source::{SourcedFuture, SourcedLayer, SourcedService, TokenSource};

pub(crate) use context::{Edge, Origin};
pub(crate) use head::OwnedHead;
pub(crate) use metadata::{Described, Resource};
pub(crate) use pseudonym::Pseudonyms;
pub(crate) use event_endpoints::{House, Kind};
pub(crate) use session_check::check_sessions;
