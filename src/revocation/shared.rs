//! The store that replicas share, as requests see it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
#[cfg(feature = "metrics")]
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::answers::{AnswerStore, ForgottenAt, MOST_APART};
use super::cutoffs::Revocations;
use super::event::RevocationKey;
use super::redis::RedisClient;
use super::replay_cache::Replays;
use super::store::{Answer, Single, Store, StoreFailurePolicy, StoreStatus, StoreUnavailable};
use crate::claims::AccountId;
use crate::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use crate::sync::{Mutex, watch};
use crate::tasks::{Panicked, unwinding};

/// The shared store, as one replica has it. The task that follows ends with it.
#[derive(Debug)]
pub(super) struct RedisRevocations {
    pub(super) link: Arc<RedisClient>,
    pub(super) local: Arc<Revocations>,
    /// What was used here, for a store that loses its records.
    replays: Arc<Replays>,
    /// The same for signed HTTP requests.
    requests: Arc<Replays>,
    pub(super) state: Arc<State>,
    on_loss: StoreFailurePolicy,
    /// Whether there are answers to be removed with what is forgotten.
    shares_answers: AtomicBool,
    pub(super) runtime: Handle,
    _alive: watch::Sender<()>,
}

impl RedisRevocations {
    /// The task that follows ends when what is returned is dropped.
    pub(super) fn new(
        link: RedisClient,
        local: Arc<Revocations>,
        on_loss: StoreFailurePolicy,
        runtime: Handle,
    ) -> (Self, watch::Receiver<()>) {
        let (alive, ended) = watch::channel(());
        let shared = Self {
            link: Arc::new(link),
            local,
            replays: Arc::default(),
            requests: Arc::new(Replays::of_requests()),
            state: Arc::new(State::new()),
            on_loss,
            shares_answers: AtomicBool::default(),
            runtime,
            _alive: alive,
        };
        (shared, ended)
    }
}

/// What the task and the requests tell each other.
#[derive(Debug)]
pub(super) struct State {
    pub(super) following: AtomicBool,
    /// Something was raised here that the others were not informed of.
    pub(super) has_unpublished: AtomicBool,
    last_error: Mutex<Option<String>>,
    /// The store's clock minus the local one in seconds, as measured last.
    clock_offset: AtomicI64,
    /// Whether the two are too far apart.
    apart: AtomicBool,
    /// When all that the others raised was last known to be here; at first the start.
    complete: Mutex<Instant>,
}

impl State {
    fn new() -> Self {
        Self {
            following: AtomicBool::default(),
            has_unpublished: AtomicBool::default(),
            last_error: Mutex::default(),
            clock_offset: AtomicI64::new(NEVER),
            apart: AtomicBool::default(),
            complete: Mutex::new(Instant::now()),
        }
    }

    pub(super) fn failed(&self, why: String) {
        let mut last = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(why);
    }

    fn clock_offset(&self) -> Option<i64> {
        let offset = self.clock_offset.load(Ordering::Relaxed);
        (offset != NEVER).then_some(offset)
    }

    /// Takes note that the others were not informed of something that was raised here.
    pub(super) fn is_untold(&self) {
        self.has_unpublished.store(true, Ordering::Release);
    }

    /// All that is known here, for a store that may lack some of it. What is raised from here on
    /// publishes itself, or is [untold](Self::is_untold).
    pub(super) fn to_tell(&self, local: &Revocations) -> HashMap<RevocationKey, u64> {
        self.has_unpublished.store(false, Ordering::Release);
        local.all().into_iter().collect()
    }

    pub(super) fn is_complete(&self, at: Instant) {
        *self.complete.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    pub(super) fn complete(&self) -> Instant {
        *self.complete.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the local clock and the store's are near enough for anything to be called old.
    pub(super) fn compare_clocks(&self, store: u64, local: u64, skew: u64) -> bool {
        let signed = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let offset = signed(store).saturating_sub(signed(local));
        self.clock_offset.store(offset, Ordering::Relaxed);
        let apart = store.abs_diff(local) > skew;
        let before = self.apart.swap(apart, Ordering::Relaxed);
        if apart && !before {
            tracing::error!(
                clock_offset_seconds = offset,
                "the clocks of this replica and of the shared store are too far apart: this \
                 replica removes nothing that is old"
            );
        } else if before && !apart {
            tracing::info!("the clocks of this replica and of the shared store agree again");
        }
        !apart
    }
}

/// Has a mark published later unless it was published: also where the task that was to do so panics, and where
/// its runtime has ended.
struct Unpublished(Option<Arc<State>>);

impl Unpublished {
    fn told(mut self) {
        self.0 = None;
    }
}

impl Drop for Unpublished {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            state.is_untold();
        }
    }
}

impl Store for RedisRevocations {
    fn publish(&self, mark: &RevocationKey, at: u64, again: bool) -> Answer<()> {
        if again && !self.state.following.load(Ordering::Acquire) {
            // Published when the store is back, by a resync: it may be back on the same connection.
            // No caller may wait for that.
            self.state.is_untold();
            return Answer::Now(Err(StoreUnavailable));
        }
        if self.shares_answers.load(Ordering::Relaxed)
            && let Some(account) = mark.forgets()
        {
            self.remove(account);
        }
        let (link, state, text) = (
            Arc::clone(&self.link),
            Arc::clone(&self.state),
            mark.to_text(),
        );
        // A task, since a client that goes away must not take the news with it.
        let unpublished = Unpublished(Some(state));
        let told = self.runtime.spawn(async move {
            let publishing = async {
                let marks = [(text, at)];
                link.advance(&marks, again).await
            };
            match unwinding("publish", publishing).await {
                Ok(Ok(())) => {
                    unpublished.told();
                    Ok(())
                }
                Ok(Err(_)) | Err(Panicked) => Err(StoreUnavailable),
            }
        });
        Answer::Later(Box::pin(async move {
            told.await.unwrap_or(Err(StoreUnavailable))
        }))
    }

    fn first_use(&self, kind: Single, id: &str, until: u64, now: u64) -> Answer<bool> {
        let replays = match kind {
            Single::Token => &self.replays,
            Single::Request => &self.requests,
        };
        if replays.has(id) {
            return Answer::Now(Ok(false));
        }
        // A clock that has jumped ahead must not shorten the record that all share.
        let left = until.saturating_sub(replays.aged(now));
        let left = left.saturating_add(OTHER_CLOCKS);
        let (link, replays, id) = (Arc::clone(&self.link), Arc::clone(replays), id.to_owned());
        Answer::Later(Box::pin(async move {
            let first = link
                .first_use(&id, left)
                .await
                .map_err(|_| StoreUnavailable)?;
            // No room here is no harm: the store has the record.
            let _ = replays.first_use(&id, until, now);
            Ok(first)
        }))
    }

    fn lost(&self) -> Option<StoreFailurePolicy> {
        (!self.state.following.load(Ordering::Acquire)).then_some(self.on_loss)
    }

    #[cfg(feature = "metrics")]
    fn behind(&self) -> Option<Duration> {
        Some(self.state.complete().elapsed())
    }

    fn status(&self) -> StoreStatus {
        StoreStatus {
            is_shared: true,
            connected: self.state.following.load(Ordering::Acquire),
            failure_policy: Some(self.on_loss),
            revocation_count: self.local.len(),
            last_error: self
                .state
                .last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            clock_offset_seconds: self.state.clock_offset(),
        }
    }
}

impl AnswerStore for RedisRevocations {
    fn begin(&self) {
        self.shares_answers.store(true, Ordering::Relaxed);
    }

    fn forgotten_at(&self, account: &AccountId) -> Option<ForgottenAt> {
        let follows = self.state.following.load(Ordering::Acquire);
        let offset = self.state.clock_offset();
        let agrees = offset.is_some_and(|offset| offset.unsigned_abs() <= MOST_APART);
        (follows && agrees)
            .then(|| self.local.forgotten_at(account))
            .flatten()
            .map(ForgottenAt)
    }

    fn read(&self, account: &AccountId, names: Vec<String>) -> Answer<Vec<Option<Vec<u8>>>> {
        let (link, account) = (Arc::clone(&self.link), account.to_string());
        Answer::Later(Box::pin(async move {
            let found = link.answers(&account, &names).await;
            found.map_err(|_| StoreUnavailable)
        }))
    }

    fn write(
        &self,
        account: &AccountId,
        entries: Vec<(String, Vec<u8>)>,
        seconds: u64,
    ) -> Answer<()> {
        let (link, account) = (Arc::clone(&self.link), account.to_string());
        Answer::Later(Box::pin(async move {
            let kept = link.keep_answers(&account, &entries, seconds).await;
            kept.map_err(|_| StoreUnavailable)
        }))
    }

    fn remove(&self, account: &AccountId) {
        let (link, account) = (Arc::clone(&self.link), account.to_string());
        self.runtime.spawn(async move {
            // What stays is not taken, and gone when its time is over.
            let _ = link.remove_answers(&account).await;
        });
    }
}

/// Replicas' clocks may be apart: so many seconds longer the store keeps what was used.
const OTHER_CLOCKS: u64 = 600;

/// The clocks were not compared yet.
const NEVER: i64 = i64::MIN;
