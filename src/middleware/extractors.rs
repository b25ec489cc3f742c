//! Claims and permits in a handler's signature.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::claims::Claims;
use crate::guard::{Caller, Guard};

use super::context::Anonymous;
use super::evaluate::{Denial, GuardOutcome, checked, hold};
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
/// use axum_entra::guard::{Guard, RequireRole, RequireScope};
/// use axum_entra::{Permit, guards};
///
/// guards! {
///     /// May change to-do lists.
///     pub CanWriteTodos = RequireScope("Todo.ReadWrite").or(RequireRole("Todo.ReadWrite.All"));
/// }
///
/// async fn create(permit: Permit<CanWriteTodos>) -> String {
///     format!("created by {:?}", permit.claims().principal())
/// }
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

/// Makes the guard where it is needed, so that it need not be sent from thread to thread.
fn check<G: Guard + Default>(caller: &Caller<'_>, head: Head<'_>) -> Result<(), Denial> {
    checked(&G::default(), caller, head)
}

impl<S: Sync, G: Guard + Default> FromRequestParts<S> for Permit<G> {
    type Rejection = Rejection;

    /// # Errors
    /// What the guard answers; 401 and 500 as for `Claims`.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let head = Head::of_parts(parts);
        let (claims, spend) = match hold(type_name::<G>(), check::<G>, head) {
            GuardOutcome::Passes(claims) => (claims.clone(), None),
            GuardOutcome::Spends(claims, spend) => (claims.clone(), Some(*spend)),
            GuardOutcome::Refused(rejection) => return Err(*rejection),
            GuardOutcome::Open(question) => {
                let settled = question.resolve(check::<G>).await?;
                parts.extensions.insert(settled.patience);
                (settled.claims, settled.spend)
            }
        };
        if let Some(spend) = spend
            && let Some(first_use) = spend.make().await?
        {
            parts.extensions.insert(first_use);
        }
        Ok(Self::new(claims))
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
