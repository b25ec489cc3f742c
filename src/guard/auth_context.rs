//! Conditional Access authentication contexts (`acrs`): step-up.

use super::{Caller, DenialReason, Denied, Guard, Requirements};

/// Requires a Conditional Access authentication context, `c1` to `c99`.
///
/// A user whose client can handle it (`xms_cc` holds `cp1`) is answered 401 `insufficient_claims`
/// with the claim to ask for, and comes back stronger; everybody else gets 403.
/// Source: Microsoft, "Developer guide to Conditional Access authentication context".
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireAuthContext}, testing};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let guard = RequireAuthContext("c1");
/// let accepted = testing::claims().claim("acrs", ["c1"]).build();
/// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
///
/// let refused = testing::claims().build();
/// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
/// assert_eq!(denied.reason().as_str(), "auth_context");
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequireAuthContext<S = &'static str>(
    /// The context's id.
    pub S,
);

impl<S: AsRef<str>> Guard for RequireAuthContext<S> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        let needed = self.0.as_ref();
        if caller.claims().acrs().any(|context| context == needed) {
            Ok(())
        } else {
            Err(Denied::auth_context(needed))
        }
    }

    fn describe(&self) -> Requirements {
        let needs = format!("authentication context `{}`", self.0.as_ref());
        Requirements::condition(DenialReason::AuthContext, needs)
    }
}
