//! A guard from a closure.

use std::fmt;

use super::{Caller, DenialReason, Denied, Guard, Requirements};

/// Makes a guard of a function.
///
/// The function gets what is known of the caller and must be pure in the sense of [`Guard`]: it may
/// look at shared state, such as a list that changes at run time, and must neither wait nor change
/// anything. A rule that needs the path, the database or another service is an asynchronous check:
/// [`check_fn`](crate::middleware::check_fn).
///
/// ```
/// use std::collections::BTreeSet;
/// use std::sync::{Arc, RwLock};
///
/// use axum_entra::Uuid;
/// use axum_entra::guard::{self, DenialReason, Denied, Guard, RequireScope};
///
/// /// The tenants that subscribe to the premium plan; a task keeps the set up to date.
/// type Premium = Arc<RwLock<BTreeSet<Uuid>>>;
///
/// fn premium(tenants: Premium) -> impl Guard + Clone {
///     let subscribes = guard::from_fn(move |caller| {
///         let tenants = tenants.read().unwrap_or_else(|poisoned| poisoned.into_inner());
///         match caller.claims().tenant_id() {
///             Some(tenant) if tenants.contains(&tenant) => Ok(()),
///             _ => Err(Denied::new(DenialReason::Tenant)),
///         }
///     });
///     RequireScope("Todo.Read").and(subscribes.described("a tenant with the premium plan"))
/// }
/// # #[cfg(feature = "test-util")] {
/// # use axum_entra::{UnixTime, guard::Caller, testing};
/// let tenants = Premium::default();
/// let guard = premium(Arc::clone(&tenants));
/// let claims = testing::claims().scope("Todo.Read").build();
/// assert!(guard.check(&Caller::at(&claims, UnixTime::default())).is_err());
///
/// tenants.write().unwrap().insert(testing::TENANT.parse().unwrap());
/// assert!(guard.check(&Caller::at(&claims, UnixTime::default())).is_ok());
/// # }
/// ```
pub const fn from_fn<F>(check: F) -> FromFn<F>
where
    F: Fn(&Caller<'_>) -> Result<(), Denied<'static>>,
{
    FromFn { check, needs: None }
}

/// A guard that is a function: made by [`from_fn`].
#[derive(Clone, Copy)]
pub struct FromFn<F> {
    check: F,
    needs: Option<&'static str>,
}

impl<F> FromFn<F> {
    /// Says what the guard requires, as a phrase for the OpenAPI document: "a tenant with the
    /// premium plan". Nothing is decided by it.
    ///
    /// ```
    /// use axum_entra::guard::{Denied, Guard, from_fn};
    ///
    /// let premium = from_fn(|_| Err(Denied::custom("no_premium_plan")));
    /// assert_eq!(premium.describe().to_string(), "a rule of this application's own");
    /// let described = premium.described("a tenant with the premium plan");
    /// assert_eq!(described.describe().to_string(), "a tenant with the premium plan");
    /// ```
    #[must_use]
    pub fn described(mut self, needs: &'static str) -> Self {
        self.needs = Some(needs);
        self
    }
}

impl<F> Guard for FromFn<F>
where
    F: Fn(&Caller<'_>) -> Result<(), Denied<'static>>,
{
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        (self.check)(caller)
    }

    fn describe(&self) -> Requirements {
        match self.needs {
            Some(needs) => Requirements::condition(DenialReason::Custom("custom"), needs),
            None => Requirements::custom(),
        }
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").finish_non_exhaustive()
    }
}
