//! Authorization rules.
//!
//! A guard is a value. Use it as a layer (`.route_layer(RequireScope("access_as_user"))`), combine
//! it with [`and`](Guard::and) and [`or`](Guard::or), or name it with [`guards!`](crate::guards) to
//! require it in a handler's signature as [`Permit`](crate::Permit).
//!
//! There is one type for each rule. It takes one name, a list that is known when the program is
//! built, or a list that is read at run time:
//!
//! ```
//! use axum_entra::guard::RequireRole;
//!
//! let one = RequireRole("Task Admin");
//! let any = RequireRole::any(["Task Admin", "Task Editor"]);
//! let all = RequireRole::all(["Task Admin", "Auditor"]);
//! # fn read(configured: Vec<String>) -> Result<(), axum_entra::ConfigError> {
//! let read = RequireRole::any_of(configured)?;
//! # Ok(()) }
//! assert!(RequireRole::any_of(Vec::<String>::new()).is_err());
//! ```
//!
//! A guard on an empty list does not compile:
//!
//! ```compile_fail
//! let empty = axum_entra::guard::RequireRole::any::<&str, 0>([]);
//! ```
//! ```compile_fail
//! let empty = axum_entra::guard::RequireGroup::all::<&str, 0>([]);
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod acr;
mod agent;
mod auth_context;
mod b2c_policy;
mod bound_token;
mod caller;
mod client_id;
mod combinators;
mod denied;
mod directory_role;
mod every;
#[cfg(test)]
mod every_world;
mod from_fn;
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
mod requirements;
mod role;
mod scope;
mod shared;
mod tenant;

pub use acr::RequireAcr;
pub use agent::{DenyAgents, DenyKnownAgents, RequireAgent};
pub use auth_context::RequireAuthContext;
pub use b2c_policy::RequireB2cPolicy;
pub use bound_token::RequireBoundToken;
pub use caller::Caller;
pub use client_id::{RequireClientAuthMethod, RequireClientId};
pub use combinators::{And, Or};
pub use denied::{DenialReason, Denied};
pub use directory_role::RequireDirectoryRole;
pub use from_fn::{FromFn, from_fn};
pub use group::RequireGroup;
pub use max_age::RequireMaxAge;
pub use mfa::RequireMfa;
pub use name_set::{AllOf, AnyOf, NameList, NameSet};
pub use object_id::RequireObjectId;
pub use principal::{DenyGuests, RequireAccountId, RequireAppOnly, RequireUser};
pub use requirements::{Alternative, Requirement, Requirements};
pub use role::RequireRole;
pub use scope::RequireScope;
pub use tenant::RequireTenant;

pub(crate) use caller::Memberships;
pub(crate) use every::{Every, SharedGuard};

/// An authorization rule: it accepts a caller or says why not.
///
/// A guard is pure: it reads no clock, asks no network, and changes nothing. What it does not find
/// in `caller` it must refuse. It may hold state that the application changes, such as a list
/// behind an `Arc`. Implement the trait for custom rules, or use [`from_fn`];
/// [`GuardLayer`](crate::GuardLayer) makes a layer of any guard that is `Clone`. A rule that has to
/// wait, for the database say, is an asynchronous check:
/// [`check_fn`](crate::middleware::check_fn).
///
/// References, `Box` and `Arc` of a guard are guards, of `dyn Guard` too.
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
///
/// A type that is no guard does not compile:
///
/// ```compile_fail
/// # use axum_entra::guard::{Guard, RequireScope};
/// let guard = RequireScope("Todo.Read").and("Todo.Admin");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guard",
    label = "not an authorization rule",
    note = "guards are the types of `axum_entra::guard` such as `RequireScope(\"…\")`, what `.and(…)` \
            and `.or(…)` make of them, `guard::from_fn(…)`, the names of `guards!`, and your own \
            types that implement `Guard`"
)]
pub trait Guard {
    /// Whether the caller may pass.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, DenialReason, Guard, RequireUser};
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let (user, app) = (claims().build(), claims().app().build());
    /// assert!(RequireUser.check(&Caller::at(&user, UnixTime::default())).is_ok());
    /// let denied = RequireUser.check(&Caller::at(&app, UnixTime::default())).unwrap_err();
    /// assert_eq!(denied.reason(), DenialReason::UserOnly);
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Denied`], with the reason, and with the groups to ask for where the token does not list them.
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>>;

    /// What the guard requires, for the OpenAPI document; nothing is decided by it.
    ///
    /// A custom guard is "a rule of this application's own" unless it says more.
    ///
    /// ```
    /// use axum_entra::guard::{Guard, RequireScope, RequireUser};
    ///
    /// let guard = RequireUser.and(RequireScope("Todo.Read"));
    /// assert!(guard.describe().alternatives()[0].scopes() == ["Todo.Read"]);
    /// ```
    fn describe(&self) -> Requirements {
        Requirements::custom()
    }

    /// What in this guard can never match, one sentence each: names that no token has.
    ///
    /// Logged once at `warn` where the guard is put around a route, or made by
    /// [`guards!`](crate::guards). A custom guard that holds others passes theirs on.
    ///
    /// ```
    /// use axum_entra::guard::{Guard, RequireObjectId, RequireScope};
    ///
    /// assert!(RequireScope("Todo.Read").mistakes().is_empty());
    /// // Tokens have the end of a full scope name, and accounts by id.
    /// assert_eq!(RequireScope("api://todo/Todo.Read").mistakes().len(), 1);
    /// assert_eq!(RequireObjectId("alice@contoso.example").mistakes().len(), 1);
    /// ```
    fn mistakes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Both must let the caller pass. A challenge names the scopes that both refuse for, so the second
    /// is asked too where the first refuses for want of a scope: it must not rely on the first.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, Guard, RequireMfa, RequireScope};
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let guard = RequireScope("Payments.Transfer").and(RequireMfa);
    /// let passes = |methods: [&str; 1]| {
    ///     let claims = claims().scope("Payments.Transfer").claim("amr", methods).build();
    ///     guard.check(&Caller::at(&claims, UnixTime::default())).is_ok()
    /// };
    /// assert!(passes(["mfa"]) && !passes(["pwd"]));
    /// # }
    /// ```
    fn and<G: Guard>(self, other: G) -> And<Self, G>
    where
        Self: Sized,
    {
        And(self, other)
    }

    /// One of both must let the caller pass.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, Guard, RequireAppOnly, RequireRole, RequireScope};
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let guard = RequireScope("Todo.Read").or(RequireAppOnly.and(RequireRole("Todo.Read.All")));
    /// let passes = |claims: &axum_entra::Claims| {
    ///     guard.check(&Caller::at(claims, UnixTime::default())).is_ok()
    /// };
    /// assert!(passes(&claims().scope("Todo.Read").build()));
    /// assert!(passes(&claims().app().roles(["Todo.Read.All"]).build()));
    /// // The application's role in a user's token.
    /// assert!(!passes(&claims().roles(["Todo.Read.All"]).build()));
    /// # }
    /// ```
    fn or<G: Guard>(self, other: G) -> Or<Self, G>
    where
        Self: Sized,
    {
        Or(self, other)
    }
}
