//! What a store of revocations and replay records can do, wherever it is.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::event::RevocationKey;

/// Which tokens pass while the shared revocations cannot be followed; the others get 503.
///
/// Whatever is chosen, what this replica revoked itself stays revoked.
///
/// ```
/// use std::time::Duration;
/// use axum_entra::StoreFailurePolicy;
///
/// let ten_minutes = StoreFailurePolicy::AllowIssuedWithin(Duration::from_secs(600));
/// assert_eq!(StoreFailurePolicy::default(), ten_minutes);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFailurePolicy {
    /// None.
    Deny,
    /// Those that were issued (`iat` + `IssuedAtBackdateSeconds`) less than this long ago; a token
    /// without `iat` counts as old.
    AllowIssuedWithin(Duration),
    /// All of them: a revocation made elsewhere is missed. Said in the log at `error`, again and
    /// again until the store is back.
    DangerAllow,
}

impl Default for StoreFailurePolicy {
    /// Those of the last ten minutes.
    fn default() -> Self {
        Self::AllowIssuedWithin(Duration::from_secs(600))
    }
}

/// How the store of revocations and replay records is.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, Tenant};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
/// let status = entra.store_status();
/// assert!(status.connected && !status.is_shared);
/// assert_eq!(status.failure_policy, None);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStatus {
    /// Whether it is shared with other replicas.
    pub is_shared: bool,
    /// Whether every revocation that was made elsewhere more than four seconds ago is in force here.
    /// True where nothing is shared.
    pub connected: bool,
    /// What happens while it is not; `None` where nothing is shared.
    pub failure_policy: Option<StoreFailurePolicy>,
    /// Cut-offs that are held at the moment.
    pub revocation_count: usize,
    /// Why it could not be followed last, if it could not.
    pub last_error: Option<String>,
    /// How far the store's clock is from the local one, in seconds: the store's minus the local
    /// one. `None` where nothing is shared, and before the first answer. Where that is more than
    /// `ClockSkewSeconds`, this replica removes no old marks from the store.
    pub clock_offset_seconds: Option<i64>,
}

/// The store did not answer in time, or has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoreUnavailable;

/// An answer that is there, or one that has to be waited for.
pub(crate) enum Answer<T> {
    Now(Result<T, StoreUnavailable>),
    #[cfg_attr(
        not(any(feature = "redis", test)),
        expect(dead_code, reason = "memory answers at once")
    )]
    Later(Pin<Box<dyn Future<Output = Result<T, StoreUnavailable>> + Send>>),
}

impl<T> Answer<T> {
    pub(crate) async fn wait(self) -> Result<T, StoreUnavailable> {
        match self {
            Self::Now(answer) => answer,
            Self::Later(answer) => answer.await,
        }
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Answer::Now",
            Self::Later(_) => "Answer::Later",
        })
    }
}

/// What is good once. Each kind has a record of its own, so that the one cannot fill the other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Single {
    /// A token, on a route that accepts each once.
    Token,
    /// A signed HTTP request.
    Request,
}

/// In memory, or shared.
pub(super) trait Store: fmt::Debug + Send + Sync {
    /// Publishes what was raised here; `again` also where the others know it.
    fn publish(&self, mark: &RevocationKey, at: u64, again: bool) -> Answer<()>;

    /// Whether this was not used before; marks it as used until that time.
    fn first_use(&self, kind: Single, id: &str, until: u64, now: u64) -> Answer<bool>;

    /// What to do as long as what others revoke does not arrive here; `None` while it does.
    fn lost(&self) -> Option<StoreFailurePolicy>;

    /// How long ago all that others revoked was last known to be here; `None` where nothing is
    /// shared.
    #[cfg(feature = "metrics")]
    fn behind(&self) -> Option<Duration> {
        None
    }

    fn status(&self) -> StoreStatus;
}
