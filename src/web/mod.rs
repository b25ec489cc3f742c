//! HTTP: what a request brings, and what it is answered.

mod authenticate;
mod authorize;
mod bearer;
mod caller_token;
mod challenge;
mod detail;
mod directory;
mod edge;
mod extract;
mod gate;
mod once;
mod problem;
mod question;
mod receiver;
mod rejection;
mod session_check;
mod shared_signals;
mod sign_out;

pub use authenticate::{EntraLayer, EntraService};
pub use authorize::{GuardLayer, GuardService, Guarded};
pub use caller_token::CallerToken;
pub use directory::Directory;
pub use extract::Permit;
pub use receiver::Receiver;
pub use rejection::Rejection;

pub(crate) use edge::{Edge, Origin};
pub(crate) use receiver::{House, Kind};
pub(crate) use session_check::check_sessions;
