//! How long ago the user signed in (`auth_time`).

use std::time::Duration;

use super::{Caller, DenialReason, Denied, Guard, Requirements};

/// Requires that the user signed in at most this long ago, in whole seconds.
///
/// Without `auth_time` (an optional claim outside B2C), or with one in the future, the caller is
/// refused. Clock skew is not forgiven: the answer is to sign in again, which does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequireMaxAge(
    /// The longest time since.
    pub Duration,
);

impl Guard for RequireMaxAge {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        let age = caller
            .claims()
            .auth_time()
            .and_then(|signed_in| caller.now().duration_since(signed_in));
        match age {
            Some(age) if age <= self.0 => Ok(()),
            _ => Err(Denied::new(DenialReason::SignInTooOld)),
        }
    }

    fn describe(&self) -> Requirements {
        let needs = format!("a sign-in at most {} s ago", self.0.as_secs());
        Requirements::condition(DenialReason::SignInTooOld, needs)
    }
}
