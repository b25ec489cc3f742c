//! Whether the token is bound to its client.

use super::{Caller, DenialReason, Denied, Guard, Requirements};

/// Requires a bound token (`cnf`): one that only its client can use, since the request has
/// proved that its sender holds the token's key or certificate.
///
/// A bearer token is refused with 401 `proof`. For all routes of an API at once:
/// [`PopTokens::Require`](crate::PopTokens::Require).
///
/// ```
/// use axum_entra::guard::{Guard, RequireBoundToken, RequireScope};
///
/// let transfer = RequireScope("Payments.Send").and(RequireBoundToken);
/// # let _ = transfer;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequireBoundToken;

impl Guard for RequireBoundToken {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().confirmation() {
            Some(_) => Ok(()),
            None => Err(Denied::new(DenialReason::Proof)),
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::Proof, "a token bound to its client")
    }
}
