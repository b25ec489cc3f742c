//! One writer publishes whole snapshots of the keys, many readers load them.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::board::{Binding, NO_TICKET, SharedState};
pub(super) use super::board::{Change, Forgets};
pub(crate) use super::board::{Generation, Snapshot};
use super::fetch_error::JwksFetchError;
use super::key_set::KeySet;
pub(crate) use super::waiting::{Asked, FetchOutcome, PendingFetch, patience};
use super::waiting::{Progress, Until};
use crate::authority::JwksRefresh;
use crate::snapshot::Loaded;
use crate::sync::atomic::AtomicUsize;
use crate::sync::{Mutex, mpsc, watch};

/// One request for an unknown key, one to forget withdrawn keys, and one for keys to be bound.
const ASKS: usize = 3;

/// Makes a connected pair.
pub(crate) fn key_store(cooldown: Duration) -> (KeyPublisher, KeyReader) {
    let board = Arc::new(SharedState::default());
    let (ask, asks) = mpsc::channel(ASKS);
    let (progress, seen) = watch::channel(Progress::default());
    let reader = KeyReader {
        board: Arc::clone(&board),
        ask,
        progress: seen,
        binding: None,
        demand: Mutex::new(FetchRequests {
            ticket: 0,
            last: None,
        }),
        cooldown,
        max_stale: None,
        waiting: Arc::default(),
    };
    (
        KeyPublisher {
            board,
            asks,
            progress,
        },
        reader,
    )
}

/// A connected pair for a task that keeps keys as fresh as that; without it they age all the same.
pub(crate) fn refreshing(freshness: &JwksRefresh) -> (KeyPublisher, KeyReader) {
    let (publisher, reader) = key_store(freshness.unknown_kid_cooldown);
    (publisher, reader.with_max_stale(freshness.most_stale()))
}

/// A store that never changes: keys that the application brought itself.
pub(crate) fn fixed_set(keys: KeySet) -> KeyReader {
    let (publisher, reader) = key_store(Duration::MAX);
    publisher.fetched(keys, Duration::ZERO, Forgets::default());
    reader
}

/// The side of the requests. When the last one is dropped, the writer's task ends.
#[derive(Debug)]
pub(crate) struct KeyReader {
    board: Arc<SharedState>,
    ask: mpsc::Sender<u64>,
    progress: watch::Receiver<Progress>,
    /// That of the document without which the keys are not in use.
    binding: Option<watch::Receiver<Progress>>,
    demand: Mutex<FetchRequests>,
    cooldown: Duration,
    /// How old keys may be that no task refreshes any more.
    max_stale: Option<Duration>,
    /// Requests that wait for a fetch.
    waiting: Arc<AtomicUsize>,
}

/// The fetches that requests asked for.
#[derive(Debug)]
struct FetchRequests {
    ticket: u64,
    last: Option<Instant>,
}

impl KeyReader {
    /// Bounds the age of the keys also where the writer's task is gone (with its runtime, say).
    pub(crate) fn with_max_stale(mut self, most: Duration) -> Self {
        self.max_stale = Some(most);
        self
    }

    /// The v2.0 document of the same authority says whose tokens this v1.0 document's keys verify.
    ///
    /// `required`: they are in use only after that document was read once.
    pub(crate) fn bind_to(&mut self, second: &Self, required: bool) {
        let binding = Binding {
            document: Arc::downgrade(&second.board),
            ask: second.ask.downgrade(),
            required,
        };
        SharedState::bind(&self.board, binding);
        self.binding = required.then(|| second.progress.clone());
    }

    /// One load; keep what it returns for the whole request.
    pub(crate) fn load(&self) -> Loaded<Arc<Snapshot>> {
        self.board.load()
    }

    /// The keys in use; `None` while there are none, and where they are too old.
    pub(crate) fn keys(&self) -> Option<Arc<KeySet>> {
        self.generation()?;
        self.load().keys.clone()
    }

    /// The generation of the keys in use, by one atomic read; `None` while there are none.
    ///
    /// To be asked before [`load`](Self::load), which then has no older keys.
    pub(crate) fn generation(&self) -> Option<Generation> {
        match self.board.generation() {
            0 => None,
            number if !self.ask.is_closed() => Some(Generation(number)),
            _ => self.generation_without_writer(),
        }
    }

    /// The same where no task refreshes the keys any more; the writer takes them out of use
    /// itself, as long as it lives.
    #[cold]
    fn generation_without_writer(&self) -> Option<Generation> {
        if let Some(most) = self.max_stale {
            let now = Instant::now();
            let snapshot = self.load();
            let age = |confirmed| now.saturating_duration_since(confirmed);
            if snapshot
                .confirmed
                .is_none_or(|confirmed| age(confirmed) >= most)
            {
                return None;
            }
            let ends = snapshot.keys.as_deref().and_then(KeySet::next_end);
            if ends.is_some_and(|end| end <= now) {
                self.board.end_grace(now);
            }
        }
        let number = self.board.generation();
        (number > 0).then_some(Generation(number))
    }

    /// Asks for a fetch because of an unknown `kid`.
    ///
    /// Within the cooldown no request asks and none waits. Requests that come while the fetch is
    /// under way share it.
    pub(crate) fn ask(&self) -> Asked {
        let mut demand = self.demand.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = *self.progress.borrow();
        if progress.answered >= demand.ticket {
            let now = Instant::now();
            let too_soon = demand
                .last
                .is_some_and(|last| now.saturating_duration_since(last) < self.cooldown)
                || progress.quiet_until.is_some_and(|until| now < until);
            let ticket = demand.ticket.checked_add(1).filter(|_| !too_soon);
            // No task listens to fixed keys; a full channel cannot be, since one ask is answered
            // before the next is made.
            let Some(ticket) = ticket.filter(|ticket| self.ask.try_send(*ticket).is_ok()) else {
                return if progress.failed {
                    Asked::Undecided
                } else {
                    Asked::Unknown
                };
            };
            *demand = FetchRequests {
                ticket,
                last: Some(now),
            };
        }
        self.awaiting(Until::Answered(demand.ticket))
            .map_or(Asked::Undecided, Asked::Wait)
    }

    /// Ends the grace of keys that have vanished from the document, and has it read again: what
    /// that answer lacks has no grace.
    pub(crate) fn forget_withdrawn(&self) {
        self.board.forget_withdrawn();
        let _demand = self.demand.lock().unwrap_or_else(PoisonError::into_inner);
        // What is in the channel already leads to a fetch that has not begun yet.
        if self.ask.capacity() == ASKS {
            let _ = self.ask.try_send(NO_TICKET);
        }
    }

    fn awaiting(&self, until: Until) -> Option<PendingFetch> {
        PendingFetch::seated(self.progress.clone(), until, &self.waiting)
    }

    /// The first fetch of all, while it is under way: of this document, then of the one that binds
    /// its keys.
    pub(crate) fn first_attempt(&self) -> Option<PendingFetch> {
        if self.ask.is_closed() {
            return None;
        }
        let mut both = [Some(&self.progress), self.binding.as_ref()]
            .into_iter()
            .flatten();
        let under_way = both.find(|progress| progress.borrow().attempts == 0)?;
        PendingFetch::seated(under_way.clone(), Until::FirstAttempt, &self.waiting)
    }
}

/// The side of the task that keeps the keys fresh.
#[derive(Debug)]
pub(crate) struct KeyPublisher {
    board: Arc<SharedState>,
    asks: mpsc::Receiver<u64>,
    progress: watch::Sender<Progress>,
}

impl KeyPublisher {
    #[cfg(test)]
    pub(crate) fn publish(&self, after: Snapshot) {
        self.board.change(|snapshot, _| *snapshot = after);
    }

    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.board.load_full()
    }

    /// To be called before a fetch begins.
    pub(super) fn forgets(&self) -> Forgets {
        self.board.forgets()
    }

    /// A document came: its keys are in use, and for a while those that it lacks.
    pub(super) fn fetched(&self, keys: KeySet, grace: Duration, began: Forgets) -> Change {
        self.board.fetched(keys, grace, began)
    }

    /// The document is the same as before.
    pub(super) fn confirmed(&self, began: Forgets) {
        self.board.confirmed(began);
    }

    /// Keeps the keys, and says why there are no new ones.
    pub(super) fn failed(&self, error: JwksFetchError) {
        let error = Some(Arc::new(error));
        self.board.change(|snapshot, _| snapshot.last_error = error);
    }

    /// Takes keys that are too old out of use.
    pub(super) fn drop_stale(&self) {
        self.board.change(|snapshot, _| snapshot.keys = None);
    }

    /// Gives up withdrawn keys whose time is over, and says how many.
    pub(super) fn end_grace(&self, now: Instant) -> usize {
        self.board.end_grace(now)
    }

    /// Wakes those who wait for the end of a fetch.
    #[cfg(test)]
    pub(crate) fn answer(&self, ticket: Option<u64>, good: bool) {
        self.ended(ticket, !good, None);
    }

    /// Notifies waiting requests that a fetch ended, and that none may ask for that long.
    pub(super) fn ended(&self, ticket: Option<u64>, failed: bool, quiet: Option<Duration>) {
        let quiet_until = quiet.and_then(|quiet| Instant::now().checked_add(quiet));
        self.progress.send_modify(|progress| {
            progress.attempts = progress.attempts.saturating_add(1);
            progress.failed = failed;
            progress.quiet_until = quiet_until;
            progress.answered = progress.answered.max(ticket.unwrap_or(NO_TICKET));
        });
    }

    /// The next request for a fetch; `None` when the last reader is gone.
    pub(crate) async fn asked(&mut self) -> Option<u64> {
        self.asks.recv().await
    }
}
