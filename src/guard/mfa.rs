//! Multi-factor authentication.

use super::{Caller, DenialReason, Denied, Guard, Requirements};
use crate::claims::AuthenticationMethod;

/// Requires that `amr` names multi-factor authentication: `mfa` or `ngcmfa`.
///
/// Only v1.0 tokens have `amr`; a v2.0 token is refused. Prefer
/// [`RequireAuthContext`](super::RequireAuthContext), which Conditional Access can enforce, or a
/// policy on the whole application.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireMfa}, testing};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let guard = RequireMfa;
/// let accepted = testing::claims().claim("amr", ["pwd", "mfa"]).build();
/// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
///
/// let refused = testing::claims().claim("amr", ["pwd"]).build();
/// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
/// assert_eq!(denied.reason().as_str(), "mfa");
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RequireMfa;

impl Guard for RequireMfa {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if caller
            .claims()
            .authentication_methods()
            .any(AuthenticationMethod::is_multi_factor)
        {
            Ok(())
        } else {
            Err(Denied::new(DenialReason::Mfa))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Mfa,
            "a sign-in with multi-factor authentication",
        )
    }
}
