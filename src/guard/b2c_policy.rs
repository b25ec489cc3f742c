//! B2C policies (`tfp`, else `acr`).

use super::name_set::{self, NameSet, named_guard};
use super::{Caller, DenialReason, Denied, Guard, Requirements};

named_guard! {
    /// Requires that the user went through a B2C policy, in any letter case.
    ///
    /// Only B2C tokens have a policy: every other token is refused, whatever its `tfp` or `acr`
    /// says.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireB2cPolicy}, testing};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let guard = RequireB2cPolicy("B2C_1_susi");
    /// let accepted = testing::claims().policy("B2C_1_susi").build();
    /// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
    ///
    /// let refused = testing::claims().policy("B2C_1_reset").build();
    /// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
    /// assert_eq!(denied.reason().as_str(), "policy");
    /// # }
    /// ```
    RequireB2cPolicy, any
}

fn has(caller: &Caller<'_>, name: &str) -> bool {
    caller
        .claims()
        .b2c_policy()
        .is_some_and(|own| own.eq_ignore_ascii_case(name))
}

impl<N: NameSet> Guard for RequireB2cPolicy<N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        name_set::check(&self.0, DenialReason::Policy, |name| has(caller, name))
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Policy,
            name_set::phrase("a sign-in by", "policy", "policies", &self.0),
        )
    }
}
