//! What replicas must agree on about an account.
//!
//! Cut-offs are held in memory by every replica, so that a request needs no call; only the record
//! of tokens that were used once, and answers about memberships that are shared, are asked for
//! elsewhere, where there is a store to ask.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod answers;
mod cutoffs;
mod event;
mod marks;
mod memory;
mod monotonic_clock;
mod notifier;
#[cfg(feature = "redis")]
mod place;
#[cfg(feature = "redis")]
mod redis;
mod replay_cache;
mod sessions;
#[cfg(feature = "redis")]
mod shared;
mod store;
#[cfg(feature = "redis")]
mod subscriber;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use uuid::Uuid;

use crate::authority::Backdate;
use crate::authority::issuer::first_guid;
use crate::claims::{AccountId, Claims};

use cutoffs::{Due, Revocations, Unproven};
use memory::Memory;
use sessions::SeenSessions;
use store::{Single, Store};

#[cfg(all(feature = "redis", test))]
pub(crate) use redis::Dial;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub(crate) use store::StoreUnavailable;
pub use store::{StoreFailurePolicy, StoreStatus};

pub(crate) use answers::{AnswerStore, ForgottenAt, MOST_APART};
pub(crate) use event::RevocationKey;
pub(crate) use store::Answer;

/// Cut-offs, sign-outs and replay records of one [`Entra`](crate::Entra) and its layers.
pub(crate) struct RevocationState {
    local: Arc<Revocations>,
    store: Arc<dyn Store>,
    /// Where replicas share answers, if they share anything.
    answers: Option<Arc<dyn AnswerStore>>,
    seen: SeenSessions,
}

/// What is known of a token that passed every other check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenStatus {
    Good,
    /// Issued before its account's or its session's cut-off.
    Revoked {
        cut_off: u64,
    },
    /// Other replicas may know more, and the policy for that case does not let it pass.
    Unknown,
}

/// The greatest number that every reader of JSON and of Lua takes for the same.
const GREATEST_EXACT: u64 = 1 << 53;

impl RevocationState {
    /// Kept only in this process.
    pub(crate) fn in_memory() -> Self {
        let local = Arc::new(Revocations::default());
        Self {
            store: Arc::new(Memory::new(Arc::clone(&local))),
            answers: None,
            local,
            seen: SeenSessions::default(),
        }
    }

    /// Shared with other replicas, whose clocks may be `skew` seconds apart. Must be called within
    /// a tokio runtime.
    ///
    /// # Errors
    /// [`ConfigError`](crate::ConfigError) for an address that cannot be one.
    #[cfg(feature = "redis")]
    pub(crate) fn shared(
        shared: RedisStore,
        clock: &crate::Clock,
        skew: u64,
    ) -> Result<Self, crate::ConfigError> {
        let local = Arc::new(Revocations::default());
        let store = redis::follow(shared, Arc::clone(&local), clock.clone(), skew)?;
        let store = Arc::new(store);
        Ok(Self {
            answers: Some(Arc::clone(&store) as _),
            store,
            local,
            seen: SeenSessions::default(),
        })
    }

    /// Where replicas share answers about accounts; `None` where they share nothing.
    pub(crate) fn answers(&self) -> Option<Arc<dyn AnswerStore>> {
        self.answers.clone()
    }

    /// Whether a token is still good; waits for nothing.
    ///
    /// What was revoked here holds whatever became of the store.
    pub(crate) fn standing(&self, claims: &Claims, backdate: &Backdate, now: u64) -> TokenStatus {
        if let Some(found) = self.local.look_up(claims, backdate) {
            if let Some((session, at)) = found.seen {
                // No request waits for it: if publishing fails, the next token repeats it.
                drop(self.store.publish(&session, at, true));
            }
            let cut_off = found.cut_off;
            return TokenStatus::Revoked { cut_off };
        }
        match self.store.lost() {
            None | Some(StoreFailurePolicy::DangerAllow) => TokenStatus::Good,
            Some(StoreFailurePolicy::Deny) => TokenStatus::Unknown,
            Some(StoreFailurePolicy::AllowIssuedWithin(age)) => {
                match backdate.issue_time(claims.issued_at().map(|time| time.as_secs())) {
                    Some(issued) if now.saturating_sub(issued) < age.as_secs() => TokenStatus::Good,
                    _ => TokenStatus::Unknown,
                }
            }
        }
    }

    /// Completes when the token is revoked, or its account signs out, here or elsewhere.
    ///
    /// A sign-out counts from this call on. Whether the store can be followed is not looked at.
    pub(crate) fn until_revoked(
        self: Arc<Self>,
        claims: Claims,
        backdate: Arc<Backdate>,
    ) -> impl Future<Output = ()> + use<> {
        // Now, and not when it is first polled: nothing in between may be missed.
        let mut ear = self.local.listen(&claims);
        let signed_out = self.local.sign_out_of(&claims);
        async move {
            while self.local.cut_off_of(&claims, &backdate).is_none()
                && self.local.sign_out_of(&claims) <= signed_out
            {
                ear.changed().await;
            }
        }
    }

    /// How long ago all that other replicas revoked was last known to be here.
    #[cfg(feature = "metrics")]
    pub(crate) fn behind(&self) -> Option<std::time::Duration> {
        self.store.behind()
    }

    /// Raises marks to their times: all of them here, before this returns. The others are informed by
    /// tasks of their own, whatever becomes of the future, which waits for them.
    ///
    /// # Errors
    /// [`StoreUnavailable`] where the others could not be informed; they will be.
    pub(crate) fn advance(
        &self,
        marks: Vec<(RevocationKey, u64)>,
        now: u64,
    ) -> impl Future<Output = Result<(), StoreUnavailable>> + Send + use<> {
        let mut forgotten = Vec::new();
        let effective = |(mark, at): (RevocationKey, u64)| {
            let at = self.local.effective(&mark, at.clamp(1, GREATEST_EXACT));
            (mark, at)
        };
        let marks: Vec<_> = marks.into_iter().map(effective).collect();
        for (mark, at) in &marks {
            let raised = self.local.advance(mark, *at, now);
            if raised
                && let RevocationKey::Account(account) | RevocationKey::Forgotten(account) = mark
            {
                forgotten.push(account.clone());
            }
        }
        // Published before the application is called, which may take its time.
        let told: Vec<_> = marks
            .iter()
            .map(|(mark, at)| self.store.publish(mark, *at, false))
            .collect();
        self.local.forget(&forgotten);
        async move {
            let mut all = Ok(());
            for told in told {
                all = all.and(told.wait().await);
            }
            all
        }
    }

    /// Refuses the account's tokens that were issued before `not_before`, here at once.
    ///
    /// # Errors
    /// As for [`raise`](Self::raise).
    pub(crate) async fn revoke(
        &self,
        account: &AccountId,
        not_before: u64,
        now: u64,
    ) -> Result<(), StoreUnavailable> {
        if not_before == 0 {
            return Ok(());
        }
        let mark = RevocationKey::Account(account.clone());
        self.advance(vec![(mark, not_before)], now).await
    }

    /// Lifts the cut-off of an account that is in force here, if there is one.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub(crate) async fn lift(&self, account: &AccountId, now: u64) -> Result<(), StoreUnavailable> {
        let Some(at) = self.local.in_force(account) else {
            return Ok(());
        };
        let mark = RevocationKey::Lifted(account.clone());
        self.advance(vec![(mark, at)], now).await
    }

    /// Refuses every token of a session that ended at that second, whenever it was issued.
    ///
    /// # Errors
    /// As for [`raise`](Self::raise).
    pub(crate) async fn revoke_session(
        &self,
        tenant: Uuid,
        session: &str,
        at: u64,
        now: u64,
    ) -> Result<(), StoreUnavailable> {
        let session = session.into();
        self.advance(vec![(RevocationKey::Session { tenant, session }, at)], now)
            .await
    }

    /// The same for a session of which there is no proof that it ended: only one that a valid
    /// token was seen of here is kept, and only so many.
    ///
    /// # Errors
    /// As for [`raise`](Self::raise), and where there is no room.
    pub(crate) async fn end_seen_session(
        &self,
        tenant: Uuid,
        session: &str,
        at: u64,
        now: u64,
    ) -> Result<(), StoreUnavailable> {
        if !self.seen.has(tenant, session) {
            return Ok(());
        }
        let session = session.into();
        let mark = RevocationKey::Session { tenant, session };
        match self.local.end_unproven(&mark, at.max(1), now) {
            Unproven::Ended => self.store.publish(&mark, at.max(1), false).wait().await,
            // Published when it ended, or as soon as that can be.
            Unproven::AlreadyEnded => Ok(()),
            Unproven::NoRoom => Err(StoreUnavailable),
        }
    }

    /// Takes note of a valid token that was not seen before.
    pub(crate) fn see(&self, claims: &Claims) {
        self.seen.see(claims);
    }

    /// Forgets what is kept of an account, here at once and elsewhere soon. Revokes nothing.
    ///
    /// Of many sign-outs of an account within a second the first one is published, and one for all
    /// others when the second is over.
    pub(crate) async fn sign_out(&self, account: &AccountId, now: u64) {
        let due = self.local.sign_out(account, now);
        // Without a runtime nothing can wait.
        let (second, runtime) = match (due, Handle::try_current()) {
            (Due::Nothing, _) => return,
            (Due::Then(second), Ok(runtime)) => (second, runtime),
            (Due::Now | Due::Then(_), _) => {
                // The store publishes later what it cannot publish now; the caller need not retry.
                let mark = RevocationKey::SignedOut(account.clone());
                let told = self.store.publish(&mark, now, true);
                self.local.forget(std::slice::from_ref(account));
                let _ = told.wait().await;
                return;
            }
        };
        let (local, store) = (Arc::clone(&self.local), Arc::clone(&self.store));
        let account = account.clone();
        let later = async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if local.take_due(&account, second) {
                let mark = RevocationKey::SignedOut(account.clone());
                let told = store.publish(&mark, second, true);
                local.forget(std::slice::from_ref(&account));
                let _ = told.wait().await;
            }
        };
        runtime.spawn(later);
    }

    /// Takes note that a token is used: `true` for the first time. `skew` is that of its authority:
    /// from `exp` and so many seconds on the token is refused as expired.
    ///
    /// `None` where the token has no identifier to be known by.
    pub(crate) fn first_use(&self, claims: &Claims, skew: u64, now: u64) -> Option<Answer<bool>> {
        let token = claims.token_id()?;
        // `exp` may have had a fraction.
        let until = claims
            .expires_at()
            .as_secs()
            .saturating_add(skew)
            .saturating_add(1);
        Some(self.store.first_use(Single::Token, &token, until, now))
    }

    /// Takes note that a signed HTTP request is used: `true` for the first time. It is refused for
    /// its age behind `until`.
    pub(crate) fn first_request(&self, id: &str, until: u64, now: u64) -> Answer<bool> {
        let id = format!("shr\n{id}");
        self.store.first_use(Single::Request, &id, until, now)
    }

    /// Calls `forget` with every account that signs out or is cut off, here or elsewhere.
    ///
    /// It must not own what owns these `RevocationState`, or neither will ever be dropped.
    pub(crate) fn on_forget(&self, forget: impl Fn(&AccountId) + Send + Sync + 'static) {
        self.local.on_forget(Box::new(forget));
    }

    /// The same for what this crate itself keeps of an account: called for each sign-out, also
    /// where many come within a second.
    pub(crate) fn on_forget_own(&self, forget: impl Fn(&[AccountId]) + Send + Sync + 'static) {
        self.local.on_forget_own(Box::new(forget));
    }

    pub(crate) fn status(&self) -> StoreStatus {
        let mut status = self.store.status();
        if status.last_error.is_none() && self.local.has_panicked() {
            status.last_error = Some("a hook given to on_sign_out panicked".to_owned());
        }
        status
    }
}

/// The tenant of an account: that of its object id, or the one that its issuer names.
pub(crate) fn tenant_of(account: &AccountId) -> Option<Uuid> {
    match account {
        AccountId::Entra {
            tenant_id: tenant, ..
        } => Some(*tenant),
        AccountId::Subject { issuer, .. } => first_guid(issuer).map(|(_, tenant)| tenant),
    }
}

impl Default for RevocationState {
    fn default() -> Self {
        Self::in_memory()
    }
}

impl fmt::Debug for RevocationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationState")
            .field("local", &self.local)
            .field("store", &self.store)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::claims::raw::RawClaims;

    /// A store that cannot be followed.
    #[derive(Debug)]
    struct Away(StoreFailurePolicy);

    impl Store for Away {
        fn publish(&self, _: &RevocationKey, _: u64, _: bool) -> Answer<()> {
            Answer::Now(Err(StoreUnavailable))
        }

        fn first_use(&self, _: Single, _: &str, _: u64, _: u64) -> Answer<bool> {
            Answer::Now(Err(StoreUnavailable))
        }

        fn lost(&self) -> Option<StoreFailurePolicy> {
            Some(self.0)
        }

        fn status(&self) -> StoreStatus {
            Memory::new(Arc::default()).status()
        }
    }

    #[test]
    fn every_mark_is_set_before_anybody_is_told() {
        let accounts = RevocationState {
            local: Arc::default(),
            answers: None,
            seen: SeenSessions::default(),
            store: Arc::new(Away(StoreFailurePolicy::DangerAllow)),
        };
        let of = |number| AccountId::Entra {
            tenant_id: Uuid::from_u128(1),
            object_id: Uuid::from_u128(number),
        };
        let marks = (1..=3).map(|number| (RevocationKey::Account(of(number)), 1_000));
        let told = accounts.advance(marks.collect(), 1_000);
        // The caller was dropped.
        drop(told);
        assert_eq!(
            accounts.status().revocation_count,
            0,
            "another store's status"
        );
        assert_eq!(accounts.local.len(), 3);
    }

    #[test]
    fn how_young_a_token_is_counts_from_its_time_of_issue() {
        const NOW: u64 = 1_800_000_000;
        let accounts = RevocationState {
            local: Arc::default(),
            answers: None,
            seen: SeenSessions::default(),
            store: Arc::new(Away(StoreFailurePolicy::AllowIssuedWithin(
                Duration::from_secs(300),
            ))),
        };
        let standing = |iat: &str, backdate| {
            let json = format!("{{\"exp\":9000000000{iat}}}");
            let draft = RawClaims::parse(json.as_bytes()).unwrap();
            let claims = draft.interpret().unwrap().into_claims(None, None, None);
            accounts.standing(&claims, &Backdate::of_seconds(backdate), NOW)
        };
        let said = |at: u64| format!(",\"iat\":{at}");
        // A token that Entra issues now, or has issued almost five minutes ago.
        assert_eq!(standing(&said(NOW - 300), 300), TokenStatus::Good);
        assert_eq!(standing(&said(NOW - 599), 300), TokenStatus::Good);
        assert_eq!(standing(&said(NOW - 600), 300), TokenStatus::Unknown);
        assert_eq!(standing(&said(NOW - 299), 0), TokenStatus::Good);
        assert_eq!(standing(&said(NOW - 300), 0), TokenStatus::Unknown);
        assert_eq!(standing("", 300), TokenStatus::Unknown);
    }
}
