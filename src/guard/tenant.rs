//! Tenants (`tid`).

use super::name_set::{self, NameSet, named_guard};
use super::{Caller, DenialReason, Denied, Guard, Requirements};
use crate::guid::parse_guid;

named_guard! {
    /// Requires that the caller comes from a tenant, by its id in either letter case.
    ///
    /// A name that is not a GUID matches no tenant. Which tenants the *layer* accepts is a setting
    /// (`AllowedTenants`); this guard narrows it down for a route.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireTenant}, testing};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let guard = RequireTenant(testing::TENANT);
    /// let accepted = testing::claims().build();
    /// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
    ///
    /// let refused = testing::claims().tenant("22222222-2222-4222-8222-222222222222").build();
    /// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
    /// assert_eq!(denied.reason().as_str(), "tenant");
    /// # }
    /// ```
    RequireTenant, any
}

fn has(caller: &Caller<'_>, name: &str) -> bool {
    let tenant = parse_guid(name);
    tenant.is_some() && caller.claims().tenant_id() == tenant
}

impl<N: NameSet> Guard for RequireTenant<N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        name_set::check(&self.0, DenialReason::Tenant, |name| has(caller, name))
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Tenant,
            name_set::phrase("a caller of", "tenant", "tenants", &self.0),
        )
    }

    fn mistakes(&self) -> Vec<String> {
        name_set::not_guids("RequireTenant", &self.0)
    }
}
