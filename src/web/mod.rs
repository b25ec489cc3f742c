//! HTTP: what a request brings, and what it is answered.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod authenticate;
mod authorize;
mod bearer;
mod caller_token;
mod cause;
mod challenge;
mod detail;
mod directory;
mod edge;
mod expiry;
mod extract;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod gate;
mod head;
mod metadata;
mod once;
mod patience;
mod problem;
mod pseudonym;
mod question;
mod receiver;
mod rejection;
mod resources;
mod session_check;
mod shared_signals;
mod sign_out;
mod span;
mod token_source;

pub use authenticate::{EntraLayer, EntraService};
pub use authorize::{GuardLayer, GuardService, Guarded, tell_mistakes};
pub use caller_token::CallerToken;
pub use directory::Directory;
pub use expiry::{Expiry, UntilExpiry};
pub use extract::Permit;
pub use metadata::{MetadataService, ResourceMetadata};
pub use receiver::Receiver;
pub use rejection::Rejection;
pub use token_source::{SourcedFuture, SourcedLayer, SourcedService, TokenSource};

pub(crate) use edge::{Edge, Origin};
pub(crate) use head::OwnedHead;
pub(crate) use metadata::{Described, Resource};
pub(crate) use pseudonym::Pseudonyms;
pub(crate) use receiver::{House, Kind};
pub(crate) use session_check::check_sessions;
