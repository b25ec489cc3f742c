//! HTTP: what a request brings, and what it is answered.

mod authenticate;
mod authorize;
mod bearer;
mod caller_token;
mod cause;
mod challenge;
mod directory;
mod edge;
mod extract;
mod gate;
mod once;
mod problem;
mod question;
mod rejection;
mod session_check;

pub use authenticate::{EntraLayer, EntraService};
pub use authorize::{GuardLayer, GuardService, Guarded};
pub use caller_token::CallerToken;
pub use directory::Directory;
pub use extract::Permit;
pub use rejection::Rejection;

pub(crate) use edge::{Edge, Origin};
pub(crate) use session_check::check_sessions;
