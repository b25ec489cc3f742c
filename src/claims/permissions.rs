//! What the caller may do: scopes and roles.

use super::{Claims, Principal};
use crate::scope_hierarchy::ScopeHierarchy;

impl Claims {
    /// Whether a user gave the client this delegated permission: `scp` has the scope, or one that
    /// implies it by the application's [`ScopeHierarchy`].
    ///
    /// As [`RequireScope`](crate::guard::RequireScope) decides: whole words, letter case counts,
    /// and never for an application's own token, whatever its `scp` says.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// let claims = axum_entra::testing::claims().scope("Todo.Read").build();
    /// assert!(claims.has_scope("Todo.Read"));
    /// assert!(!claims.has_scope("todo.read"));
    /// # }
    /// ```
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        let inner = self.inner();
        // `idtyp` = app beside a `scp` is no user's token.
        inner.principal != Principal::App
            && (inner.lists(inner.scopes, scope) || self.has_wider_scope(scope))
    }

    /// Apart from the scope itself, which most callers have, so that its check stays short.
    #[cold]
    fn has_wider_scope(&self, scope: &str) -> bool {
        let inner = self.inner();
        self.scope_hierarchy().is_some_and(|hierarchy| {
            let mut wider = hierarchy.implying(scope);
            wider.any(|wider| inner.lists(inner.scopes, wider))
        })
    }

    /// Which scopes imply others at the API that accepted the token, where it declared any.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{ScopeHierarchy, testing::claims};
    ///
    /// let declared = ScopeHierarchy::new().implies("Todo.ReadWrite", "Todo.Read");
    /// let claims = || claims().scope("Todo.ReadWrite");
    /// assert!(claims().scope_hierarchy(declared).build().has_scope("Todo.Read"));
    ///
    /// let undeclared = claims().build();
    /// assert!(undeclared.scope_hierarchy().is_none() && !undeclared.has_scope("Todo.Read"));
    /// # }
    /// ```
    #[must_use]
    pub fn scope_hierarchy(&self) -> Option<&ScopeHierarchy> {
        self.inner().scope_hierarchy.as_deref()
    }

    /// Whether `roles` has this role, as a whole and in this letter case.
    ///
    /// In a user's token it is a role given to the user, in an app-only token a permission given to
    /// the application.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let claims = claims().roles(["Todo.Admin"]).build();
    /// assert!(claims.has_role("Todo.Admin"));
    /// assert!(!claims.has_role("todo.admin") && !claims.has_role("Todo"));
    /// # }
    /// ```
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.inner().lists(self.inner().roles, role)
    }
}
