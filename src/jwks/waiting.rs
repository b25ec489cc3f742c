//! Requests that wait for a fetch: how many may, how long, and what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::watch;

/// The longest time a request waits for fetches.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How many requests may wait for one document; the others are 503 at once.
///
/// Many more than are on their way when keys roll over, since one fetch answers all of them;
/// so few that junk which waits takes neither memory nor connections worth speaking of.
const MOST_WAITING: usize = 256;

/// How far the writer has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Fetches that ended, well or not.
    pub(super) attempts: u64,
    /// The last request for a fetch that was answered.
    pub(super) answered: u64,
    /// Whether the last fetch brought no document.
    pub(super) failed: bool,
    /// Until when the authority asked for a pause.
    pub(super) quiet_until: Option<Instant>,
}

/// What a request waits for.
#[derive(Debug)]
pub(crate) struct PendingFetch {
    progress: watch::Receiver<Progress>,
    until: Until,
    _seat: Seat,
}

/// One of the places for requests that wait.
#[derive(Debug)]
struct Seat(Arc<AtomicUsize>);

impl Seat {
    fn take(taken: &Arc<AtomicUsize>) -> Option<Self> {
        let seat = Self(Arc::clone(taken));
        (taken.fetch_add(1, Ordering::Relaxed) < MOST_WAITING).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What becomes of a request with an unknown `kid`.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A fetch is under way, and decides.
    Wait(PendingFetch),
    /// The last fetch succeeded lately, and brought no such key.
    Unknown,
    /// The last fetch failed, or too many are waiting already: nothing can be decided.
    Undecided,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Until {
    FirstAttempt,
    Answered(u64),
}

/// How the wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchOutcome {
    /// A document came; look again.
    Updated,
    /// The authority failed or is too slow: nothing can be decided.
    Failed,
}

/// The moment until which a request that begins to wait now may wait in all.
pub(crate) fn patience() -> Instant {
    let now = Instant::now();
    now.checked_add(LONGEST_WAIT).unwrap_or(now)
}

impl PendingFetch {
    /// `None` where too many are waiting already.
    pub(super) fn seated(
        progress: watch::Receiver<Progress>,
        until: Until,
        waiting: &Arc<AtomicUsize>,
    ) -> Option<Self> {
        Some(Self {
            progress,
            until,
            _seat: Seat::take(waiting)?,
        })
    }

    /// Whether it is the first fetch of all, so that what it brings may lead to a further one.
    pub(crate) const fn is_first(&self) -> bool {
        matches!(self.until, Until::FirstAttempt)
    }

    /// Waits, but not beyond a moment.
    pub(crate) async fn arrival(mut self, deadline: Instant) -> FetchOutcome {
        let until = self.until;
        let done = self.progress.wait_for(|progress| match until {
            Until::FirstAttempt => progress.attempts > 0,
            Until::Answered(ticket) => progress.answered >= ticket,
        });
        match tokio::time::timeout_at(deadline, done).await {
            Ok(Ok(progress)) if !progress.failed => FetchOutcome::Updated,
            _ => FetchOutcome::Failed,
        }
    }
}
