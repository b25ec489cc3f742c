//! Certain accounts (`oid`).

use super::name_set::{self, NameSet, named_guard};
use super::{Caller, DenialReason, Denied, Guard, Requirements};
use crate::guid::same_id;

named_guard! {
    /// Requires one user, service principal or managed identity, by its object id (`oid`) in either
    /// letter case.
    ///
    /// An object id belongs to one tenant: where the layer accepts several, combine with
    /// [`RequireTenant`](super::RequireTenant). For a user's token it names the user, not the
    /// client. Combine with [`RequireAppOnly`](super::RequireAppOnly) for a service principal.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireObjectId}, testing};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let guard = RequireObjectId(testing::OBJECT);
    /// let accepted = testing::claims().build();
    /// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
    ///
    /// let refused = testing::claims().object_id("b0b00000-0000-4000-8000-000000000002").build();
    /// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
    /// assert_eq!(denied.reason().as_str(), "object_id");
    /// # }
    /// ```
    RequireObjectId, any
}

fn has(caller: &Caller<'_>, name: &str) -> bool {
    caller
        .claims()
        .object_id_text()
        .is_some_and(|own| same_id(own, name))
}

impl<N: NameSet> Guard for RequireObjectId<N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        name_set::check(&self.0, DenialReason::ObjectId, |name| has(caller, name))
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::ObjectId,
            name_set::phrase("an account with", "object id", "object ids", &self.0),
        )
    }

    fn mistakes(&self) -> Vec<String> {
        name_set::not_guids("RequireObjectId", &self.0)
    }
}
