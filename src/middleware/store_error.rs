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
/// # #[cfg(feature = "redis")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum_entra::{AccountId, Entra, RedisStore, Rejection, StoreFailurePolicy, Tenant};
///
/// async fn lost_device(entra: &Entra, account: &AccountId) -> Result<(), Rejection> {
///     Ok(entra.revoke_tokens(account).await?)
/// }
///
/// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// # let builder = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
/// let out_of_reach = RedisStore::new("redis://127.0.0.1:1/", StoreFailurePolicy::default());
/// let entra = builder.redis(out_of_reach).build()?;
/// let text = "11111111-1111-4111-8111-111111111111.690222be-ff1a-4d56-abd1-7e4f7d38e474";
/// let refused = lost_device(&entra, &text.parse()?).await.unwrap_err();
/// assert_eq!((refused.status().as_u16(), refused.reason()), (503, "store_unavailable"));
/// # Ok(()) }
/// # #[cfg(not(feature = "redis"))] fn main() {}
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
