//! App roles and application permissions (`roles`).

use super::name_set::{self, NameSet, named_guard};
use super::{Caller, DenialReason, Denied, Guard, Requirements};

named_guard! {
    /// Requires a role, as a whole and in this letter case: `Task` is not `Task Admin`.
    ///
    /// In a user's token it is a role given to the user, in an app-only token a permission given to
    /// the application; combine with [`RequireAppOnly`](super::RequireAppOnly) or
    /// [`RequireUser`](super::RequireUser) where that matters.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireRole}, testing};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let guard = RequireRole("Task Admin");
    /// let accepted = testing::claims().roles(["Task Admin"]).build();
    /// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
    ///
    /// let refused = testing::claims().roles(["Task"]).build();
    /// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
    /// assert_eq!(denied.reason().as_str(), "role");
    /// # }
    /// ```
    RequireRole, any, all
}

fn has(caller: &Caller<'_>, name: &str) -> bool {
    caller.claims().has_role(name)
}

impl<N: NameSet> Guard for RequireRole<N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        name_set::check(&self.0, DenialReason::Role, |name| has(caller, name))
    }

    fn describe(&self) -> Requirements {
        name_set::each(&self.0, |name| Requirements::role(name))
    }
}
