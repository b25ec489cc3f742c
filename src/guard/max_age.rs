//! How long ago the user signed in (`auth_time`).

use std::time::Duration;

use super::{Caller, DenialReason, Denied, Guard, Requirements};

/// Requires that the user signed in at most this long ago, in whole seconds.
///
/// Without `auth_time` (an optional claim outside B2C), or with one in the future, the caller is
/// refused. Clock skew is not forgiven: the answer is to sign in again, which does no harm.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireMaxAge}, testing};
/// use std::time::Duration;
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let guard = RequireMaxAge(Duration::from_secs(600));
/// let accepted = testing::claims().claim("auth_time", 1_699_999_500).build();
/// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
///
/// let refused = testing::claims().claim("auth_time", 1_699_990_000).build();
/// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
/// assert_eq!(denied.reason().as_str(), "sign_in_too_old");
/// # }
/// ```
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
