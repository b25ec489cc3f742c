//! App roles and application permissions (`roles`).

use super::name_set::named_guard;
use super::{Caller, DenialReason, Denied, Guard, Requirements};

named_guard! {
    /// Requires a role, as a whole and in this letter case: `Task` is not `Task Admin`.
    ///
    /// In a user's token it is a role given to the user, in an app-only token a permission given to
    /// the application; combine with [`RequireAppOnly`](super::RequireAppOnly) or
    /// [`RequireUser`](super::RequireUser) where that matters.
    RequireRole, any: RequireAnyRole, all: RequireAllRoles
}

fn has(caller: &Caller<'_>, name: &str) -> bool {
    caller.claims().has_role(name)
}

impl<S: AsRef<str>> Guard for RequireRole<S> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if has(caller, self.0.as_ref()) {
            Ok(())
        } else {
            Err(Denied::new(DenialReason::Role))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::role(self.0.as_ref())
    }
}

impl<S: AsRef<str>, const N: usize> Guard for RequireAnyRole<S, N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if self.0.iter().any(|name| has(caller, name.as_ref())) {
            Ok(())
        } else {
            Err(Denied::new(DenialReason::Role))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::any(self.0.iter().map(|name| Requirements::role(name.as_ref())))
    }
}

impl<S: AsRef<str>, const N: usize> Guard for RequireAllRoles<S, N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if self.0.iter().all(|name| has(caller, name.as_ref())) {
            Ok(())
        } else {
            Err(Denied::new(DenialReason::Role))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::all(self.0.iter().map(|name| Requirements::role(name.as_ref())))
    }
}
