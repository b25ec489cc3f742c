//! Following the shared store: the task that listens, and the store it makes of it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::clock::Clock;
use crate::config_error::ConfigError;

use super::events::Mark;
use super::redis::{BATCH, Entry, Link, Lost, News, Place};
use super::replays::Replays;
use super::revocations::{Revocations, is_kept};
use super::store::{Answer, OnLoss, Store, StoreStatus, StoreUnavailable};

/// The shared store, as one replica has it. The task that follows ends with it.
#[derive(Debug)]
pub(super) struct Shared {
    link: Arc<Link>,
    local: Arc<Revocations>,
    /// What was used here, for a store that loses its records.
    replays: Arc<Replays>,
    state: Arc<State>,
    on_loss: OnLoss,
    runtime: Handle,
    _alive: watch::Sender<()>,
}

/// What the task and the requests tell each other.
#[derive(Debug)]
struct State {
    following: AtomicBool,
    /// Something was raised here that the others were not told of.
    untold: AtomicBool,
    last_error: Mutex<Option<String>>,
    /// When all that the others raised was last known to be here; at first the start.
    complete: Mutex<Instant>,
}

impl State {
    fn new() -> Self {
        Self {
            following: AtomicBool::default(),
            untold: AtomicBool::default(),
            last_error: Mutex::default(),
            complete: Mutex::new(Instant::now()),
        }
    }

    fn is_complete(&self) {
        *self.complete.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

struct Follower {
    link: Arc<Link>,
    local: Arc<Revocations>,
    state: Arc<State>,
    clock: Clock,
    on_loss: OnLoss,
}

/// Pauses between attempts: the first one and the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often a loss is said again.
const REMINDER: Duration = Duration::from_secs(30);

/// Starts the task.
pub(super) fn spawn(
    link: Link,
    local: Arc<Revocations>,
    clock: Clock,
    on_loss: OnLoss,
) -> Result<Shared, ConfigError> {
    let runtime = Handle::try_current().map_err(|_| ConfigError::NoRuntime)?;
    let (alive, ended) = watch::channel(());
    let shared = Shared {
        link: Arc::new(link),
        local,
        replays: Arc::default(),
        state: Arc::new(State::new()),
        on_loss,
        runtime,
        _alive: alive,
    };
    let follower = Follower {
        link: Arc::clone(&shared.link),
        local: Arc::clone(&shared.local),
        state: Arc::clone(&shared.state),
        clock,
        on_loss,
    };
    shared.runtime.spawn(follower.run(ended));
    Ok(shared)
}

impl Store for Shared {
    fn publish(&self, mark: &Mark, at: u64) -> Answer<()> {
        let tell = matches!(mark, Mark::SignedOut(_));
        if tell && !self.state.following.load(Ordering::Acquire) {
            // Told when the store is back; nobody is to wait for that.
            return Answer::Now(Err(StoreUnavailable));
        }
        let (link, state, text) = (
            Arc::clone(&self.link),
            Arc::clone(&self.state),
            mark.to_text(),
        );
        // A task, since a client that goes away must not take the news with it.
        let told = self.runtime.spawn(async move {
            let told = link.raise(&text, at, tell).await;
            if told.is_err() {
                state.untold.store(true, Ordering::Release);
            }
            told
        });
        Answer::Later(Box::pin(async move {
            match told.await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(StoreUnavailable),
            }
        }))
    }

    fn first_use(&self, id: &str, until: u64, now: u64) -> Answer<bool> {
        if self.replays.has(id) {
            return Answer::Now(Ok(false));
        }
        // A clock that has jumped ahead must not shorten the record that all share.
        let left = until.saturating_sub(self.replays.aged(now));
        let (link, replays, id) = (
            Arc::clone(&self.link),
            Arc::clone(&self.replays),
            id.to_owned(),
        );
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

    fn lost(&self) -> Option<OnLoss> {
        (!self.state.following.load(Ordering::Acquire)).then_some(self.on_loss)
    }

    #[cfg(feature = "metrics")]
    fn behind(&self) -> Option<Duration> {
        let complete = self.state.complete.lock();
        Some(complete.unwrap_or_else(PoisonError::into_inner).elapsed())
    }

    fn status(&self) -> StoreStatus {
        StoreStatus {
            shared: true,
            following: self.state.following.load(Ordering::Acquire),
            on_loss: Some(self.on_loss),
            cut_offs: self.local.len(),
            last_error: self
                .state
                .last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }
}

impl Follower {
    /// Follows until the store's owner is gone.
    async fn run(self, mut ended: watch::Receiver<()>) {
        let mut pause = SHORTEST_PAUSE;
        let mut said: Option<Instant> = None;
        loop {
            let lost = tokio::select! {
                biased;
                _ = ended.changed() => break,
                lost = self.follow() => lost,
            };
            if self.state.following.swap(false, Ordering::AcqRel) {
                pause = SHORTEST_PAUSE;
                said = None;
            }
            self.link.disconnect().await;
            if said.is_none_or(|said| said.elapsed() >= REMINDER) {
                said = Some(Instant::now());
                self.report(&lost);
            }
            *self
                .state
                .last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(lost.to_string());
            tokio::select! {
                biased;
                _ = ended.changed() => break,
                () = sleep(pause.mul_f64(0.5 + fastrand::f64())) => {}
            }
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    fn report(&self, lost: &Lost) {
        match self.on_loss {
            OnLoss::Allow => tracing::error!(
                error = %lost,
                "the shared store is out of reach: tokens that were revoked elsewhere pass"
            ),
            on_loss => tracing::warn!(
                error = %lost,
                ?on_loss,
                "the shared store is out of reach"
            ),
        }
    }

    async fn follow(&self) -> Lost {
        match self.listen().await {
            Err(lost) => lost,
            Ok(never) => match never {},
        }
    }

    async fn listen(&self) -> Result<Infallible, Lost> {
        let mut news = self.link.news().await?;
        loop {
            let (mut place, mut last) = self.agree(&mut news).await?;
            if !self.state.following.swap(true, Ordering::AcqRel) {
                tracing::info!("following the shared store");
            }
            self.state.is_complete();
            let mut behind = false;
            loop {
                let entries = news.after(&last).await?;
                if entries.is_empty() {
                    let current = news.place().await?;
                    // An event may have come just now; one that does not arrive is a gap.
                    if current.epoch != place.epoch || (behind && current != place) {
                        break;
                    }
                    behind = current != place;
                    if !behind {
                        self.state.is_complete();
                    }
                } else {
                    behind = false;
                }
                // A full batch may have more behind it.
                let all = (1..BATCH).contains(&entries.len());
                if !self.take(entries, &mut place, &mut last) {
                    break;
                }
                if all {
                    self.state.is_complete();
                }
                if self.state.untold.load(Ordering::Acquire) {
                    break;
                }
            }
        }
    }

    /// Applies events one after the other; `false` where one is missing before the next.
    fn take(&self, entries: Vec<Entry>, place: &mut Place, last: &mut String) -> bool {
        for entry in entries {
            let next = Place {
                epoch: place.epoch.clone(),
                sequence: place.sequence.saturating_add(1),
            };
            if entry.place != next {
                return false;
            }
            self.apply(&entry.mark, entry.at);
            (*place, *last) = (next, entry.id);
        }
        true
    }

    fn apply(&self, mark: &str, at: u64) {
        // What is not understood was written by a newer replica, for newer ones.
        let Some(mark) = Mark::parse(mark) else {
            return;
        };
        let raised = self.local.raise(&mark, at, self.clock.now());
        match &mark {
            // What is told again, by this replica's own echo or after a lost connection, ends no
            // stream that was opened since.
            Mark::SignedOut(account) if raised => self.local.signed_out(account),
            Mark::SignedOut(account) => self.local.forget(account),
            Mark::Account(account) if raised => self.local.forget(account),
            Mark::Account(_) | Mark::Session { .. } => {}
        }
    }

    /// Takes over what the store has, and gives it what it lacks: after a start, a lost
    /// connection, a gap, and after the store lost everything.
    async fn agree(&self, news: &mut News<'_>) -> Result<(Place, String), Lost> {
        let overview = news.overview().await?;
        let now = self.local.aged(self.clock.now());
        let mut shared = HashMap::new();
        for (mark, at) in overview.marks {
            if is_kept(at, now) {
                self.apply(&mark, at);
                shared.insert(mark, at);
            } else {
                self.link.remove(&mark, at).await?;
            }
        }
        self.state.untold.store(false, Ordering::Release);
        for (mark, at) in self.local.all() {
            let text = mark.to_text();
            let higher = shared.get(&text).is_none_or(|shared| *shared < at);
            if higher && is_kept(at, now) {
                self.link.raise(&text, at, false).await?;
            }
        }
        Ok((overview.place, overview.last))
    }
}

impl Drop for Follower {
    /// However the task ends, nobody follows after it.
    fn drop(&mut self) {
        self.state.following.store(false, Ordering::Release);
    }
}
