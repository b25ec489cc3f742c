//! One token, from text to claims.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod cache;
mod checks;
mod decode_buffer;
mod explain;
mod header;
mod issuer_index;
mod authority_state;
mod invalid_token;
mod logout;
mod signed_message;
mod outcome;
mod security_event;
mod status;
#[cfg(test)]
mod tests;
mod event_keys;
mod unverified;
mod validator;
mod verified;

pub use explain::{Explanation, Outcome, Step};
pub use invalid_token::InvalidToken;
pub use status::{AuthorityStatus, KeysStatus};

pub(crate) use header::TokenKind;
pub(crate) use authority_state::Installed;
pub(crate) use logout::Ended;
pub(crate) use signed_message::Message;
pub(crate) use outcome::{Refusal, RefusedByRule, Verdict};
pub(crate) use event_keys::Transmitter;
pub(crate) use validator::Validator;
