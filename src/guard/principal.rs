//! Who the caller is: user or application, member or guest, with or without an account id.

use super::{Caller, DenialReason, Denied, Guard, Requirements};
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
            Principal::App | Principal::Unknown => Err(Denied::new(DenialReason::UserOnly)),
        }
    }

    fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::UserOnly, "a user")
    }
}

/// Requires an application that signed in as itself.
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

/// Refuses guests, as [`Claims::is_guest`](crate::Claims::is_guest) tells them.
///
/// Entra ID: `acct` other than 0, or without `acct` an identity provider (`idp`) that is no issuer
/// of the token's own tenant. External ID: only `acct`. B2C has no guests.
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
