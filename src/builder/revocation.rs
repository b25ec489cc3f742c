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
    /// one that does not say when it was issued does not. Revoke with the time of the event (a
    /// password change, a lost device), by the authority's clock where that is known: tokens carry
    /// its time. The cut-off is forgotten two days after its time, when no older token can be
    /// alive.
    ///
    /// ```
    /// # async fn lost(entra: &axum_entra::Entra, account: &axum_entra::AccountId)
    /// # -> Result<(), axum_entra::RevokeError> {
    /// use std::time::{Duration, SystemTime};
    /// let an_hour_ago = SystemTime::now() - Duration::from_secs(3_600);
    /// entra.revoke_tokens_issued_before(account, an_hour_ago).await
    /// # }
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
    /// That clock is known from the `Date` of the answers that bring its keys
    /// ([`AuthorityStatus::clock_offset_seconds`](crate::AuthorityStatus)). It is used where it is
    /// ahead of the local one by a day at most, or behind by `ClockSkewSeconds` at most; else the
    /// local clock is.
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
    /// # async fn undo(entra: &axum_entra::Entra, account: &axum_entra::AccountId)
    /// # -> Result<(), axum_entra::StoreError> {
    /// entra.revoke_tokens(account).await?;
    /// entra.lift_revocation(account).await
    /// # }
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
    pub async fn remove_account(&self, account: &AccountId) {
        let now = self.edge.clock.seconds();
        self.edge.accounts.sign_out(account, now).await;
    }

    /// A service that forgets the caller's account, as [`remove_account`](Self::remove_account) does, and answers 204.
    ///
    /// For a route inside [`layer`](Self::layer): it takes the account from the token. An
    /// application that keeps a session of its own calls `remove_account` in its post-logout callback.
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
    #[must_use]
    pub fn back_channel_logout(&self) -> BackChannelLogoutService {
        BackChannelLogoutService::new(Arc::clone(&self.state))
    }

    /// A service for the page that the authority loads in a frame when a user signs out (OpenID
    /// Connect Front-Channel Logout 1.0), for a route of its own outside the layer.
    ///
    /// Ends the session `sid` of the issuer `iss`, if a valid token of it was seen by this replica.
    /// Nothing proves who sent the browser there: a client that knows a session's id can end it.
    /// Answers 200 for a session that is not known, too. Access tokens without `sid` are not
    /// touched.
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
    #[must_use]
    pub fn security_event_receiver(&self) -> SecurityEventReceiver {
        SecurityEventReceiver::new(Arc::clone(&self.state))
    }

    /// How the store of revocations and replay records is.
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
