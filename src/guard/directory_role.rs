//! Directory roles (`wids`).

use super::name_set::{self, NameSet, named_guard};
use super::{Caller, DenialReason, Denied, Guard, Requirements};
use crate::guid::same_id;

named_guard! {
    /// Requires a tenant-wide directory role, by the id of its template.
    ///
    /// The claim is issued only if the API's manifest asks for it, and can be missing in tokens of
    /// the implicit flow; a missing claim is refused. Source: Microsoft, "Microsoft Entra built-in
    /// roles", "Template ID".
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireDirectoryRole}, testing};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let guard = RequireDirectoryRole("62e90394-69f5-4237-9190-012177145e10");
    /// let accepted = testing::claims().claim("wids", ["62e90394-69f5-4237-9190-012177145e10"]).build();
    /// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
    ///
    /// let refused = testing::claims().build();
    /// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
    /// assert_eq!(denied.reason().as_str(), "directory_role");
    /// # }
    /// ```
    RequireDirectoryRole, any
}

fn has(caller: &Caller<'_>, name: &str) -> bool {
    caller
        .claims()
        .directory_roles()
        .any(|own| same_id(own, name))
}

impl<N: NameSet> Guard for RequireDirectoryRole<N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        name_set::check(&self.0, DenialReason::DirectoryRole, |name| {
            has(caller, name)
        })
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::DirectoryRole,
            name_set::phrase("", "directory role", "directory roles", &self.0),
        )
    }

    fn mistakes(&self) -> Vec<String> {
        name_set::not_guids("RequireDirectoryRole", &self.0)
    }
}
