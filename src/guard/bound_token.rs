//! Whether the token is bound to its client.

use super::{Caller, DenialReason, Denied, Guard, Requirements};

/// Requires a bound token (`cnf`): one that only its client can use, since the request has
/// proved that its sender holds the token's key or certificate.
///
/// A bearer token is refused with 401 `proof`. For all routes of an API at once:
/// [`PopTokens::Require`](crate::PopTokens::Require).
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::guard::{Caller, Guard, RequireBoundToken, RequireScope};
/// use axum_entra::{UnixTime, testing::claims};
/// use serde_json::json;
///
/// let guard = RequireScope("Payments.Send").and(RequireBoundToken);
/// let passes = |claims: axum_entra::testing::ClaimsBuilder| {
///     let claims = claims.scope("Payments.Send").build();
///     guard.check(&Caller::at(&claims, UnixTime::default())).is_ok()
/// };
/// let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
/// assert!(passes(claims().claim("cnf", json!({ "kid": thumbprint }))));
/// assert!(!passes(claims()));
/// # }
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
