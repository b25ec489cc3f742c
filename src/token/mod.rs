//! One token, from text to claims.

mod cache;
mod checks;
mod explain;
mod header;
mod index;
mod invalid;
mod refusal;
mod status;
mod unverified;
mod validator;
mod verified;

pub use explain::{Explanation, Outcome, Step};
pub use invalid::InvalidToken;
pub use status::{AuthorityStatus, KeysStatus};

pub(crate) use refusal::{Refusal, RefusedByRule, Verdict};
pub(crate) use validator::{Installed, Validator};
