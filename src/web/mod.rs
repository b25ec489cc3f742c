//! HTTP: what a request brings, and what it is answered.

mod authenticate;
mod authorize;
mod bearer;
mod challenge;
mod edge;
mod extract;
mod gate;
mod metadata;
mod problem;
mod pseudonym;
mod rejection;

pub use authenticate::{EntraLayer, EntraService};
pub use authorize::{GuardLayer, GuardService, Guarded};
pub use extract::Permit;
pub use metadata::{MetadataService, ResourceMetadata};
pub use rejection::Rejection;

pub(crate) use edge::{Edge, Origin, RejectionMap};
pub(crate) use metadata::{Described, Resource};
pub(crate) use pseudonym::Pseudonyms;
