//! HTTP: what a request brings, and what it is answered.

mod authenticate;
mod authorize;
mod bearer;
mod challenge;
mod edge;
mod extract;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod gate;
mod problem;
mod rejection;

pub use authenticate::{EntraLayer, EntraService};
pub use authorize::{GuardLayer, GuardService, Guarded};
pub use extract::Permit;
pub use rejection::Rejection;

pub(crate) use edge::{Edge, Origin, RejectionMap};
