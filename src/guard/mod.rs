//! Rules on what is known of a caller.
//!
//! A guard is a value. It is its own layer (`.route_layer(RequireScope("access_as_user"))`), it
//! combines with [`and`](Guard::and) and [`or`](Guard::or), and [`guards!`](crate::guards) gives
//! it a name that [`Permit`](crate::Permit) takes in a handler's signature.
//!
//! A guard on nothing does not compile, neither "any" nor "all" of nothing:
//!
//! ```compile_fail
//! let empty = axum_entra::guard::RequireRole::any::<&str, 0>([]);
//! ```
//! ```compile_fail
//! let everybody = axum_entra::guard::RequireGroup::all::<&str, 0>([]);
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod acr;
mod agent;
mod auth_context;
mod b2c_policy;
mod caller;
mod client_id;
mod combinators;
mod denied;
mod directory_role;
mod every;
mod group;
#[cfg(test)]
mod laws;
mod max_age;
mod mfa;
mod name_set;
#[cfg(test)]
mod name_sets;
mod object_id;
mod principal;
mod replay;
mod requirements;
mod role;
mod scope;
mod tenant;

pub use acr::RequireAcr;
pub use agent::{DenyAgents, DenyKnownAgents, RequireAgent};
pub use auth_context::RequireAuthContext;
pub use b2c_policy::{RequireAnyB2cPolicy, RequireB2cPolicy};
pub use caller::Caller;
pub use client_id::{RequireAnyClientId, RequireClientAuthMethod, RequireClientId};
pub use combinators::{And, Or};
pub use denied::{DenialReason, Denied};
pub use directory_role::{RequireAnyDirectoryRole, RequireDirectoryRole};
pub use group::{RequireAllGroups, RequireAnyGroup, RequireGroup};
pub use max_age::RequireMaxAge;
pub use mfa::RequireMfa;
pub use object_id::{RequireAnyObjectId, RequireObjectId};
pub use principal::{DenyGuests, RequireAccountId, RequireAppOnly, RequireUser};
pub use replay::OncePerToken;
pub use requirements::{Alternative, Requirement, Requirements};
pub use role::{RequireAllRoles, RequireAnyRole, RequireRole};
pub use scope::{RequireAllScopes, RequireAnyScope, RequireScope};
pub use tenant::{RequireAnyTenant, RequireTenant};

pub(crate) use caller::Memberships;
pub(crate) use every::{Every, SharedGuard};

/// A rule that lets a caller pass or says why not.
///
/// Pure: no clock, no network, no memory of earlier callers. What it does not find in `caller`
/// it must refuse. Implement it for rules of your own; `#[derive(Clone)]` and
/// [`Guarded`](crate::Guarded) make a layer of it.
///
/// ```
/// use axum_entra::guard::{Caller, Denied, Guard};
///
/// #[derive(Clone)]
/// struct FromHeadquarters;
///
/// impl Guard for FromHeadquarters {
///     fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
///         match caller.claims().in_corporate_network() {
///             true => Ok(()),
///             false => Err(Denied::custom("not_from_headquarters")),
///         }
///     }
/// }
/// ```
pub trait Guard {
    /// Whether the caller may pass.
    ///
    /// # Errors
    /// [`Denied`], with the reason, and with a question where the token does not tell.
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>>;

    /// What the guard asks for, for documents; nothing is decided by it.
    ///
    /// A guard of your own says "a rule of this application's own" unless it says more.
    fn describe(&self) -> Requirements {
        Requirements::custom()
    }

    /// What in this guard can never match, one sentence each: names that no token has.
    ///
    /// Logged once at `warn` where the guard is put around a route, or made by
    /// [`guards!`](crate::guards). A guard of your own that holds others passes theirs on.
    fn mistakes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Both must let the caller pass.
    fn and<G: Guard>(self, other: G) -> And<Self, G>
    where
        Self: Sized,
    {
        And(self, other)
    }

    /// One of both must let the caller pass.
    fn or<G: Guard>(self, other: G) -> Or<Self, G>
    where
        Self: Sized,
    {
        Or(self, other)
    }
}
