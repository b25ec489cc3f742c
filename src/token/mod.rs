//! One token, from text to claims.

mod cache;
mod checks;
mod header;
mod index;
mod invalid;
mod logout;
mod message;
mod refusal;
mod security_event;
mod status;
mod transmitter;
mod unverified;
mod validator;
mod verified;

pub use invalid::InvalidToken;
pub use status::{AuthorityStatus, KeysStatus};

pub(crate) use header::TokenKind;
pub(crate) use logout::Ended;
pub(crate) use message::Message;
pub(crate) use refusal::{Refusal, RefusedByRule, Verdict};
pub(crate) use transmitter::Transmitter;
pub(crate) use validator::{Installed, Validator};
