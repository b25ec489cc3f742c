//! One token, from text to claims.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod after_fetch;
mod authority_lookup;
mod authority_state;
mod bound;
mod cache;
mod checks;
mod client_key;
mod decode_buffer;
mod event_keys;
mod explain;
mod header;
mod invalid_token;
mod issuer_index;
mod jwe;
mod logout;
mod possession;
mod security_event;
mod signed_message;
mod signed_request;
mod status;
#[cfg(test)]
mod tests;
mod unverified;
mod validator;
mod verdict;
mod verified;

use crate::bounds::Bounds;

/// The longest token that is looked at.
pub(crate) const MAX_TOKEN_BYTES: Bounds = Bounds::new(1_024..=262_144, 65_536);
/// Memory for verified tokens; 0 for none.
pub(crate) const TOKEN_CACHE_BYTES: Bounds = Bounds::new(0..=1 << 40, 67_108_864);

pub use explain::{Explanation, Outcome, Step};
pub use invalid_token::InvalidToken;
pub use jwe::TokenDecryptionKey;
pub use possession::PopTokens;
pub use status::{AuthorityStatus, JwksStatus};

pub(crate) use authority_state::AuthorityState;
pub(crate) use client_key::base64url;
pub(crate) use event_keys::Transmitter;
pub(crate) use header::TokenKind;
pub(crate) use jwe::DecryptionKeys;
pub(crate) use logout::SessionTermination;
pub(crate) use possession::{Possession, Scheme};
pub(crate) use signed_message::SignedMessage;
pub(crate) use signed_request::{NamesAndHash, SignedClaims, SignedRequest, SignedRequestId};
pub(crate) use validator::Validator;
pub(crate) use verdict::{PolicyDenial, ValidationFailure, Verdict};
