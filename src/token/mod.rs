//! One token, from text to claims.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod cache;
mod checks;
mod desk;
mod explain;
mod header;
mod index;
mod installed;
mod invalid;
mod logout;
mod message;
mod refusal;
mod security_event;
mod status;
#[cfg(test)]
mod tests;
mod transmitter;
mod unverified;
mod validator;
mod verified;

pub use explain::{Explanation, Outcome, Step};
pub use invalid::InvalidToken;
pub use status::{AuthorityStatus, KeysStatus};

pub(crate) use header::TokenKind;
pub(crate) use installed::Installed;
pub(crate) use logout::Ended;
pub(crate) use message::Message;
pub(crate) use refusal::{Refusal, RefusedByRule, Verdict};
pub(crate) use transmitter::Transmitter;
pub(crate) use validator::Validator;
