//! One writer publishes whole snapshots of the keys, many readers load them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::fetch_error::FetchError;
use super::set::KeySet;
use crate::authority::KeyFreshness;
use crate::published::{Loaded, Published};

/// The longest time a request waits for a fetch (contract §6).
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What readers see.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    /// Keys that may be used; `None` before the first good fetch and when they are too old.
    pub(crate) keys: Option<Arc<KeySet>>,
    /// When the keys were last confirmed.
    pub(crate) confirmed: Option<Instant>,
    /// Why the last fetch failed, if it did.
    pub(crate) last_error: Option<Arc<FetchError>>,
}

/// Tells one key set of this process from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(pub(crate) u64);

impl Generation {
    /// A number that no other key set has; the first is 1.
    pub(super) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }
}

/// What the writer publishes and the readers see.
#[derive(Debug, Default)]
struct Board {
    snapshot: Published<Snapshot>,
    /// That of the snapshot's keys; 0 for none.
    generation: AtomicU64,
}

/// How far the writer has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    /// Fetches that ended, well or not.
    attempts: u64,
    /// The last request for a fetch that was answered.
    answered: u64,
    /// Whether that answer brought a document.
    good: bool,
}

/// Makes a connected pair.
pub(crate) fn key_store(cooldown: Duration) -> (KeyPublisher, KeyReader) {
    let board = Arc::new(Board::default());
    let (ask, asks) = mpsc::channel(1);
    let (progress, seen) = watch::channel(Progress::default());
    let reader = KeyReader {
        board: Arc::clone(&board),
        ask,
        progress: seen,
        demand: Mutex::new(Demand {
            ticket: 0,
            last: None,
        }),
        cooldown,
        max_stale: None,
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
pub(crate) fn kept_fresh(freshness: &KeyFreshness) -> (KeyPublisher, KeyReader) {
    let (publisher, reader) = key_store(freshness.cooldown);
    (publisher, reader.with_max_stale(freshness.max_stale))
}

/// A store that never changes: keys that the application brought itself.
pub(crate) fn fixed(keys: KeySet) -> KeyReader {
    let (publisher, reader) = key_store(Duration::MAX);
    publisher.publish(Snapshot {
        keys: Some(Arc::new(keys)),
        confirmed: Some(Instant::now()),
        last_error: None,
    });
    reader
}

/// The side of the requests. When the last one is dropped, the writer's task ends.
#[derive(Debug)]
pub(crate) struct KeyReader {
    board: Arc<Board>,
    ask: mpsc::Sender<u64>,
    progress: watch::Receiver<Progress>,
    demand: Mutex<Demand>,
    cooldown: Duration,
    /// How old keys may be that nobody keeps fresh any more.
    max_stale: Option<Duration>,
}

/// The fetches that requests asked for.
#[derive(Debug)]
struct Demand {
    ticket: u64,
    last: Option<Instant>,
}

/// What a request waits for.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    progress: watch::Receiver<Progress>,
    until: Until,
}

#[derive(Debug, Clone, Copy)]
enum Until {
    FirstAttempt,
    Answered(u64),
}

/// How the wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// A document came; look again.
    Fetched,
    /// The authority failed or is too slow: nothing can be decided.
    Nothing,
}

impl KeyReader {
    /// Bounds the age of the keys also where the writer's task is gone (with its runtime, say).
    pub(crate) fn with_max_stale(mut self, most: Duration) -> Self {
        self.max_stale = Some(most);
        self
    }

    /// One load; keep what it returns for the whole request.
    pub(crate) fn load(&self) -> Loaded<Arc<Snapshot>> {
        self.board.snapshot.load()
    }

    /// The keys in use; `None` while there are none, and where they are too old.
    pub(crate) fn keys(&self) -> Option<Arc<KeySet>> {
        self.generation()?;
        self.load().keys.clone()
    }

    /// The generation of the keys in use, by one atomic read; `None` while there are none.
    pub(crate) fn generation(&self) -> Option<Generation> {
        match self.board.generation.load(Ordering::Acquire) {
            0 => None,
            _ if self.ask.is_closed() && self.is_stale() => None,
            number => Some(Generation(number)),
        }
    }

    /// Whether the keys are too old. The writer withdraws such keys itself, as long as it lives.
    #[cold]
    fn is_stale(&self) -> bool {
        let is_old = |most| {
            let confirmed = self.load().confirmed;
            confirmed.is_none_or(|confirmed| confirmed.elapsed() >= most)
        };
        self.max_stale.is_some_and(is_old)
    }

    /// Asks for a fetch because of a key id that nobody has seen.
    ///
    /// `None` within the cooldown: then nobody asks and nobody waits. Requests that come while
    /// the fetch is under way share it.
    pub(crate) fn ask(&self) -> Option<Awaited> {
        let mut demand = self.demand.lock().unwrap_or_else(PoisonError::into_inner);
        if self.progress.borrow().answered >= demand.ticket {
            let now = Instant::now();
            if demand
                .last
                .is_some_and(|last| now.saturating_duration_since(last) < self.cooldown)
            {
                return None;
            }
            let ticket = demand.ticket.checked_add(1)?;
            // No task listens to fixed keys; a full channel cannot be, since one ask is answered
            // before the next is made.
            self.ask.try_send(ticket).ok()?;
            *demand = Demand {
                ticket,
                last: Some(now),
            };
        }
        Some(Awaited {
            progress: self.progress.clone(),
            until: Until::Answered(demand.ticket),
        })
    }

    /// The first fetch of all, while it is under way.
    pub(crate) fn first_attempt(&self) -> Option<Awaited> {
        (self.progress.borrow().attempts == 0 && !self.ask.is_closed()).then(|| Awaited {
            progress: self.progress.clone(),
            until: Until::FirstAttempt,
        })
    }
}

impl Awaited {
    /// Waits, but at most two seconds.
    pub(crate) async fn arrival(mut self) -> Arrival {
        let until = self.until;
        let done = self.progress.wait_for(|progress| match until {
            Until::FirstAttempt => progress.attempts > 0,
            Until::Answered(ticket) => progress.answered >= ticket,
        });
        match tokio::time::timeout(LONGEST_WAIT, done).await {
            Ok(Ok(progress)) if progress.good => Arrival::Fetched,
            _ => Arrival::Nothing,
        }
    }
}

/// The side of the task that keeps the keys fresh.
#[derive(Debug)]
pub(crate) struct KeyPublisher {
    board: Arc<Board>,
    asks: mpsc::Receiver<u64>,
    progress: watch::Sender<Progress>,
}

impl KeyPublisher {
    pub(crate) fn publish(&self, snapshot: Snapshot) {
        let generation = snapshot.keys.as_ref().map_or(0, |keys| keys.generation().0);
        self.board.snapshot.store(Arc::new(snapshot));
        // After the keys: who reads the new number finds the new keys.
        self.board.generation.store(generation, Ordering::Release);
    }

    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.board.snapshot.load_full()
    }

    /// Tells those who wait that a fetch ended.
    pub(crate) fn answer(&self, ticket: Option<u64>, good: bool) {
        self.progress.send_modify(|progress| {
            progress.attempts = progress.attempts.saturating_add(1);
            progress.good = good;
            if let Some(ticket) = ticket {
                progress.answered = ticket;
            }
        });
    }

    /// The next request for a fetch; `None` when the last reader is gone.
    pub(crate) async fn asked(&mut self) -> Option<u64> {
        self.asks.recv().await
    }
}
