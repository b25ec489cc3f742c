//! Each token once.

use super::{Caller, DenialReason, Denied, Guard, Requirements};

/// Accepts a token once, for operations that a party who intercepts it must not repeat.
///
/// The token is known by the `nonce` of its header, else by `uti`, else by `jti`, each among the
/// tokens of its issuer; the record is kept until it has expired. The `nonce` *claim* is another
/// thing (OpenID Connect's) and counts for nothing. A token with none of them is refused with 403
/// `replay`, a second use with 401 `replay`, and while the records are out of reach the answer is
/// 503 `store_unavailable`.
///
/// A token is marked as used only where that lets its bearer pass: with `and`, a caller that the
/// other guard refuses keeps the token; with `or`, a caller who passes without it keeps it too.
/// Within one request several of these guards count as one use. Whether the handler does its work
/// after the token is spent is not known here, and a client that gets no answer needs a new token.
///
/// ```
/// use axum_entra::guard::{Guard, OncePerToken, RequireScope};
/// let transfer = RequireScope("Payments.Transfer").and(OncePerToken);
/// # let _ = transfer;
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct OncePerToken;

impl Guard for OncePerToken {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if caller.claims().token_id().is_none() {
            return Err(Denied::new(DenialReason::Replay));
        }
        match caller.first_use() {
            Some(true) => Ok(()),
            Some(false) => Err(Denied::used_before()),
            None => Err(Denied::unless_first_use()),
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::Replay, "a token that was not used before")
    }
}
