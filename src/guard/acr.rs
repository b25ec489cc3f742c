//! The authentication context class (`acr`).

use super::name_set::{self, NameSet, named_guard};
use super::{Caller, DenialReason, Denied, Guard, Requirements};

named_guard! {
    /// Requires a value of `acr`; weak, and kept because Microsoft's older pages ask for it.
    ///
    /// `acr` = `1` does **not** prove multi-factor authentication: Microsoft's own sample token has it
    /// together with `amr` = `["wia"]`. Use [`RequireMfa`](super::RequireMfa) or
    /// [`RequireAuthContext`](super::RequireAuthContext) for that. In B2C tokens `acr` is a policy.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireAcr}, testing};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let guard = RequireAcr("1");
    /// let accepted = testing::claims().claim("acr", "1").build();
    /// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
    ///
    /// let refused = testing::claims().claim("acr", "0").build();
    /// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
    /// assert_eq!(denied.reason().as_str(), "acr");
    /// # }
    /// ```
    RequireAcr, any
}

impl<N: NameSet> Guard for RequireAcr<N> {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        let own = caller.claims().acr();
        name_set::check(&self.0, DenialReason::Acr, |value| own == Some(value))
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(
            DenialReason::Acr,
            name_set::phrase("a sign-in of", "class", "classes", &self.0),
        )
    }
}
