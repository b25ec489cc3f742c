//! What an application does for accounts and hears of them: revoke, sign out, listen.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::claims::AccountId;
use crate::middleware::{
    BackChannelLogoutService, FrontChannelLogoutService, SecurityEventReceiver, SignOutService,
    StoreError,
};
use crate::revocation::{StoreStatus, StoreUnavailable, tenant_of};

use super::Entra;
#[cfg(doc)]
use super::EntraBuilder;
#[cfg(doc)]
use crate::authority::Authority;

impl Entra {
    /// Refuses an account's tokens that were issued before a time, from now on and for good: a
    /// later call raises the time or does nothing.
    ///
    /// When a token was issued is its `iat` plus [`Authority::issued_at_backdate`], since Entra ID
    /// writes `iat` five minutes early. A fraction of a second counts as the whole one. A token
    /// issued at that very second passes;
    /// one that does not say when it was issued does not. Use it where an event and its time are known and newer tokens
    /// are good (a password change that Entra reports), by the authority's clock where that is
    /// known: tokens carry its time. For a lost device or a stolen token use
    /// [`revoke_tokens`](Self::revoke_tokens): what a thief got since then is newer. The cut-off is forgotten two days after its time, when no older token can be
    /// alive.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::{Duration, SystemTime};
    /// use axum_entra::RevokeError;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let account = entra.validate(&token).await?.account_id().unwrap();
    /// let hour = Duration::from_secs(3_600);
    ///
    /// // The password was changed an hour ago, and the token is newer.
    /// entra.revoke_tokens_issued_before(&account, SystemTime::now() - hour).await?;
    /// assert!(entra.validate(&token).await.is_ok());
    /// entra.revoke_tokens_issued_before(&account, SystemTime::now() + hour).await?;
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "revoked");
    ///
    /// let in_two_days = SystemTime::now() + 48 * hour;
    /// let refused = entra.revoke_tokens_issued_before(&account, in_two_days).await;
    /// assert!(matches!(refused, Err(RevokeError::TooFarAhead)));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`RevokeError::TooFarAhead`] for a time that is more than a day ahead: nothing is revoked,
    /// here neither. [`RevokeError::NotShared`] where other replicas could not be informed: here the
    /// cut-off holds all the same, and the others are informed as soon as they can be.
    pub async fn revoke_tokens_issued_before(
        &self,
        account: &AccountId,
        not_before: SystemTime,
    ) -> Result<(), RevokeError> {
        let now = self.edge.clock.seconds();
        let not_before = whole_seconds(not_before);
        let latest = self.validator.cut_off_now(tenant_of(account), now);
        if not_before > latest.saturating_add(DAY) {
            return Err(RevokeError::TooFarAhead);
        }
        let told = self.edge.accounts.revoke(account, not_before, now).await;
        self.shared(told).map_err(RevokeError::NotShared)
    }

    /// Refuses an account's tokens that were issued before this second ends, by the clock of the
    /// account's own authority.
    ///
    /// A client that has a refresh token gets new ones: revoke the sessions in Entra first
    /// ([`GraphClient::revoke_sessions`](crate::GraphClient::revoke_sessions)) and call this again
    /// some minutes later, since Entra needs that long; or block the account.
    ///
    /// That clock is known from the `Date` of the answers that bring its keys
    /// ([`AuthorityStatus::clock_offset_seconds`](crate::AuthorityStatus)). It is used where it is
    /// ahead of the local one by a day at most, or behind by `ClockSkewSeconds` at most; else the
    /// local clock is.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let account = entra.validate(&token).await?.account_id().unwrap();
    /// entra.revoke_tokens(&account).await?;
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "revoked");
    /// // Other accounts are not affected.
    /// let other = emulator.token().user("bob").scope("Todo.Read").mint();
    /// assert!(entra.validate(&other).await.is_ok());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] where other replicas could not be informed. Here the
    /// cut-off holds all the same, and the others are informed as soon as they can be.
    pub async fn revoke_tokens(&self, account: &AccountId) -> Result<(), StoreError> {
        let now = self.edge.clock.seconds();
        let cut_off = self.validator.cut_off_now(tenant_of(account), now);
        self.shared(self.edge.accounts.revoke(account, cut_off, now).await)
    }

    /// The same with what a refusal has to know of this `Entra`.
    fn shared(&self, told: Result<(), StoreUnavailable>) -> Result<(), StoreError> {
        told.map_err(|StoreUnavailable| StoreError::new(&self.edge))
    }

    /// Lifts the revocation of an account that is in force on this replica: one that was made by
    /// mistake. The account's tokens are accepted again, by the other replicas as soon as they
    /// hear of it. Does nothing where the account is not revoked.
    ///
    /// A later revocation holds, at whatever time: one with a time before the lifted one refuses
    /// all tokens issued up to the lifted one. A replica that makes a revocation before it hears
    /// that one of the same second was lifted has that one lifted, too. A security event or a
    /// logout that is sent again after it was lifted revokes again.
    ///
    /// Lifts the revocation under the name that is given ([`AccountId`]), not those of a subject
    /// under another name, and no end of a session. It does not reset anything in Microsoft Entra.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let account = entra.validate(&token).await?.account_id().unwrap();
    /// entra.revoke_tokens(&account).await?;
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "revoked");
    /// entra.lift_revocation(&account).await?;
    /// assert!(entra.validate(&token).await.is_ok());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] where other replicas could not be informed. Here the
    /// lift holds all the same, and the others are informed as soon as they can be.
    pub async fn lift_revocation(&self, account: &AccountId) -> Result<(), StoreError> {
        let now = self.edge.clock.seconds();
        self.shared(self.edge.accounts.lift(account, now).await)
    }

    /// Refuses the tokens of one session (`sid`) in a tenant, whenever they were issued.
    ///
    /// Tokens without `sid` are not touched: Entra puts it into access tokens where the client
    /// asked for the optional claim.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let of_session = |sid: &str| {
    ///     emulator.token().user("alice").scope("Todo.Read").claim("sid", sid).mint()
    /// };
    /// let claims = entra.validate(&of_session("telephone")).await?;
    /// entra.revoke_session(claims.tenant_id().unwrap(), "telephone").await?;
    /// assert!(entra.validate(&of_session("telephone")).await.is_err());
    /// assert!(entra.validate(&of_session("desktop")).await.is_ok());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As for [`revoke_tokens`](Self::revoke_tokens).
    pub async fn revoke_session(
        &self,
        tenant: uuid::Uuid,
        session: &str,
    ) -> Result<(), StoreError> {
        let now = self.edge.clock.seconds();
        let at = self.validator.cut_off_now(Some(tenant), now);
        let accounts = &self.edge.accounts;
        self.shared(accounts.revoke_session(tenant, session, at, now).await)
    }

    /// Forgets what is kept of an account, here and on other replicas: verified tokens,
    /// memberships, tokens held on its behalf, and what [`EntraBuilder::on_sign_out`] was given.
    ///
    /// Touches no other account, may be called any number of times, and revokes nothing: a token
    /// that is still good is good the next time it comes. A replica that cannot be informed is informed
    /// later. Of many calls for one account within a second the first takes effect at once, and one
    /// more for all others when the second is over; each ends what is open ([`TokenExpiry`](crate::TokenExpiry)).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let account = entra.validate(&token).await?.account_id().unwrap();
    /// entra.remove_account(&account).await;
    /// // Forgotten, not revoked.
    /// assert!(entra.validate(&token).await.is_ok());
    /// # Ok(()) }
    /// ```
    pub async fn remove_account(&self, account: &AccountId) {
        let now = self.edge.clock.seconds();
        self.edge.accounts.sign_out(account, now).await;
    }

    /// A service that forgets the caller's account, as [`remove_account`](Self::remove_account) does, and answers 204.
    ///
    /// For a route inside [`layer`](Self::layer): it takes the account from the token. An
    /// application that keeps a session of its own calls `remove_account` in its post-logout callback.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request};
    /// use entra_emulator::Emulator;
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let app: Router = Router::new()
    ///     .route_service("/sign-out", entra.sign_out_service())
    ///     .route_layer(entra.layer());
    ///
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let own = Request::post("/sign-out").header("authorization", format!("Bearer {token}"));
    /// assert_eq!(app.clone().oneshot(own.body(Body::empty())?).await?.status(), 204);
    /// let without = Request::post("/sign-out").body(Body::empty())?;
    /// assert_eq!(app.oneshot(without).await?.status(), 401);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn sign_out_service(&self) -> SignOutService {
        SignOutService::new(Arc::clone(&self.state))
    }

    /// A service that takes logout tokens (OpenID Connect Back-Channel Logout 1.0) of the
    /// authorities, for a route of its own outside the layer.
    ///
    /// A token with `sid` ends that session; with `sub` only, all tokens of that subject issued
    /// before it. Answers 200, 400, and 503 while keys or the store are out of reach. A message
    /// that comes twice changes nothing, so `jti` must be there and is not recorded.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request};
    /// use axum_entra::{Entra, Tenant};
    /// use tower::ServiceExt;
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).build()?;
    /// // Outside of the layer: the authority calls it, without an access token.
    /// let app: Router = Router::new().route_service("/logout", entra.back_channel_logout());
    /// let forged = Request::post("/logout")
    ///     .header("content-type", "application/x-www-form-urlencoded")
    ///     .body(Body::from("logout_token=a.b.c"))?;
    /// assert_eq!(app.oneshot(forged).await?.status(), 400);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn back_channel_logout(&self) -> BackChannelLogoutService {
        BackChannelLogoutService::new(Arc::clone(&self.state))
    }

    /// A service for the page that the authority loads in a frame when a user signs out (OpenID
    /// Connect Front-Channel Logout 1.0), for a route of its own outside the layer.
    ///
    /// Ends the session `sid` of the issuer `iss`, if a valid token of it was seen by this replica.
    /// Nothing proves who sent the browser there: a client that knows a session's id can end it.
    /// Answers 200 for a session that is not known too, 400 for an issuer that no authority here
    /// has, and 503 while the store is out of reach. Access tokens without `sid` are not affected.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request};
    /// use entra_emulator::{CONTOSO, Emulator};
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let app: Router = Router::new().route_service("/signed-out", entra.front_channel_logout());
    /// let token = emulator.token().user("alice").scope("Todo.Read").claim("sid", "telephone").mint();
    /// entra.validate(&token).await?;
    ///
    /// let signed_out = |issuer: &str| {
    ///     Request::get(format!("/signed-out?sid=telephone&iss={issuer}")).body(Body::empty())
    /// };
    /// let other = signed_out("https://issuer.example/")?;
    /// assert_eq!(app.clone().oneshot(other).await?.status(), 400);
    /// let own = signed_out(&emulator.issuer(CONTOSO))?;
    /// assert_eq!(app.oneshot(own).await?.status(), 200);
    /// assert!(entra.validate(&token).await.is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn front_channel_logout(&self) -> FrontChannelLogoutService {
        FrontChannelLogoutService::new(Arc::clone(&self.state))
    }

    /// A service that takes security events (RFC 8935) of the transmitters named with
    /// [`EntraBuilder::security_event_transmitter`], for a route of its own outside the layer.
    ///
    /// `session-revoked`, `credential-change` and `token-claims-change` of the Continuous Access
    /// Evaluation Profile refuse the account's tokens issued before the event. Subjects are given
    /// by issuer and subject, by an object id with its tenant, or by a session's id; others are
    /// refused with 400, since what cannot be done must not pass for done. Events of other kinds
    /// are taken and change nothing. Whether the sender may talk to this route at all is not
    /// checked: events are believed for their signature.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request};
    /// use axum_entra::{Entra, SecurityEventTransmitter, Tenant};
    /// use tower::ServiceExt;
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let signals = SecurityEventTransmitter::new("https://ssf.example.com/", "https://api.example.com");
    /// let entra = Entra::builder(tenant, client_id).security_event_transmitter(signals).build()?;
    /// let app: Router = Router::new().route_service("/events", entra.security_event_receiver());
    /// let unsigned = Request::post("/events")
    ///     .header("content-type", "application/secevent+jwt")
    ///     .body(Body::from("not a token"))?;
    /// assert_eq!(app.oneshot(unsigned).await?.status(), 400);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn security_event_receiver(&self) -> SecurityEventReceiver {
        SecurityEventReceiver::new(Arc::clone(&self.state))
    }

    /// How the store of revocations and replay records is.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let builder = || Entra::builder(tenant.clone(), client_id);
    /// // In memory: nothing to connect to, and nothing that other replicas hear of.
    /// let single = builder().build()?.store_status();
    /// assert!(single.connected && !single.is_shared);
    ///
    /// # #[cfg(feature = "redis")] {
    /// use axum_entra::{RedisStore, StoreFailurePolicy};
    /// let redis = RedisStore::new("redis://127.0.0.1:1/", StoreFailurePolicy::Deny);
    /// let out_of_reach = builder().redis(redis).build()?.store_status();
    /// assert!(out_of_reach.is_shared && !out_of_reach.connected);
    /// # }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn store_status(&self) -> StoreStatus {
        self.edge.accounts.status()
    }
}

/// Why an account was not revoked, or not everywhere.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use std::time::{Duration, SystemTime};
/// use axum_entra::{AccountId, Entra, RevokeError, Tenant};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
/// let text = "11111111-1111-4111-8111-111111111111.690222be-ff1a-4d56-abd1-7e4f7d38e474";
/// let account: AccountId = text.parse().unwrap();
///
/// let next_week = SystemTime::now() + Duration::from_secs(7 * 86_400);
/// let refused = entra.revoke_tokens_issued_before(&account, next_week).await;
/// assert!(matches!(refused, Err(RevokeError::TooFarAhead)));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// The time is more than a day ahead: the account's tokens would be rejected until then.
    #[error("the cut-off is more than a day ahead of now")]
    TooFarAhead,
    /// It holds here, and other replicas could not be informed yet.
    #[error("other replicas could not be informed of the revocation yet")]
    NotShared(#[source] StoreError),
}

/// How far ahead a cut-off may be, in seconds.
const DAY: u64 = 86_400;

/// Seconds since 1970-01-01 UTC, a begun one counting as whole.
fn whole_seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let begun = u64::from(since.subsec_nanos() > 0);
    since.as_secs().saturating_add(begun)
}
