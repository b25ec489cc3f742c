//! HTTP: what a request brings, and what it is answered.

mod authenticate;
mod authorize;
mod bearer;
mod challenge;
mod edge;
mod extract;
mod gate;
mod once;
mod problem;
mod receiver;
mod rejection;
mod shared_signals;
mod sign_out;

pub use authenticate::{EntraLayer, EntraService};
pub use authorize::{GuardLayer, GuardService, Guarded};
pub use extract::Permit;
pub use receiver::Receiver;
pub use rejection::Rejection;

pub(crate) use edge::{Edge, Origin, RejectionMap};
pub(crate) use receiver::{House, Kind};
