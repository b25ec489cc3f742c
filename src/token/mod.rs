//! One token, from text to claims.

mod cache;
mod checks;
mod header;
mod index;
mod invalid;
mod refusal;
mod status;
#[cfg(test)]
mod tests;
mod unverified;
mod validator;
mod verified;

pub use invalid::InvalidToken;
pub use status::{AuthorityStatus, KeysStatus};

pub(crate) use refusal::{Refusal, RefusedByRule, Verdict};
pub(crate) use validator::{Installed, Validator};
