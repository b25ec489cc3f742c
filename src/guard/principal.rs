//! Who the caller is: user or application, member or guest, somebody or nobody.

use super::{Caller, Denied, Description, Guard, Reason};
use crate::claims::Principal;

/// Requires a user's token.
///
/// A token of which neither can be told is refused here and by [`RequireAppOnly`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RequireUser;

impl Guard for RequireUser {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().principal() {
            Principal::User => Ok(()),
            Principal::App | Principal::Unknown => Err(Denied::new(Reason::UserOnly)),
        }
    }

    fn describe(&self) -> Description {
        Description::condition(Reason::UserOnly, "a user")
    }
}

/// Requires an application that signed in as itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RequireAppOnly;

impl Guard for RequireAppOnly {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().principal() {
            Principal::App => Ok(()),
            Principal::User | Principal::Unknown => Err(Denied::new(Reason::AppOnly)),
        }
    }

    fn describe(&self) -> Description {
        Description::condition(Reason::AppOnly, "an application signed in as itself")
    }
}

/// Refuses guests, as [`Claims::is_guest`](crate::Claims::is_guest) tells them.
///
/// Entra ID: `acct` other than 0, or without `acct` an identity provider (`idp`) that is no issuer
/// of the token's own tenant. External ID: `acct` alone. B2C: nobody is a guest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RequireNoGuests;

impl Guard for RequireNoGuests {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if caller.claims().is_guest() {
            Err(Denied::new(Reason::Guest))
        } else {
            Ok(())
        }
    }

    fn describe(&self) -> Description {
        Description::condition(Reason::Guest, "no guest")
    }
}

/// Requires that the token names one account: [`user_key`](crate::Claims::user_key) is there.
///
/// Older B2C policies send the same placeholder as `sub` for everybody; without an `oid` such a
/// token names nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RequireIdentity;

impl Guard for RequireIdentity {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().user_key() {
            Some(_) => Ok(()),
            None => Err(Denied::new(Reason::NoIdentity)),
        }
    }

    fn describe(&self) -> Description {
        Description::condition(Reason::NoIdentity, "a token that names one account")
    }
}
