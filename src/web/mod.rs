//! HTTP: what a request brings, and what it is answered.

mod authenticate;
mod authorize;
mod bearer;
mod challenge;
mod edge;
mod expiry;
mod extract;
mod gate;
mod metadata;
mod problem;
mod pseudonym;
mod rejection;
mod token_source;

pub use authenticate::{EntraLayer, EntraService};
pub use authorize::{GuardLayer, GuardService, Guarded};
pub use expiry::{Expiry, UntilExpiry};
pub use extract::Permit;
pub use metadata::{MetadataService, ResourceMetadata};
pub use rejection::Rejection;
pub use token_source::{SourcedFuture, SourcedLayer, SourcedService, TokenSource};

pub(crate) use edge::{Edge, Origin, RejectionMap};
pub(crate) use metadata::{Described, Resource};
pub(crate) use pseudonym::Pseudonyms;
