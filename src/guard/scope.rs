//! Delegated permissions (`scp`).

use super::name_set::{self, NameSet, named_guard};
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
    ///
    /// # fn read() -> Result<(), axum_entra::ConfigError> {
    /// let configured = vec!["Todo.Read".to_owned(), "Todo.ReadWrite".to_owned()];
    /// let any = RequireScope::any_of(configured)?;
    /// # Ok(()) }
    /// # read().unwrap();
    /// assert!(RequireScope::any_of(Vec::<String>::new()).is_err());
    /// ```
    ///
    /// ```compile_fail
    /// # use axum_entra::guard::RequireScope;
    /// let none = RequireScope::any::<&str, 0>([]);
    /// ```
    RequireScope, any, all
}

impl<N: NameSet> Guard for RequireScope<N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if self.0.is_met(|scope| caller.claims().has_scope(scope)) {
            Ok(())
        } else {
            Err(Denied::scopes_of(&self.0))
        }
    }

    fn describe(&self) -> Requirements {
        name_set::each(&self.0, |name| Requirements::scope(name))
    }

    fn mistakes(&self) -> Vec<String> {
        name_set::no_scopes(&self.0)
    }
}
