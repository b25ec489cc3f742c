//! A revocation that other replicas could not be informed of.

use std::fmt;
use std::sync::Arc;

use super::context::LayerContext;
use super::rejection::Rejection;

/// The store of revocations and replay records did not answer in time, or has no room.
///
/// For operators: what happened is in [`StoreStatus::last_error`](crate::StoreStatus). In a handler,
/// `?` makes a [`Rejection`] of it, 503 `store_unavailable`, in the form that
/// [`map_rejection`](crate::EntraBuilder::map_rejection) gives to the refusals of the same `Entra`.
///
/// ```
/// use axum_entra::{Claims, Entra, Rejection};
///
/// async fn lost_device(entra: Entra, claims: Claims) -> Result<(), Rejection> {
///     match claims.account_id() {
///         Some(account) => Ok(entra.revoke_tokens(&account).await?),
///         None => Err(Rejection::forbidden(&claims, "no_account")),
///     }
/// }
/// ```
#[derive(Clone, thiserror::Error)]
#[error("the store of revocations and replay records is out of reach")]
pub struct StoreError(Arc<LayerContext>);

impl StoreError {
    pub(crate) fn new(context: &Arc<LayerContext>) -> Self {
        Self(Arc::clone(context))
    }
}

impl From<StoreError> for Rejection {
    /// 503 `store_unavailable`.
    fn from(error: StoreError) -> Self {
        Self::store_out_of_reach(error.0)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreError")
    }
}
