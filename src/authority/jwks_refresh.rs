//! How an authority's keys are fetched: how often, how long they are used, within which limits.

use std::time::Duration;

use crate::bounds::Bounds;
use crate::config_error::ConfigError;

/// How often keys are fetched, and how long they may be used when that fails.
///
/// Defaults follow Microsoft, "Signing key rollover in the Microsoft identity platform": look
/// hourly, and when a key is unknown; keep good keys for a day.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use std::time::Duration;
/// use axum_entra::{Authority, Entra, JwksRefresh, Tenant};
///
/// let with = |refresh: JwksRefresh| {
///     let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
///     let authority = Authority::entra(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
///     Entra::builder_for(authority.jwks_refresh(refresh)).build()
/// };
/// let half_hourly = JwksRefresh::default().interval(Duration::from_secs(1_800));
/// assert!(with(half_hourly).is_ok());
/// // Less than a minute is refused.
/// assert!(with(JwksRefresh::default().interval(Duration::from_secs(1))).is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwksRefresh {
    pub(crate) interval: Duration,
    pub(crate) unknown_kid_cooldown: Duration,
    /// `None`: a day, or twice `interval` where that is more.
    pub(crate) max_stale: Option<Duration>,
    pub(crate) withdrawal_grace: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_document_size: usize,
}

impl Default for JwksRefresh {
    fn default() -> Self {
        Self {
            interval: Self::REFRESH.seconds(),
            unknown_kid_cooldown: Self::COOLDOWN.seconds(),
            max_stale: None,
            withdrawal_grace: Self::WITHDRAWAL_GRACE.seconds(),
            timeout: Duration::from_millis(Self::TIMEOUT_MILLIS.default),
            max_document_size: Self::MAX_BYTES.size(),
        }
    }
}

impl JwksRefresh {
    /// In seconds.
    pub(crate) const REFRESH: Bounds = Bounds::new(60..=86_400, 3_600);
    /// In seconds.
    pub(crate) const COOLDOWN: Bounds = Bounds::new(1..=3_600, 30);
    /// In seconds; never less than twice the time between refreshes.
    pub(crate) const MAX_STALE: Bounds = Bounds::new(120..=604_800, 86_400);
    /// In seconds.
    pub(crate) const WITHDRAWAL_GRACE: Bounds = Bounds::new(0..=86_400, 7_200);
    pub(crate) const TIMEOUT_MILLIS: Bounds = Bounds::new(1..=600_000, 5_000);
    pub(crate) const MAX_BYTES: Bounds = Bounds::new(1..=1 << 30, 1_048_576);

    /// Time between two fetches in the background, less up to a tenth: 60 s to 24 h, 1 h by default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use std::time::Duration;
    /// use axum_entra::{Authority, Entra, JwksRefresh, Tenant};
    ///
    /// # let build = |refresh| {
    /// #     let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// #     let authority = Authority::entra(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
    /// #     Entra::builder_for(authority.jwks_refresh(refresh)).build()
    /// # };
    /// let every = |seconds| build(JwksRefresh::default().interval(Duration::from_secs(seconds)));
    /// assert!(every(60).is_ok() && every(86_400).is_ok());
    /// assert!(every(59).is_err() && every(86_401).is_err());
    /// # }
    /// ```
    #[must_use]
    pub fn interval(mut self, every: Duration) -> Self {
        self.interval = every;
        self
    }

    /// Least time between two fetches caused by unknown key ids: 1 s to 1 h, 30 s by default.
    /// Failed fetches count. A `Retry-After` of the authority lengthens it, up to 5 min.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use axum_entra::{Entra, JwksRefresh};
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let seldom = JwksRefresh::default().unknown_kid_cooldown(Duration::from_secs(3_600));
    /// let entra = Entra::builder_for(authority.jwks_refresh(seldom)).build()?;
    /// let forged = emulator.token().user("alice").scope("Todo.Read").key("no such key").mint();
    /// assert_eq!(entra.validate(&forged).await.unwrap_err().reason(), "unknown_key");
    /// let fetches = emulator.request_counts().keys;
    /// // However many there are of them, the next hour has no fetch for their sake.
    /// for _ in 0..100 {
    ///     assert_eq!(entra.validate(&forged).await.unwrap_err().reason(), "unknown_key");
    /// }
    /// assert_eq!(emulator.request_counts().keys, fetches);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn unknown_kid_cooldown(mut self, least: Duration) -> Self {
        self.unknown_kid_cooldown = least;
        self
    }

    /// How long keys are used after the last good fetch: from twice [`interval`](Self::interval) to
    /// 7 d; by default 24 h, or twice `interval` where that is more.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use std::time::Duration;
    /// use axum_entra::{Authority, Entra, JwksRefresh, Tenant};
    ///
    /// # let build = |refresh| {
    /// #     let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// #     let authority = Authority::entra(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
    /// #     Entra::builder_for(authority.jwks_refresh(refresh)).build()
    /// # };
    /// let hourly = JwksRefresh::default().interval(Duration::from_secs(3_600));
    /// assert!(build(hourly.max_stale(Duration::from_secs(7_200))).is_ok());
    /// // Less than twice the interval, more than a week.
    /// assert!(build(hourly.max_stale(Duration::from_secs(7_199))).is_err());
    /// assert!(build(hourly.max_stale(Duration::from_secs(604_801))).is_err());
    /// # }
    /// ```
    #[must_use]
    pub fn max_stale(mut self, most: Duration) -> Self {
        self.max_stale = Some(most);
        self
    }

    /// How long a key verifies tokens after the first answer that lacks it: up to 24 h, 2 h by
    /// default, 0 for not at all.
    ///
    /// Entra's key endpoint flaps: a key vanishes from one answer and is back in a later one. A key
    /// id that is in the new answer has no grace, whatever became of its key.
    /// [`Entra::forget_withdrawn_keys`](crate::Entra::forget_withdrawn_keys) ends it for all keys.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use axum_entra::{Entra, JwksRefresh};
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let refresh = JwksRefresh::default().withdrawal_grace(Duration::ZERO);
    /// let entra = Entra::builder_for(authority.jwks_refresh(refresh)).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read");
    /// let old = token.clone().mint();
    /// assert!(entra.validate(&old).await.is_ok());
    ///
    /// // The answer that brings the new key lacks the old one.
    /// emulator.rotate_keys();
    /// emulator.retire_old_keys();
    /// assert!(entra.validate(&token.mint()).await.is_ok());
    /// assert_eq!(entra.validate(&old).await.unwrap_err().reason(), "unknown_key");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn withdrawal_grace(mut self, time: Duration) -> Self {
        self.withdrawal_grace = time;
        self
    }

    /// How old keys may be.
    pub(crate) fn most_stale(&self) -> Duration {
        self.max_stale.unwrap_or_else(|| {
            Self::MAX_STALE
                .seconds()
                .max(self.interval.saturating_mul(2))
        })
    }

    /// Longest time one document may take: 1 ms to 10 min, 5 s by default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use axum_entra::{Entra, JwksRefresh};
    /// # use axum_entra::{Authority, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let authority = Authority::entra(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3");
    /// # let build = |refresh| Entra::builder_for(authority.clone().jwks_refresh(refresh)).build();
    /// // For an authority behind a slow line.
    /// let patient = JwksRefresh::default().timeout(Duration::from_secs(20));
    /// assert!(build(patient).is_ok());
    /// assert!(build(patient.timeout(Duration::ZERO)).is_err());
    /// assert!(build(patient.timeout(Duration::from_secs(601))).is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn timeout(mut self, most: Duration) -> Self {
        self.timeout = most;
        self
    }

    /// Greatest size of one document in bytes: up to 1 GiB, 1 MiB by default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, JwksRefresh};
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let small = JwksRefresh::default().max_document_size(100);
    /// let entra = Entra::builder_for(authority.jwks_refresh(small)).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// assert!(entra.validate(&token).await.unwrap_err().is_unavailable());
    /// let status = entra.status();
    /// let v2 = status[0].jwks.iter().find(|document| document.name == "2.0").unwrap();
    /// assert_eq!(v2.last_error.as_ref().unwrap().kind(), "too_large");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn max_document_size(mut self, most: usize) -> Self {
        self.max_document_size = most;
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        Self::REFRESH.check("Keys:RefreshSeconds", self.interval.as_secs())?;
        Self::COOLDOWN.check("Keys:CooldownSeconds", self.unknown_kid_cooldown.as_secs())?;
        let (least, most) = (
            self.interval.as_secs().saturating_mul(2),
            Self::MAX_STALE.most,
        );
        let stale = self.most_stale().as_secs();
        if !(least..=most).contains(&stale) {
            let expected =
                format!("a whole number from {least}, which is twice RefreshSeconds, to {most}");
            return Err(ConfigError::value("Keys:MaxStaleSeconds", stale, &expected));
        }
        let grace = self.withdrawal_grace.as_secs();
        Self::WITHDRAWAL_GRACE.check("Keys:WithdrawalGraceSeconds", grace)?;
        let millis = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        Self::TIMEOUT_MILLIS.check("Keys:TimeoutMillis", millis)?;
        let bytes = u64::try_from(self.max_document_size).unwrap_or(u64::MAX);
        Self::MAX_BYTES.check("Keys:MaxBytes", bytes)
    }
}
