//! Claims and permits in a handler's signature.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::claims::Claims;
use crate::guard::{Caller, Guard};

use super::context::Anonymous;
use super::evaluate::{GuardOutcome, checked, hold};
use super::guard_layer::missing_claims;
use super::head::Head;
use super::rejection::Rejection;

impl<S: Sync> FromRequestParts<S> for Claims {
    type Rejection = Rejection;

    /// The claims that [`EntraLayer`](crate::EntraLayer) put there.
    ///
    /// # Errors
    /// 401 for an anonymous request behind the optional layer, 500 without the layer.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        match parts.extensions.get::<Self>() {
            Some(claims) => Ok(claims.clone()),
            None => Err(missing_claims(
                "the extractor Claims",
                Head::of_parts(parts),
            )),
        }
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Claims {
    type Rejection = Rejection;

    /// The claims, or nothing for an anonymous request behind the optional layer.
    ///
    /// # Errors
    /// 500 without the layer: a missing token and a missing check are different errors.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        match parts.extensions.get::<Self>() {
            Some(claims) => Ok(Some(claims.clone())),
            None if parts.extensions.get::<Anonymous>().is_some() => Ok(None),
            None => Err(Rejection::not_configured(
                "the extractor Option<Claims>",
                Head::of_parts(parts),
            )),
        }
    }
}

/// The proof that a guard let the caller pass, in a handler's signature.
///
/// Only the extractor can create one, so a function that takes a `Permit<CanWriteTodos>`
/// cannot be called for an unauthorized caller.
///
/// ```
/// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, body::Body, http::Request, routing::post};
/// use axum_entra::guard::{Guard, RequireRole, RequireScope};
/// use axum_entra::{Permit, guards, testing::claims};
/// use tower::ServiceExt;
///
/// guards! {
///     /// May change to-do lists.
///     pub CanWriteTodos = RequireScope("Todo.ReadWrite").or(RequireRole("Todo.ReadWrite.All"));
/// }
///
/// async fn create(permit: Permit<CanWriteTodos>) -> String {
///     format!("created by {:?}", permit.claims().principal())
/// }
///
/// let app: Router = Router::new().route("/todos", post(create));
/// // .layer(entra.layer())
/// let status = async |scope: &str| {
///     let request = Request::post("/todos").body(Body::empty()).unwrap();
///     app.clone().oneshot(claims().scope(scope).insert_into(request)).await.unwrap().status()
/// };
/// assert_eq!(status("Todo.ReadWrite").await, 200);
/// assert_eq!(status("Todo.Read").await, 403);
/// # Ok(()) }
/// # #[cfg(not(feature = "test-util"))] fn main() {}
/// ```
pub struct Permit<G> {
    claims: Claims,
    guard: PhantomData<fn() -> G>,
}

impl<G> Permit<G> {
    const fn new(claims: Claims) -> Self {
        Self {
            claims,
            guard: PhantomData,
        }
    }

    /// What the caller's token says.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The claims, without the proof.
    #[must_use]
    pub fn into_claims(self) -> Claims {
        self.claims
    }
}

/// A guard that [`Permit`] can get: made by `Default`, or taken from the router's state.
///
/// Every guard that is `Default` is one, those of [`guards!`](crate::guards) among them. Implement
/// it for a guard with state of its own, such as a list that changes at run time:
///
/// ```
/// use std::sync::{Arc, RwLock};
/// use axum_entra::guard::{Caller, Denied, Guard};
/// use axum_entra::middleware::GuardFromState;
/// use axum_entra::{Permit, Uuid};
///
/// #[derive(Clone)]
/// struct App {
///     suspended: Arc<RwLock<Vec<Uuid>>>,
/// }
///
/// /// Refuses the tenants that an administrator suspended.
/// struct NotSuspended(Arc<RwLock<Vec<Uuid>>>);
///
/// impl Guard for NotSuspended {
///     fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
///         let suspended = self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner());
///         match caller.claims().tenant_id() {
///             Some(tenant) if !suspended.contains(&tenant) => Ok(()),
///             _ => Err(Denied::custom("suspended")),
///         }
///     }
/// }
///
/// impl GuardFromState<App> for NotSuspended {
///     fn from_state(app: &App) -> Self {
///         Self(Arc::clone(&app.suspended))
///     }
/// }
///
/// async fn list(permit: Permit<NotSuspended>) -> String {
///     permit.claims().issuer().to_owned()
/// }
/// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() {
/// # use axum::{body::Body, http::Request};
/// # use axum_entra::testing::{TENANT, claims};
/// # use tower::ServiceExt;
///
/// let app = App { suspended: Arc::default() };
/// let router = axum::Router::new().route("/", axum::routing::get(list)).with_state(app.clone());
/// let status = async || {
///     let request = claims().insert_into(Request::new(Body::empty()));
///     router.clone().oneshot(request).await.unwrap().status()
/// };
/// assert_eq!(status().await, 200);
/// app.suspended.write().unwrap().push(TENANT.parse().unwrap());
/// assert_eq!(status().await, 403);
/// # }
/// # #[cfg(not(feature = "test-util"))] fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`Permit<{Self}>` cannot get its guard from the state `{S}`",
    label = "not a guard that `Permit` can make",
    note = "a guard without state is made by `Default`: name it with `guards!`, or derive `Default`",
    note = "a guard with state is taken from the router's state: implement `GuardFromState<{S}>`"
)]
pub trait GuardFromState<S>: Guard + Sized {
    /// The guard, for one request.
    fn from_state(state: &S) -> Self;
}

impl<S, G: Guard + Default> GuardFromState<S> for G {
    fn from_state(_: &S) -> Self {
        Self::default()
    }
}

impl<S, G> FromRequestParts<S> for Permit<G>
where
    S: Sync,
    G: GuardFromState<S> + Send + Sync,
{
    type Rejection = Rejection;

    /// # Errors
    /// What the guard answers; 401 and 500 as for `Claims`.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let guard = G::from_state(state);
        let check = |caller: &Caller<'_>, head: Head<'_>| checked(&guard, caller, head);
        match hold(type_name::<G>(), check, Head::of_parts(parts)) {
            GuardOutcome::Passes(claims) => Ok(Self::new(claims.clone())),
            GuardOutcome::Refused(rejection) => Err(*rejection),
            GuardOutcome::Open(question) => {
                let settled = question.resolve(check).await?;
                parts.extensions.insert(settled.patience);
                Ok(Self::new(settled.claims))
            }
        }
    }
}

impl<G> fmt::Debug for Permit<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.claims).finish()
    }
}

impl<G> Clone for Permit<G> {
    fn clone(&self) -> Self {
        Self {
            claims: self.claims.clone(),
            guard: PhantomData,
        }
    }
}
