//! Group memberships, also of callers with more groups than a token holds.

use super::name_set::{self, NameSet, named_guard, names};
use super::{Caller, DenialReason, Denied, Guard, Requirements};

named_guard! {
    /// Requires membership in a group, by its object id (or its name, where the application is
    /// configured to get names).
    ///
    /// GUIDs are compared without letter case, names as they are. A group that stands in the token
    /// is a member for certain. Where the token says "too many groups to list" (overage), the
    /// guard asks: the layer puts the question to the directory, and without one the answer is
    /// 403 `groups_overage`.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireGroup}, testing};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let guard = RequireGroup("aaaaaaaa-0000-4000-8000-000000000001");
    /// let accepted = testing::claims().groups(["aaaaaaaa-0000-4000-8000-000000000001"]).build();
    /// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
    ///
    /// let refused = testing::claims().groups(["aaaaaaaa-0000-4000-8000-000000000002"]).build();
    /// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
    /// assert_eq!(denied.reason().as_str(), "group");
    /// # }
    /// ```
    RequireGroup, any, all
}

impl<N: NameSet> Guard for RequireGroup<N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        let needs_all = self.0.needs_all();
        let mut open = Vec::new();
        for group in names(&self.0) {
            match caller.is_member_of(group) {
                Some(true) if needs_all => {}
                Some(true) => return Ok(()),
                Some(false) if needs_all => return Err(Denied::new(DenialReason::Group)),
                Some(false) => {}
                None => open.push(group),
            }
        }
        match (open.is_empty(), needs_all) {
            (false, _) => Err(Denied::open(open)),
            (true, true) => Ok(()),
            (true, false) => Err(Denied::new(DenialReason::Group)),
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Group,
            name_set::phrase("membership in", "group", "groups", &self.0),
        )
    }
}
