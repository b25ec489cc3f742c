//! Delegated permissions (`scp`).

use super::name_set::{self, named_guard};
use super::{Caller, Denied, Guard, Requirements};

named_guard! {
    /// Requires a scope, as a whole word and in this letter case.
    ///
    /// An app-only token never passes, whatever it carries: scopes are permissions that a user
    /// gave. Source: Microsoft, "Verify scopes and app roles protected web API".
    ///
    /// A token with a wider scope passes where the application declared that it implies this one
    /// ([`ScopeHierarchy`](crate::ScopeHierarchy)). Does not check that the API exposes the scope.
    ///
    /// ```
    /// # use axum_entra::guard::RequireScope;
    /// let one = RequireScope("access_as_user");
    /// let any = RequireScope::any(["Todo.Read", "Todo.ReadWrite"]);
    /// let all = RequireScope::all([String::from("Todo.Read"), String::from("User.Read")]);
    /// ```
    ///
    /// ```compile_fail
    /// # use axum_entra::guard::RequireScope;
    /// let none = RequireScope::any::<&str, 0>([]);
    /// ```
    RequireScope, any: RequireAnyScope, all: RequireAllScopes
}

fn has(caller: &Caller<'_>, scope: &str) -> bool {
    caller.claims().has_scope(scope)
}

/// A single name as a list of one.
impl<S: AsRef<str> + Sync> super::name_set::Names for RequireScope<S> {
    fn name(&self, index: usize) -> Option<&str> {
        (index == 0).then(|| self.0.as_ref())
    }
}

impl<S: AsRef<str> + Sync> Guard for RequireScope<S> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if has(caller, self.0.as_ref()) {
            Ok(())
        } else {
            Err(Denied::one_scope(self))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::scope(self.0.as_ref())
    }

    fn mistakes(&self) -> Vec<String> {
        name_set::no_scopes([&self.0])
    }
}

impl<S: AsRef<str> + Sync, const N: usize> Guard for RequireAnyScope<S, N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if self.0.iter().any(|scope| has(caller, scope.as_ref())) {
            Ok(())
        } else {
            Err(Denied::one_scope(&self.0))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::any(self.0.iter().map(|name| Requirements::scope(name.as_ref())))
    }

    fn mistakes(&self) -> Vec<String> {
        name_set::no_scopes(&self.0)
    }
}

impl<S: AsRef<str> + Sync, const N: usize> Guard for RequireAllScopes<S, N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if self.0.iter().all(|scope| has(caller, scope.as_ref())) {
            Ok(())
        } else {
            Err(Denied::all_scopes(&self.0))
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::all(self.0.iter().map(|name| Requirements::scope(name.as_ref())))
    }

    fn mistakes(&self) -> Vec<String> {
        name_set::no_scopes(&self.0)
    }
}
