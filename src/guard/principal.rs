//! Who the caller is: user or application, member or guest, with or without an account id.

use super::{Caller, DenialReason, Denied, Guard, Requirements};
use crate::claims::Principal;

/// Requires a user's token.
///
/// A token that states neither is refused here and by [`RequireAppOnly`].
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireUser}, testing};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let guard = RequireUser;
/// let accepted = testing::claims().build();
/// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
///
/// let refused = testing::claims().app().build();
/// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
/// assert_eq!(denied.reason().as_str(), "user_only");
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RequireUser;

impl Guard for RequireUser {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().principal() {
            Principal::User => Ok(()),
            Principal::App | Principal::Unknown => Err(Denied::new(DenialReason::UserOnly)),
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::UserOnly, "a user")
    }
}

/// Requires an application that signed in as itself.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireAppOnly}, testing};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let guard = RequireAppOnly;
/// let accepted = testing::claims().app().build();
/// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
///
/// let refused = testing::claims().build();
/// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
/// assert_eq!(denied.reason().as_str(), "app_only");
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RequireAppOnly;

impl Guard for RequireAppOnly {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().principal() {
            Principal::App => Ok(()),
            Principal::User | Principal::Unknown => Err(Denied::new(DenialReason::AppOnly)),
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::AppOnly, "an application signed in as itself")
    }
}

/// Refuses guests, as [`Claims::is_guest`](crate::Claims::is_guest) recognizes them.
///
/// Entra ID: `acct` other than 0, or without `acct` an identity provider (`idp`) that is no issuer
/// of the token's own tenant. External ID: only `acct`. B2C has no guests.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, DenyGuests}, testing};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let guard = DenyGuests;
/// let accepted = testing::claims().claim("acct", 0).build();
/// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
///
/// let refused = testing::claims().claim("acct", 1).build();
/// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
/// assert_eq!(denied.reason().as_str(), "guest");
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct DenyGuests;

impl Guard for DenyGuests {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if caller.claims().is_guest() {
            Err(Denied::new(DenialReason::Guest))
        } else {
            Ok(())
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::Guest, "no guest")
    }
}

/// Requires that the token names one account: [`account_id`](crate::Claims::account_id) is there.
///
/// Older B2C policies send the same placeholder as `sub` for everybody; without an `oid` such a
/// token identifies no account.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireAccountId}, testing};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let guard = RequireAccountId;
/// let accepted = testing::claims().build();
/// assert!(guard.check(&Caller::at(&accepted, now)).is_ok());
///
/// let refused = testing::claims().without("oid").without("sub").build();
/// let denied = guard.check(&Caller::at(&refused, now)).unwrap_err();
/// assert_eq!(denied.reason().as_str(), "no_identity");
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RequireAccountId;

impl Guard for RequireAccountId {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().account_id() {
            Some(_) => Ok(()),
            None => Err(Denied::new(DenialReason::NoIdentity)),
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::NoIdentity, "a token that names one account")
    }
}
